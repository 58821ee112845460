$(call library,soft,src/soft/root.c,host fuzz)
$(call unit,soft,soft crypto base,-lcrypto)
