SPEC_SRC := tests/spec/wasm.c tests/spec/values.c tests/spec/json.c
$(call program,tests/spec/wasm,host,$(SPEC_SRC),wasm base)
TAPS += $(O)/tests/spec/wasm

# The same on other machines, emulated: programs that run themselves below
# qemu-user, or say why they can't.
hash := \#
define spec_script
$(O)/tests/spec/wasm-$1: $3
	@mkdir -p $$(@D)
	@printf '#!/bin/sh\n%s\n' '$4' > $$@
	@chmod +x $$@
TAPS += $(O)/tests/spec/wasm-$1
endef
define spec_build
$(call library_for,wasm,$1,$(SRC.wasm))
$(call library_for,base,$1,$(SRC.base))
$(call program_,tests/spec/$1/suite,$1,$(SPEC_SRC),wasm base,)
$(call spec_script,$1,$2,$(O)/tests/spec/$1/suite,exec qemu-$2-static "$$$$(dirname "$$$$0")/$1/suite" "$$$$@")
endef
spec_skip = $(call spec_script,$1,$2,,echo "ok 1 - the suite on $2 $(hash) SKIP $3")
spec_for = $(eval $(if $(SAN),$(call spec_skip,$1,$2,emulated machines run plain builds),$(if $(shell command -v $(CC.$1)),$(call spec_build,$1,$2),$(call spec_skip,$1,$2,there is no $(CC.$1)))))
$(call spec_for,linux-riscv64,riscv64)
$(call spec_for,linux-ppc64le,ppc64le)

# What the libraries take from outside.
$(O)/tests/spec/needs: tests/spec/needs.sh $(O)/lib/host/libwasm.a \
		$(O)/tests/spec/wasm-linux-riscv64 \
		$(O)/tests/spec/wasm-linux-ppc64le
	@mkdir -p $(@D)
	@cp $< $@
TAPS += $(O)/tests/spec/needs

# And as a place without an operating system has it.
$(O)/tests/spec/freestanding: tests/spec/freestanding.sh
	@mkdir -p $(@D)
	@cp $< $@
TAPS += $(O)/tests/spec/freestanding
