$(call library,wasm,$(wildcard src/wasm/*.c src/wasm/compile/*.c \
	src/wasm/interp/*.c))
# A square root is the machine's, not the mathematics library's.
CF-src/wasm/interp/float := -fno-math-errno
# Clearing three locals is not worth a call of memset.
CF-src/wasm/interp/call := -fno-builtin
$(call unit,wasm,wasm base)
$(call fuzzer,wasm,wasm base)
