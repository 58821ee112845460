$(call library,memfs,$(wildcard src/memfs/*.c))
$(call unit,memfs,memfs base)
