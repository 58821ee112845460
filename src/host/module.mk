# donjond and donjon-keep: all but their main files is one library.
HOST_MAINS := src/host/donjond_main.c src/host/keep_main.c
$(call library,host,$(filter-out $(HOST_MAINS),$(wildcard src/host/*.c)),host fuzz)
$(call unit,host,host hal soft esm device enclave json crypto codec rule base,-ljansson -lseccomp -lprotobuf-c -lcrypto)
$(call fuzzer,control,control json codec rule base,-ljansson)
$(call program,bin/donjon-keep,host,src/host/keep_main.c,host hal soft esm device enclave json crypto codec rule base,-ljansson -lseccomp -lprotobuf-c -lcrypto)
$(call program,bin/donjond,host,src/host/donjond_main.c,host hal soft esm device enclave json crypto codec rule base,-lmicrohttpd -lgnutls -ljansson -lseccomp -lprotobuf-c -lcrypto)
$(call library,control,src/host/control.c,fuzz host)
$(call library,ask,src/host/ask.c,fuzz host)
$(call library,gate_serve,$(wildcard src/host/gate_*.c),fuzz host)
$(call fuzzer,gate_serve,gate_serve rule base)
$(call fuzzer,ask,ask json codec rule base,-ljansson)
