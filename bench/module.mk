BENCHES += $(O)/bench/channel
$(call program,bench/channel,host,bench/channel.c,channel crypto base,-lssl -lcrypto)
# Of `make bench-keep`: a loader that counts, a program that times itself.
BENCH_KEEP := $(O)/bench/keep/donjon-keep $(O)/bench/speed.wasm
$(call program,bench/keep/donjon-keep,host,src/host/keep_main.c bench/keep_count.c,host hal soft device enclave json crypto codec rule base,$(foreach f,device_linux_new soft_device_new soft_device_endorsements,-Wl$(comma)--wrap=$f) -ljansson -lseccomp -lcrypto)
$(call program,bench/speed.wasm,wasi,bench/speed.c,,)
