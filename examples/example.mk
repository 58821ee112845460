# SPDX-License-Identifier: Apache-2.0
# What the examples' Makefiles share: they set LANGUAGE and, below this, say
# how $(WASM) is made.  O= is the output folder, as everywhere.
O ?= ../../out
OUT := $(O)/examples
WASM := $(OUT)/$(LANGUAGE).wasm
TOOLS := $(abspath ../../out/toolchains)

## make               installs the toolchain if need be, and builds
all: tools
	@$(MAKE) --no-print-directory $(WASM)

tools:
	@$(or $(TOOLCHAIN),../toolchain $(LANGUAGE))

## make run           runs it in a Keep of this machine
run: all
	$(O)/bin/donjon run --config Donjon.toml $(WASM)

clean:
	rm -f $(WASM)

$(WASM): Makefile | $(OUT)
$(OUT):
	mkdir -p $@

.PHONY: all tools run clean
.DELETE_ON_ERROR:
