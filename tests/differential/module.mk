# Modules made by binaryen's fuzzer, run by this engine and by node; see
# run.py.  Not part of `make check`: it wants node.
$(call program,tests/differential/run,host,tests/differential/run.c,wasm base)
# The verifier beside other people's: tests/differential/attest.py.
CF-tests/differential/attest := -Iinclude
$(call program,tests/differential/attest,host,tests/differential/attest.c,attest_api $(VERIFY_LIBS),-lcrypto -ljansson)
