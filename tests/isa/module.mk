# exec of other ISAs in whole runs: tests/e2e/test_isa.py, by a loader that runs
# it in qemu-user.  It is exec to the last object but for its seccomp filter.
ISA_TEST := tests/isa
$(call program,$(ISA_TEST)/donjon-keep,host,src/host/keep_main.c $(ISA_TEST)/loader.c,host hal soft esm device enclave json crypto codec rule base,-Wl$(comma)--wrap=process_image_load -Wl$(comma)--wrap=process_spawn -ljansson -lseccomp -lcrypto -lprotobuf-c)
define isa_test_exec
$(call EXEC_ISA,$(ISA_TEST)/$1/process/exec,$1,$(ISA_TEST)/confine.c)
tests: $(O)/$(ISA_TEST)/$1/process/exec $(O)/keep/$1/exec
endef
ifeq ($(SAN),)
tests: $(O)/$(ISA_TEST)/donjon-keep
endif
$(foreach i,$(EXEC_ISAS),$(if $(call without,$i),,$(eval $(call isa_test_exec,$i))))

# The numbers of system calls, compared with the C library's.
$(foreach i,$(EXEC_ISAS),$(call emulated,tests/isa/calls-$i,$i,tests/isa/calls.c src/shim/common/calls_$i.c))

# Unit tests of what the processor or its libraries could change, as they are.
# $(call ISA_UNIT,ISA,MODULE,SOURCES,LIBRARIES,SYSTEM LIBRARIES)
ISA_UNIT = $(call emulated,tests/isa/unit-$1-$(subst /,-,$2),$1,$(wildcard tests/unit/$2/*.c tests/unit/$2/helpers/*.c) tests/unit/main.c tests/isa/cmocka.c $3,$4,$5)
define isa_units
CF.exec-$1 += -isystem tests/isa
$(call ISA_UNIT,$1,crypto,,crypto base,-lcrypto)
$(call ISA_UNIT,$1,shim/common,$(filter-out %/paging.c,$(SHIM_HOSTED)),base)
endef
$(foreach i,$(EXEC_ISAS),$(eval $(call isa_units,$i)))
