# The software platform's firmware for QEMU; debug/monitor-x86_64 has symbols.
$(call program,debug/monitor-x86_64,monitor,$(wildcard src/monitor/x86_64/*.S src/monitor/x86_64/*.c) src/shim/x86_64_vm/string.c src/shim/common/string.c src/base/fmt.c)
$(O)/debug/monitor-x86_64: src/monitor/x86_64/monitor.ld
ALL += $(O)/keep/software/monitor
$(O)/keep/software/monitor: $(O)/debug/monitor-x86_64
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)objcopy -O binary $< $@
# What needs no processor of its own is tested on the host.
$(call library,monitor_units,$(patsubst %,src/monitor/x86_64/%.c,npt rmp sept guest state),host)
$(call unit,monitor/x86_64,monitor_units base)
