# Programs that the end-to-end tests run in Keeps: wasm32-wasi, one file each.
WASM_PROGRAMS :=
define wasm_program
WASM_PROGRAMS += $(O)/tests/wasm/$1.wasm
$(call program,tests/wasm/$1.wasm,wasi,tests/wasm/$1.c,,)
endef
$(foreach f,$(basename $(notdir $(sort $(wildcard tests/wasm/*.c)))),$(eval $(call wasm_program,$f)))
tests: $(WASM_PROGRAMS)
