# The shim of POWER's secure VMs: its image is what is measured; debug/shim-pef
# has the symbols.  Needs a cross compiler: made by `make keep-ppc64le`.
$(call program,debug/shim-pef,shim-ppc64le,$(wildcard src/shim/pef/*.S src/shim/pef/*.c) $(SHIM_COMMON) $(SHIM_BASE),,-Wl$(comma)--defsym=shim_tee=7)
$(O)/debug/shim-pef: src/shim/pef/shim.ld
$(O)/keep/pef/shim: $(O)/debug/shim-pef
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)$(CROSS_PPC)objcopy -O binary $< $@
$(O)/keep/pef/exec: $(O)/keep/ppc64le/exec
	@mkdir -p $(@D)
	$(Q)cp $< $@
KEEP_ppc64le += $(O)/keep/pef/shim $(O)/keep/pef/exec $(O)/keep/software/monitor-ppc64le
