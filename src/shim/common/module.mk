SHIM_COMMON := $(wildcard src/shim/common/*.c)
SHIM_BASE := src/base/err.c src/base/fmt.c
$(call library,shim_common,$(SHIM_COMMON),host fuzz)
