# SPDX-License-Identifier: Apache-2.0
# One make, many toolchains.  `make help` lists what it can do.
.DEFAULT_GOAL := all
include build/rules.mk
include $(sort $(wildcard src/*/module.mk src/*/*/module.mk tests/module.mk \
	tests/*/module.mk fuzz/module.mk bench/module.mk examples/module.mk))

## make               build everything into out/
all: $(ALL)

units: $(UNITS)

## make help          this list
help:
	@sed -n 's/^## //p' Makefile build/*.mk

## make clean         remove the output folder
clean:
	rm -rf $(O) compile_commands.json

compile_commands.json: all
	@{ echo '['; find $(O)/obj/host $(O)/obj/exec -name '*.cmd' | sort | \
	   xargs cat | sed '$$!s/$$/,/'; echo ']'; } > $@

.PHONY: all units help clean
.DELETE_ON_ERROR:
