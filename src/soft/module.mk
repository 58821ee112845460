$(call library,soft,$(wildcard src/soft/*.c),host fuzz)
$(call unit,soft,soft device enclave measure codec crypto base,-lcrypto)
$(call fuzzer,ghcb,soft codec crypto base,-lcrypto)
$(call fuzzer,snp_message,soft codec crypto base,-lcrypto)
# A guest of the tests: what a processor must refuse is tried from inside.
GUEST := tests/unit/soft/guest
$(call program,tests/guests/soft.elf,shim,$(GUEST)/entry.S $(GUEST)/main.c src/shim/x86_64_vm/string.c,,-Wl$(comma)--defsym=shim_tee=0)
$(O)/tests/guests/soft.elf: src/shim/x86_64_vm/shim.ld
$(O)/tests/guests/soft: $(O)/tests/guests/soft.elf
	$(Q)objcopy -O binary $< $@
$(O)/tests/unit/soft/device $(O)/tests/unit/soft/snp $(O)/tests/unit/soft/sgx: | $(O)/tests/guests/soft $(O)/keep/software/monitor
