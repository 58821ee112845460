# A program in C for a Keep: clang, wasi-libc and lld of Debian.
$(call program,examples/hello.wasm,wasi,examples/c/hello.c,,)
