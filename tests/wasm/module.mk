# Programs that the end-to-end tests run in Keeps: wasm32-wasi, one file each.
WASM_PROGRAMS :=
define wasm_program
WASM_PROGRAMS += $(O)/tests/wasm/$1.wasm
$(call program,tests/wasm/$1.wasm,$2,tests/wasm/$1.c $3,,)
endef
$(foreach f,$(filter-out threads,$(basename $(notdir $(sort $(wildcard tests/wasm/*.c))))),$(eval $(call wasm_program,$f,wasi)))
$(eval $(call wasm_program,threads,wasi-threads,examples/threads/threads.c examples/threads/start.S))
tests: $(WASM_PROGRAMS)
