# Modules made by binaryen's fuzzer, run by this engine and by node; see
# run.py.  Not part of `make check`: it wants node.
$(call program,tests/differential/run,host,tests/differential/run.c,wasm base)
