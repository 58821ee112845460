BENCHES += $(O)/bench/channel
$(call program,bench/channel,host,bench/channel.c,channel crypto base,-lssl -lcrypto)
$(call program,bench/wasm_load,host,bench/wasm_load.c,wasm base)
# Of `make bench-keep`: a loader that counts, a program that times itself.
BENCH_KEEP := $(O)/bench/keep/donjon-keep $(O)/bench/speed.wasm \
	$(O)/bench/calls.wasm $(O)/bench/wasi/http.wasm $(O)/bench/trap
$(call program,bench/keep/donjon-keep,host,src/host/keep_main.c bench/keep_count.c,host hal soft device enclave json crypto codec rule base,$(foreach f,device_linux_new soft_device_new soft_device_endorsements soft_sanctum_new,-Wl$(comma)--wrap=$f) -ljansson -lseccomp -lcrypto -lprotobuf-c)
$(call program,bench/trap,host,bench/trap.c,hal soft device measure enclave crypto codec base,-lcrypto -lseccomp -lprotobuf-c)
$(call program,bench/traps/kvm/exec,exec,bench/trap_guest.c)
$(O)/bench/traps/%/exec: $(O)/bench/traps/kvm/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/bench/traps/%: $(O)/keep/%
	@mkdir -p $(@D)
	$(Q)cp $< $@
$(O)/bench/trap: | $(foreach t,kvm snp tdx sgx,$(O)/bench/traps/$t/exec \
	$(O)/bench/traps/$t/shim) $(O)/bench/traps/software/monitor
$(call program,bench/speed.wasm,wasi,bench/speed.c,,)
$(call program,bench/calls.wasm,wasi,bench/calls.c,,)

# bench-wasi: programs for a Keep and, of the same sources, for this machine.
WASI_BENCHES := $(patsubst %,$(O)/bench/wasi/%,files http echo load files.wasm http.wasm)
$(call program,bench/wasi/files.wasm,wasi,bench/wasi/files.c,,)
$(call program,bench/wasi/http.wasm,wasi,bench/wasi/http.c,,)
$(call program,bench/wasi/files,host,bench/wasi/files.c,,)
$(call program,bench/wasi/http,host,bench/wasi/http.c,,)
$(call program,bench/wasi/echo,host,tests/wasm/echo.c,,)
$(call program,bench/wasi/load,host,bench/wasi/load.c,,-lssl -lcrypto)
