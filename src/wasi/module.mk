$(call library,wasi,$(wildcard src/wasi/*.c))
$(call unit,wasi,wasi memfs base)
$(call fuzzer,wasi,wasi memfs base)
