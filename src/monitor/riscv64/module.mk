# The security monitor for Sanctum: firmware in M-mode.  debug/monitor-riscv64
# has symbols; the image is what the boot ROM measures.  SHA-512 and Ed25519 are
# OpenSSL's, of the library that exec is linked with (docs/adr/0023).
$(call program,debug/monitor-riscv64,monitor-riscv64,$(wildcard src/monitor/riscv64/*.S src/monitor/riscv64/*.c) src/shim/riscv64/string.c src/shim/common/string.c src/base/fmt.c,,$(CRYPTO_RISCV64))
$(O)/debug/monitor-riscv64: src/monitor/riscv64/monitor.ld $(NEEDS.exec-riscv64)
$(O)/keep/sanctum/monitor: $(O)/debug/monitor-riscv64
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)riscv64-linux-gnu-objcopy -O binary $< $@
KEEP_riscv64 += $(O)/keep/sanctum/monitor
# What needs no processor of its own is tested on the host.
$(call library,monitor_rv,$(patsubst %,src/monitor/riscv64/%.c,enclave tables pmp evidence),host fuzz)
$(call unit,monitor/riscv64,monitor_rv measure crypto codec base,-lcrypto)
$(call fuzzer,sanctum_calls,monitor_rv crypto codec base,-lcrypto)
