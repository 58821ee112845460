# A shim on RISC-V: $(call SHIM_RISCV64,TECHNOLOGY).  Its image is what is
# measured; debug/shim-NAME has the symbols.  `make keep-riscv64` makes it: who
# has no compiler for RISC-V does without.
SHIM_RV := $(wildcard src/shim/riscv64/*.S src/shim/riscv64/*.c)
define SHIM_RISCV64_
$(call program,debug/shim-$1,shim-riscv64,$(wildcard src/shim/$1/*.S src/shim/$1/*.c) $(SHIM_RV) $(SHIM_COMMON) $(SHIM_BASE))
$(O)/debug/shim-$1: src/shim/riscv64/shim.ld
$(O)/keep/$1/shim: $(O)/debug/shim-$1
	$$(call say,IMAGE,$$@)
	@mkdir -p $$(@D)
	$$(Q)riscv64-linux-gnu-objcopy -O binary $$< $$@
$(O)/keep/$1/exec: $(O)/keep/riscv64/exec
	@mkdir -p $$(@D)
	$$(Q)cp $$< $$@
KEEP_riscv64 += $(O)/keep/$1/shim $(O)/keep/$1/exec
endef
SHIM_RISCV64 = $(eval $(call SHIM_RISCV64_,$1))
