$(call library,repository,$(wildcard src/repository/*.c),host fuzz)
$(call unit,repository,repository net crypto codec base,-lcurl -lcrypto)
