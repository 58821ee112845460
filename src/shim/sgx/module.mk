# The shim of an enclave: its image is what is measured; debug/shim-sgx has
# the symbols.  The assembler warns of the one jump through memory (entry.S).
CF-src/shim/sgx/entry := -Wa,--no-warn
$(call program,debug/shim-sgx,enclave,$(wildcard src/shim/sgx/*.S src/shim/sgx/*.c) src/shim/x86_64_vm/string.c $(filter-out %/user.c %/paging.c,$(SHIM_COMMON)) $(SHIM_BASE))
$(O)/debug/shim-sgx: src/shim/sgx/sgx.ld
ALL += $(O)/keep/sgx/shim $(O)/keep/sgx/exec
$(O)/keep/sgx/shim: $(O)/debug/shim-sgx
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)objcopy -O binary $< $@
$(O)/keep/sgx/exec: $(O)/keep/process/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
