$(call library,channel,$(wildcard src/channel/*.c))
$(call unit,channel,channel crypto base,-lssl -lcrypto)
