$(call library,enclave,$(wildcard src/enclave/*.c),host fuzz)
$(call unit,enclave,enclave measure crypto codec base,-lcrypto)
$(call fuzzer,enclave,enclave crypto base,-lcrypto)
