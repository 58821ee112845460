$(call library,channel,$(wildcard src/channel/*.c))
$(call unit,channel,channel crypto base,-lssl -lcrypto)
$(call fuzzer,frame,channel crypto base,-lssl -lcrypto)
$(call fuzzer,channel,channel crypto base,-lssl -lcrypto)
