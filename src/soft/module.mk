$(call library,soft,$(wildcard src/soft/*.c),host)
$(call unit,soft,soft device codec crypto base,-lcrypto)
