# All but toml go into the Keep; json for the vendors' documents in evidence.
$(call library,codec,src/codec/cbor.c src/codec/der.c src/codec/der_out.c \
	src/codec/hex.c src/codec/pem.c)
$(call library,json,src/codec/json.c)
$(call library,toml,src/codec/toml.cc,host fuzz)
$(call unit,codec,toml json codec base,-ljansson)
$(call fuzzer,hex,codec base)
$(call fuzzer,cbor,codec base)
$(call fuzzer,json,json codec base,-ljansson)
$(call fuzzer,toml,toml base)
