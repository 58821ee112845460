# exec, the program inside a Keep.  All but its start is one library.
KEEP_MAINS := src/keep/main.c src/keep/confine.c src/keep/calls.c \
	src/keep/start.c src/keep/start_%.c \
	src/memfs/memfs.c
KEEP_LIBS := keep wasi wasm memfs channel judge attest json crypto codec rule \
	base
$(call library,keep,$(filter-out $(KEEP_MAINS),$(wildcard src/keep/*.c)))

# What is measured and installed is stripped; exec.debug has the symbols.
EXEC_WRAP := read write clock_gettime time getpid __mmap __munmap __mremap \
	__brk
EXEC_LINK := -lssl -lcrypto -ljansson $(if $(SAN),,$(EXEC_WRAP:%=-Wl,--wrap=%))
$(call program,debug/exec,exec,src/keep/main.c src/keep/confine.c src/keep/calls.c,$(KEEP_LIBS),$(EXEC_LINK))
ALL += $(O)/keep/process/exec
$(O)/keep/process/exec: $(O)/debug/exec
	$(call say,STRIP,$@)
	@mkdir -p $(@D)
	$(Q)$(if $(SAN),cp,strip -s -o $@) $< $(if $(SAN),$@)

# The same on other ISAs, for whoever has their compilers: not part of `all`.
# $(call EXEC_ISA,OUTPUT,ISA,WHAT CONFINES IT)
EXEC_ISA = $(call program_,$1,exec-$2,src/keep/main.c $3 src/keep/calls.c $(call START,$2),$(KEEP_LIBS),$(EXEC_LINK) $(START_LINK))
define exec_of_isa
$(call EXEC_ISA,debug/exec-$1,$1,src/keep/confine.c)
$(O)/keep/$1/exec: $(O)/debug/exec-$1
	$$(call say,STRIP,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(STRIP.exec-$1) -s -o $$@ $$<
endef
$(foreach i,$(EXEC_ISAS),$(eval $(call exec_of_isa,$i)))
# Its addresses are not yet those that the program runs at.
CF-src/keep/start := -fno-stack-protector -fno-builtin \
	-fno-tree-loop-distribute-patterns

KEEP_UNIT = $(call program,tests/unit/keep/$1,host,tests/unit/keep/$1.c \
	tests/unit/main.c $3,$2,$4 -lcmocka)$(eval UNITS += $(O)/tests/unit/keep/$1)
$(call KEEP_UNIT,clock,keep base)
$(call KEEP_UNIT,ring,keep base)
$(call KEEP_UNIT,streams,keep base)
$(call KEEP_UNIT,gate,keep rule base,tests/unit/keep/helpers/host.c)
$(call KEEP_UNIT,workload,keep memfs channel crypto base,,-lcrypto)
$(call KEEP_UNIT,snp,keep crypto base,,-lcrypto)
$(call KEEP_UNIT,tdx,keep base)
$(call KEEP_UNIT,pef,keep crypto base,,-lcrypto)
$(call fuzzer,workload,keep memfs channel crypto base,-lcrypto)
$(call KEEP_UNIT,keep,$(KEEP_LIBS),$(wildcard tests/unit/keep/helpers/*.c),-lssl -lcrypto -ljansson)
$(call KEEP_UNIT,socket,$(KEEP_LIBS),tests/unit/keep/helpers/host.c,-lssl -lcrypto -ljansson)
$(O)/tests/unit/keep/keep: | $(patsubst tests/wasm/%.c,$(O)/tests/wasm/%.wasm,$(wildcard tests/wasm/*.c))
$(call KEEP_UNIT,confine,json codec base,src/keep/confine.c,-ljansson)
