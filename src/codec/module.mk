# cbor and hex go into the Keep; json and toml stay on the agents' machines.
$(call library,codec,src/codec/cbor.c src/codec/hex.c)
$(call library,json,src/codec/json.c,host fuzz)
$(call unit,codec,json codec base,-ljansson)
$(call fuzzer,hex,codec base)
$(call fuzzer,cbor,codec base)
$(call fuzzer,json,json codec base,-ljansson)
