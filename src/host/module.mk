# donjond and donjon-keep: all but their main files is one library.
HOST_MAINS := src/host/donjond_main.c src/host/keep_main.c
$(call library,host,$(filter-out $(HOST_MAINS),$(wildcard src/host/*.c)),host fuzz)
$(call unit,host,host json codec base,-ljansson)
$(call fuzzer,control,host json codec base,-ljansson)
$(call program,bin/donjon-keep,host,src/host/keep_main.c,host hal soft device enclave json crypto codec base,-ljansson -lseccomp -lcrypto)
$(call program,bin/donjond,host,src/host/donjond_main.c,host hal soft device enclave json crypto codec base,-lmicrohttpd -lgnutls -ljansson -lseccomp -lcrypto)
$(call library,gate_serve,$(wildcard src/host/gate_*.c),fuzz host)
$(call fuzzer,gate_serve,gate_serve base)
$(call fuzzer,ask,host json codec base,-ljansson)
