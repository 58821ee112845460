# SPDX-License-Identifier: Apache-2.0
# C with setjmp for WebAssembly: clang 19, exceptions.
SJLJ := clang-19 --target=wasm32-wasi -O2 -w -I../setjmp -include wasi.h \
	-mllvm -wasm-enable-sjlj -mexception-handling \
	-D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS
SJLJ_LIBS := -lwasi-emulated-signal -lwasi-emulated-process-clocks -lm
SETJMP := ../setjmp/setjmp.c

$(WASM): $(wildcard ../setjmp/*)
