# A shim: $(call SHIM,TECHNOLOGY,NUMBER,LINK FLAGS).  Its image is what is
# measured; debug/shim-NAME has the symbols.
SHIM_VM := $(wildcard src/shim/x86_64_vm/*.S src/shim/x86_64_vm/*.c)
define SHIM_
$(call program,debug/shim-$1,shim,$(wildcard src/shim/$1/*.S src/shim/$1/*.c) $(SHIM_VM) $(SHIM_COMMON) $(SHIM_BASE),,-Wl$(comma)--defsym=shim_tee=$2 $3)
$(O)/debug/shim-$1: src/shim/x86_64_vm/shim.ld
ALL += $(O)/keep/$1/shim $(O)/keep/$1/exec
$(O)/keep/$1/shim: $(O)/debug/shim-$1
	$$(call say,IMAGE,$$@)
	@mkdir -p $$(@D)
	$$(Q)objcopy -O binary $$< $$@
$(O)/keep/$1/exec: $(O)/keep/process/exec
	@mkdir -p $$(@D)
	$$(Q)cp $$< $$@
endef
SHIM = $(eval $(call SHIM_,$1,$2,$3))
$(call SHIM,kvm,2,-Wl$(comma)--defsym=shim_secrets=0 -Wl$(comma)--defsym=shim_cpuid=0 -Wl$(comma)--defsym=shim_reset=0)
# What needs no virtual machine.
$(call library,shim_vm,src/shim/x86_64_vm/pages.c,host)
$(call unit,shim/x86_64_vm,shim_vm base)
