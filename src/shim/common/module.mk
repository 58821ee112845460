SHIM_COMMON := $(wildcard src/shim/common/*.c)
SHIM_BASE := src/base/err.c src/base/fmt.c
# Below Linux there is a C library, and a program ends otherwise.
SHIM_HOSTED := $(filter-out %/string.c %/end.c,$(SHIM_COMMON))
$(call library,shim_common,$(SHIM_HOSTED),host fuzz)
$(call unit,shim/common,shim_common base)
$(call fuzzer,elf,shim_common base)
# What takes its other half from a shim: page tables, with each ISA's format.
SHIM_UNIT = $(call program,tests/unit/shim/$1,host,tests/unit/shim/$2 \
	tests/unit/main.c $3,shim_common base,-lcmocka)$(eval UNITS += $(O)/tests/unit/shim/$1)
$(foreach i,x86_64_vm riscv64 pef,$(call SHIM_UNIT,$i/paging,paging.c,src/shim/$i/format.c))
$(call SHIM_UNIT,common/end,end.c,src/shim/common/end.c)
$(call SHIM_UNIT,common/boot,boot.c)
