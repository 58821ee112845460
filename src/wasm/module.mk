# The compiler is x86-64's.
WASM_SRC := $(wildcard src/wasm/*.c src/wasm/compile/*.c src/wasm/interp/*.c)
$(call library,wasm,$(WASM_SRC) $(wildcard src/wasm/jit/*.c),,\
	$(WASM_SRC) src/wasm/nojit/nojit.c)
# A square root is the machine's, not the mathematics library's; a product and
# a sum are two operations, also where the machine has one for both.
WASM_FLOAT := -fno-math-errno -ffp-contract=off
CF-src/wasm/interp/float := $(WASM_FLOAT)
CF-src/wasm/interp/simd_float := $(WASM_FLOAT)
CF-src/wasm/interp/pairs_float := $(WASM_FLOAT)
# Loading and compiling are many small functions in a row, and short loops.
$(foreach f,$(wildcard src/wasm/compile/*.c src/wasm/jit/*.c),$(eval CF-$(f:.c=) := $(if $(SAN),,-O3 -fno-tree-vectorize)))
# Clearing three locals is not worth a call of memset.
CF-src/wasm/interp/call := -fno-builtin
$(call unit,wasm,wasm base)
$(call fuzzer,wasm,wasm base)
$(call fuzzer,jit,wasm base)
