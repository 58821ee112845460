SPEC_SRC := tests/spec/wasm.c tests/spec/values.c tests/spec/json.c
$(call program,tests/spec/wasm,host,$(SPEC_SRC),wasm base)
TAPS += $(O)/tests/spec/wasm

# The same on other machines, emulated.
$(foreach i,$(EXEC_ISAS),$(call emulated,tests/spec/wasm-$i,$i,$(SPEC_SRC),wasm base))

# What the libraries take from outside.
$(O)/tests/spec/needs: tests/spec/needs.sh $(O)/lib/host/libwasm.a \
		$(EXEC_ISAS:%=$(O)/tests/spec/wasm-%)
	@mkdir -p $(@D)
	@cp $< $@
TAPS += $(O)/tests/spec/needs

# And as a place without an operating system has it.
$(O)/tests/spec/freestanding: tests/spec/freestanding.sh
	@mkdir -p $(@D)
	@cp $< $@
TAPS += $(O)/tests/spec/freestanding
