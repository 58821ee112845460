SHIM_COMMON := $(wildcard src/shim/common/*.c)
SHIM_BASE := src/base/err.c src/base/fmt.c
# Below Linux there is a C library.
SHIM_HOSTED := $(filter-out %/string.c,$(SHIM_COMMON))
$(call library,shim_common,$(SHIM_HOSTED),host fuzz)
$(call unit,shim/common,shim_common base)
$(call fuzzer,elf,shim_common base)
