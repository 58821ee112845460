# A tool for developers, not installed and never part of a Keep.
$(call program,bin/donjon-wasm,host,$(wildcard src/dev/*.c),wasi memfs wasm base)
