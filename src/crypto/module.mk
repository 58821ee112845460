$(call library,crypto,$(wildcard src/crypto/*.c))
$(call unit,crypto,crypto base,-lcrypto)
$(call fuzzer,x509,crypto base,-lcrypto)
