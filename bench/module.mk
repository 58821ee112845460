BENCHES += $(O)/bench/channel
$(call program,bench/channel,host,bench/channel.c,channel crypto base,-lssl -lcrypto)
$(call program,bench/wasm_load,host,bench/wasm_load.c,wasm base)
