SHIM_COMMON := $(wildcard src/shim/common/*.c)
SHIM_BASE := src/base/err.c src/base/fmt.c
$(call library,shim_common,$(SHIM_COMMON),host fuzz)
$(call unit,shim/common,shim_common base)
$(call fuzzer,elf,shim_common base)
