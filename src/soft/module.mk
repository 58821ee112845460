$(call library,soft,$(wildcard src/soft/*.c),host fuzz)
$(call unit,soft,soft esm device enclave measure codec crypto base,-lcrypto)
$(call fuzzer,ghcb,soft esm codec crypto base,-lcrypto)
$(call fuzzer,tdvmcall,soft esm codec crypto base,-lcrypto)
$(call fuzzer,snp_message,soft esm codec crypto base,-lcrypto)
# A guest of the tests: what a processor must refuse is tried from inside.
GUEST := tests/unit/soft/guest
$(call program,tests/guests/soft.elf,shim,$(GUEST)/entry.S $(GUEST)/main.c $(GUEST)/probe.c src/shim/x86_64_vm/string.c src/shim/common/string.c,,-Wl$(comma)--defsym=shim_tee=0 -Wl$(comma)--defsym=guest_reset=0)
$(O)/tests/guests/soft.elf: src/shim/x86_64_vm/shim.ld
$(O)/tests/guests/soft: $(O)/tests/guests/soft.elf
	$(Q)objcopy -O binary $< $@
# The same for a trust domain, which starts as a Keep's does.
$(call program,tests/guests/td.elf,shim,$(GUEST)/entry.S $(GUEST)/td.c $(GUEST)/probe.c src/shim/tdx/reset.S src/shim/x86_64_vm/string.c src/shim/common/string.c,,-Wl$(comma)--defsym=shim_tee=0 -Wl$(comma)--defsym=guest_reset=reset_page-0xffffffff80000000)
$(O)/tests/guests/td.elf: src/shim/x86_64_vm/shim.ld
$(O)/tests/guests/td: $(O)/tests/guests/td.elf
	$(Q)objcopy -O binary $< $@
$(O)/tests/unit/soft/tdx: | $(O)/tests/guests/td $(O)/keep/software/monitor
$(O)/tests/unit/soft/device $(O)/tests/unit/soft/snp $(O)/tests/unit/soft/sgx: | $(O)/tests/guests/soft $(O)/keep/software/monitor
# The same for RISC-V, where its compiler is: an operating system, and an enclave.
$(call program,tests/guests/rv.elf,robot-riscv64,$(GUEST)/rv.S)
$(O)/tests/guests/rv.elf: $(GUEST)/rv.ld
$(O)/tests/guests/rv: $(O)/tests/guests/rv.elf
	$(Q)riscv64-linux-gnu-objcopy -O binary $< $@
KEEP_riscv64_tests += $(O)/tests/guests/rv
# A guest of POWER's ultravisor; made with the Keep's images of that ISA.
$(call program,tests/guests/pef.elf,shim-ppc64le,$(GUEST)/pef.S $(GUEST)/pef.c src/shim/pef/string.c src/shim/common/string.c)
$(O)/tests/guests/pef.elf: src/shim/pef/shim.ld
$(O)/tests/guests/pef: $(O)/tests/guests/pef.elf
	$(Q)$(CROSS_PPC)objcopy -O binary $< $@
KEEP_ppc64le_tests += $(O)/tests/guests/pef
# Where there is no compiler for it, that test says so and is skipped.
ifneq ($(shell command -v $(CROSS_PPC)gcc),)
$(O)/tests/unit/soft/power: | $(O)/tests/guests/pef $(O)/keep/software/monitor-ppc64le
endif
