$(call library,wasi,$(wildcard src/wasi/*.c))
# The file system is of the Keep, but is built and tested without the rest.
$(call library,memfs,src/keep/memfs.c)
$(call unit,wasi,wasi memfs base)
$(call program,tests/unit/keep/memfs,host,tests/unit/keep/memfs.c tests/unit/main.c,memfs base,-lcmocka)
UNITS += $(O)/tests/unit/keep/memfs
$(call fuzzer,wasi,wasi memfs base)
