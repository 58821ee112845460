# The software platform's firmware for QEMU; debug/monitor-x86_64 has symbols.
$(call program,debug/monitor-x86_64,monitor,$(wildcard src/monitor/x86_64/*.S src/monitor/x86_64/*.c) src/shim/x86_64_vm/string.c src/base/fmt.c)
$(O)/debug/monitor-x86_64: src/monitor/x86_64/monitor.ld
ALL += $(O)/keep/software/monitor
$(O)/keep/software/monitor: $(O)/debug/monitor-x86_64
	$(call say,IMAGE,$@)
	@mkdir -p $(@D)
	$(Q)objcopy -O binary $< $@
