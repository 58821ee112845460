# The specification's tests once more with every function compiled: as it is,
# with all that the compiler may choose drawn by lot, and with speculation kept
# from passing checks and SSE2 alone.
JIT_SPEC := $(addprefix $(O)/tests/jit/spec-,compiled stressed masked)
TAPS += $(JIT_SPEC)
JIT_ENV-compiled := DONJON_WASM_ENGINE=jit
JIT_ENV-stressed := DONJON_WASM_ENGINE=jit \
	DONJON_WASM_STRESS=$${DONJON_WASM_STRESS:-1}
JIT_ENV-masked := DONJON_WASM_ENGINE=jit DONJON_WASM_MASK=1 \
	DONJON_WASM_VECTORS=1
$(JIT_SPEC): $(O)/tests/jit/spec-%: $(O)/tests/spec/wasm tests/jit/module.mk
	$(call say,SCRIPT,$@)
	@mkdir -p $(@D)
	$(Q)printf '%s\n' '#!/bin/sh' \
		'$(JIT_ENV-$*) exec "$${0%/*}/../spec/wasm"' > $@
	$(Q)chmod +x $@
