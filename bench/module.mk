BENCHES += $(O)/bench/channel
$(call program,bench/channel,host,bench/channel.c,channel crypto base,-lssl -lcrypto)

# bench-wasi: programs for a Keep and, of the same sources, for this machine.
WASI_BENCHES := $(patsubst %,$(O)/bench/wasi/%,files http echo load files.wasm http.wasm)
$(call program,bench/wasi/files.wasm,wasi,bench/wasi/files.c,,)
$(call program,bench/wasi/http.wasm,wasi,bench/wasi/http.c,,)
$(call program,bench/wasi/files,host,bench/wasi/files.c,,)
$(call program,bench/wasi/http,host,bench/wasi/http.c,,)
$(call program,bench/wasi/echo,host,tests/wasm/echo.c,,)
$(call program,bench/wasi/load,host,bench/wasi/load.c,,-lssl -lcrypto)
