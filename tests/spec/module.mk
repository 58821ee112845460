$(call program,tests/spec/wasm,host,tests/spec/wasm.c tests/spec/values.c,wasm base,-ljansson)
TAPS += $(O)/tests/spec/wasm
