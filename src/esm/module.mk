$(call library,esm,$(wildcard src/esm/*.c),host fuzz)
$(call unit,esm,esm crypto base,-lcrypto)
$(call fuzzer,esm,esm crypto base,-lcrypto)
