$(call library,wasi,$(wildcard src/wasi/*.c))
# The file system is of the Keep, but is built and tested without the rest.
$(call library,memfs,src/keep/memfs.c)
$(call unit,wasi,wasi memfs base)
$(eval $(call unit_,keep,memfs,memfs base))
$(call fuzzer,wasi,wasi memfs base)
