$(call library,enclave,$(wildcard src/enclave/*.c),host fuzz)
