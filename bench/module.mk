BENCHES += $(O)/bench/channel
$(call program,bench/channel,host,bench/channel.c,channel crypto base,-lssl -lcrypto)
