# The non-recursive graph.  A folder's module.mk names components; this file
# knows how to make them.  O= chooses the output folder, SAN=address,undefined
# the sanitizer variant, V=1 shows commands.
O    ?= out
SAN  ?=
Q    := $(if $(V),,@)
say   = $(if $(V),,@printf '  %-8s %s\n' '$1' '$2')
comma := ,

include build/warnings.mk
include build/toolchains.mk

ALL   :=
UNITS :=
FUZZERS :=
REPLAYS :=
TAPS  :=

INC = -Isrc -I$(O)/gen -D_GNU_SOURCE -DDONJON_VERSION='"$(VERSION)"'
VERSION := $(shell cat VERSION)

# --- objects, one set of rules for each toolchain --------------------------
define objrule
$(O)/obj/$1/%.c.o: %.c | $$(NEEDS.$1)
	$$(call say,CC.$1,$$<)
	@mkdir -p $$(@D)
	$(Q)$$(CC.$1) $(CSTD) $(WARN_C) $$(CF.$1) $$(INC) $$(CF-$$*) -MMD -MP -c -o $$@ $$<
	@printf '{"directory":"%s","file":"%s","command":"%s"}\n' '$$(CURDIR)' '$$<' '$$(CC.$1) $(CSTD) $(WARN_C) $$(CF.$1) $$(subst ",\\\\",$$(INC)) -c $$<' > $$(@:.o=.cmd)
$(O)/obj/$1/%.cc.o: %.cc
	$$(call say,CXX.$1,$$<)
	@mkdir -p $$(@D)
	$(Q)$$(CXX.$1) -std=c++17 $$(filter-out -Wnull-dereference -Wduplicated-branches -Wstack-usage=%,$$(CF.$1)) $$(INC) -MMD -MP -c -o $$@ $$<
$(O)/obj/$1/%.S.o: %.S
	$$(call say,AS.$1,$$<)
	@mkdir -p $$(@D)
	$(Q)$$(CC.$1) $$(CF.$1) $$(INC) $$(CF-$$*) -MMD -MP -c -o $$@ $$<
endef
$(foreach t,$(TOOLCHAINS),$(eval $(call objrule,$t)))

# Sanitized, exec is built as host programs are: one set of objects for both.
built_by = $(if $(SAN),$(patsubst exec,host,$1),$1)

# In one order, whatever language `wildcard` sorts by: what is measured is linked
# of them.
objs = $(patsubst %,$(O)/obj/$1/%.o,$(sort $2))
libs = $(foreach l,$2,$(O)/lib/$1/lib$l.a)

# $(call library,NAME,SOURCES[,TOOLCHAINS[,SOURCES OF OTHER ISAS]]): a static
# library for each toolchain, made when something links it; exec's, for each ISA.
define library_for
$(O)/lib/$2/lib$1.a: $(call objs,$2,$3) $(lastword $(filter %/module.mk,$(MAKEFILE_LIST)))
	$$(call say,AR.$2,$$@)
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcsD $$@ $$(filter %.o,$$^)
-include $(patsubst %.o,%.d,$(call objs,$2,$3))
endef
library = $(eval SRC.$1 := $2)$(call library_,$1,$2,$(or $3,host exec fuzz),$(or $4,$2))
library_ = $(foreach t,$(sort $(call built_by,$3)),$(eval $(call library_for,$1,$t,$2)))$(if \
	$(filter exec,$3),$(foreach i,$(EXEC_ISAS),$(eval $(call library_for,$1,exec-$i,$4))))

# $(call program,OUTPUT,TOOLCHAIN,SOURCES,LIBRARIES,SYSTEM LIBRARIES)
# OUTPUT is below $(O); what goes to bin/ or keep/ is made by plain `make`.
define program_
$(O)/$1: $(call objs,$2,$3) $(call libs,$2,$4) $(NEEDS.$2)
	$$(call say,LD.$2,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(if $$(filter %.cc,$3 $$(foreach l,$4,$$(SRC.$$l))),$$(CXX.$2),$$(CC.$2)) $$(LF.$2) -o $$@ $(call objs,$2,$3) $(if $4,-Wl$(comma)--start-group $(call libs,$2,$4) -Wl$(comma)--end-group) $5
-include $(patsubst %.o,%.d,$(call objs,$2,$3))
endef
program = $(eval $(call program_,$1,$(call built_by,$2),$3,$4,$5))$(if $(filter bin/% keep/%,$1),$(eval ALL += $(O)/$1))

# $(call unit,MODULE,LIBRARIES,SYSTEM LIBRARIES): each file in
# tests/unit/MODULE becomes a test program; `helpers` hold what they share.
define unit_
UNITS += $(O)/tests/unit/$1/$2
$(call program,tests/unit/$1/$2,host,tests/unit/$1/$2.c tests/unit/main.c $(wildcard tests/unit/$1/helpers/*.c),$3,$4 -lcmocka)
endef
unit = $(foreach f,$(basename $(notdir $(sort $(wildcard tests/unit/$1/*.c)))),$(eval $(call unit_,$1,$f,$2,$3)))

# $(call fuzzer,NAME,LIBRARIES,SYSTEM LIBRARIES): fuzz/NAME.c defines
# LLVMFuzzerTestOneInput.  Built with libFuzzer for `make fuzz`, and with the
# host's toolchain to replay fuzz/corpus/NAME in `make check`.
define fuzzer_
FUZZERS += $(O)/fuzz/$1
REPLAYS += $(O)/tests/replay/$1
$(call program,fuzz/$1,fuzz,fuzz/$1.c,$2,$3)
$(call program,tests/replay/$1,host,fuzz/$1.c fuzz/replay.c,$2,$3)
endef
fuzzer = $(eval $(call fuzzer_,$1,$2,$3))

# $(call emulated,OUTPUT,ISA,SOURCES,LIBRARIES,SYSTEM LIBRARIES): a program of
# TAP on another ISA, that runs itself below qemu-user, or says why it can't.
hash := \#
define emulated_script
$(O)/$1: $2
	@mkdir -p $$(@D)
	@printf '#!/bin/sh\n%s\n' '$3' > $$@
	@chmod +x $$@
TAPS += $(O)/$1
endef
define emulated_
$(call program_,$1.elf,exec-$2,$3 $(call START,$2),$4,$5 $(START_LINK))
$(call emulated_script,$1,$(O)/$1.elf,exec qemu-$2-static "$$$$0.elf" "$$$$@")
endef
emulated_skip = $(call emulated_script,$1,,echo "ok 1 - $1 $(hash) SKIP $2")
# Why there are no programs for an ISA; empty: there are.  WITHOUT= names those
# for which Debian's archive had no libraries.
without = $(if $(SAN),emulated machines run plain builds,$(if $(filter $1,$(WITHOUT)),no libraries for $1,$(if $(shell command -v $(CC.exec-$1)),,there is no $(CC.exec-$1))))
emulated = $(eval $(if $(call without,$2),$(call emulated_skip,$1,$(call without,$2)),$(call emulated_,$1,$2,$3,$4,$5)))
# How a program of such an ISA starts (docs/exec.md).
START = src/keep/start.c src/keep/start_$1.c src/keep/start_$1.S
START_LINK := -Wl,-e,keep_start
