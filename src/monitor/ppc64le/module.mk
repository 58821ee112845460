# The software platform's firmware for QEMU's POWER9; debug/monitor-ppc64le has
# symbols.
$(call program,debug/monitor-ppc64le,monitor-ppc64le,$(wildcard src/monitor/ppc64le/*.S src/monitor/ppc64le/*.c) src/shim/pef/string.c src/shim/common/string.c src/base/fmt.c)
$(O)/debug/monitor-ppc64le: src/monitor/ppc64le/monitor.ld
$(O)/keep/software/monitor-ppc64le: $(O)/debug/monitor-ppc64le
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)$(CROSS_PPC)objcopy -O binary --pad-to 0x20000 $< $@
# What needs no processor of its own is tested on the host.
$(call library,monitor_ppc_units,$(patsubst %,src/monitor/ppc64le/%.c,radix pages),host)
$(call unit,monitor/ppc64le,monitor_ppc_units base)
