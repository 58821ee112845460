# Toolchains: a name, its compiler, its flags.  A component names its own.
#   host   the programs that run on a machine's own system
#   exec   the Keep's program: static-PIE, glibc and OpenSSL linked in
#   exec-riscv64, exec-ppc64le   the same for these (docs/adr/0022)
#   fuzz   clang's libFuzzer, for `make fuzz`
#   wasi   wasm32-wasi, for examples and tests; wasi-threads: with atomics
#   shim   freestanding x86-64 at a high address: the shims' own
#   enclave  freestanding x86-64 at a place of its own: the shim for SGX
#   monitor  freestanding x86-64 at a low address: the software platform's CPU
#   shim-riscv64, monitor-riscv64   freestanding RISC-V: Sanctum's shim and monitor
EXEC_ISAS := riscv64 ppc64le
TOOLCHAINS := host exec $(EXEC_ISAS:%=exec-%) fuzz wasi wasi-threads shim enclave \
	monitor shim-riscv64 robot-riscv64 monitor-riscv64

CSTD := -std=gnu11
MAP  := -ffile-prefix-map=$(CURDIR)/=
PIE  := -fPIE -fstack-protector-strong
HARD := $(PIE) -fstack-clash-protection -fcf-protection=full
OPT  := -O2 -g
ifeq ($(SAN),)
FORTIFY := -D_FORTIFY_SOURCE=3
else
# Many programs, each run a few times: what counts is how fast they are built.
OPT := -O1 -g1
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
SANLINK := -fuse-ld=lld
# The sanitizers' own code makes these two see ghosts.
WARN_GCC := -Wlogical-op -Wno-null-dereference -Wno-stringop-overflow \
	-Wno-maybe-uninitialized
endif

CC.host  := gcc
CXX.host := g++
CF.host  := $(OPT) $(HARD) $(FORTIFY) $(SANFLAGS) $(WARN) $(WARN_GCC) $(MAP)
LF.host  := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(SANFLAGS) $(SANLINK)

CC.exec := gcc
# Nobody unwinds in a Keep: what a debugger needs of that is in debug/exec.
EXEC := -O2 -g -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables
ifeq ($(SAN),)
CF.exec := $(EXEC) $(HARD) $(FORTIFY) $(WARN) $(WARN_GCC) $(MAP)
LF.exec := -static-pie -Wl,--gc-sections,--build-id=none,--no-eh-frame-hdr \
	-Wl,-z,relro,-z,now,-z,noexecstack,-z,pack-relative-relocs,--no-warnings
else
CF.exec := $(CF.host)
LF.exec := $(LF.host)
endif

# As exec, with libraries that are fetched or built once: a toolchain's NEEDS
# come before its objects.  Each with flags of its own, and the linker's.  Places in
# the source are enough for a debugger there: -g1 takes less time.
define exec_isa
CC.exec-$1 := $2-gcc
STRIP.exec-$1 := $2-strip
CF.exec-$1 := $(EXEC:-g=-g1) $(PIE) -fvisibility=hidden -D_FORTIFY_SOURCE=3 $3 \
	-isystem $(O)/sysroot/$1/include $(WARN) $(WARN_GCC) $(MAP)
LF.exec-$1 := -static-pie -Wl,-static,-pie,--no-dynamic-linker,--exclude-libs,ALL \
	-Wl,--gc-sections,--build-id=none,--no-eh-frame-hdr \
	-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	$3 $4 -L$(O)/sysroot/$1/lib -B$(O)/sysroot/$1/lib/
NEEDS.exec-$1 := $(O)/sysroot/$1/versions
$(O)/sysroot/$1/versions: tools/sysroot
	$$(call say,SYSROOT,$1)
	$$(Q)tools/sysroot $1 $$(@D)
endef
$(eval $(call exec_isa,riscv64,riscv64-linux-gnu,-march=rv64gc))
$(eval $(call exec_isa,ppc64le,powerpc64le-linux-gnu,-mcpu=power9 \
	-fstack-clash-protection,-Wl$(comma)-z$(comma)pack-relative-relocs))

CC.fuzz  := clang
CXX.fuzz := clang++
CF.fuzz  := -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer $(WARN) $(MAP)
LF.fuzz  := -fsanitize=fuzzer,address,undefined -fuse-ld=lld

CC.wasi := clang
CF.wasi := --target=wasm32-wasi -O2 -g0 $(WARN)
LF.wasi := --target=wasm32-wasi -Wl,--strip-debug

# The library of Debian was built without: examples/threads.
CC.wasi-threads := clang
CF.wasi-threads := $(CF.wasi) -matomics -mbulk-memory -mthread-model posix
LF.wasi-threads := $(LF.wasi) -Wl,--shared-memory,--import-memory \
	-Wl,--max-memory=16777216,--no-check-features

# No libc, no vector registers: exec's own are in them.
CC.shim := gcc
CF.shim := -Os -g -ffreestanding -fno-builtin -mgeneral-regs-only -mno-red-zone \
	-mcmodel=kernel -fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections \
	-fdata-sections -U_FORTIFY_SOURCE $(WARN) $(filter-out -Wstack-usage=%,$(WARN_GCC)) \
	-Wstack-usage=2048 $(MAP)
LF.shim := -nostdlib -static -no-pie -Wl,-T,src/shim/x86_64_vm/shim.ld \
	-Wl,--build-id=none,--gc-sections,-z,noexecstack,-z,norelro \
	-Wl,--no-warn-rwx-segments

# The same, far from zero: addresses are relative to the instruction.  No value
# that a load may have got wrong is gone on with (docs/adr/0019).
CC.enclave := gcc
LVI := -Wa,-mlfence-after-load=yes,-mlfence-before-indirect-branch=all,-mlfence-before-ret=shl \
	-mindirect-branch-register
CF.enclave := $(filter-out -mcmodel=kernel -fno-pic -fno-pie,$(CF.shim)) -fpie \
	-fvisibility=hidden $(LVI)
LF.enclave := $(subst src/shim/x86_64_vm/shim.ld,src/shim/sgx/sgx.ld,$(LF.shim))

# The software platform's firmware: flat 64-bit memory, no libc, no paging of
# its own but what is as it is.
CC.monitor := gcc
CF.monitor := -O2 -g -ffreestanding -fno-builtin -mgeneral-regs-only -mno-red-zone \
	-fno-pic -fno-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections \
	-fdata-sections -U_FORTIFY_SOURCE $(WARN) $(filter-out -Wstack-usage=%,$(WARN_GCC)) \
	-Wstack-usage=2048 $(MAP)
LF.monitor := -nostdlib -static -no-pie -Wl,-T,src/monitor/x86_64/monitor.ld \
	-Wl,--build-id=none,--gc-sections,-z,noexecstack,-z,norelro \
	-Wl,--no-warn-rwx-segments

# RISC-V, without an operating system: the shim in an enclave's S-mode, which
# leaves floating point to exec, and the security monitor in M-mode, which shares
# OpenSSL's objects and so their calling convention.
BARE.riscv64 := -g -ffreestanding -fno-builtin -mcmodel=medany -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
	-ffunction-sections -fdata-sections -U_FORTIFY_SOURCE $(WARN) \
	$(filter-out -Wstack-usage=%,$(WARN_GCC)) -Wstack-usage=2048 $(MAP)
LINK.riscv64 = -nostdlib -static -no-pie -Wl,-T,$1 -Wl,--build-id=none \
	-Wl,--gc-sections,-z,noexecstack,-z,norelro -Wl,--no-warn-rwx-segments
CC.shim-riscv64 := riscv64-linux-gnu-gcc
CF.shim-riscv64 := -Os -isystem build/riscv64 -march=rv64imac_zicsr_zifencei -mabi=lp64 $(BARE.riscv64)
LF.shim-riscv64 := -march=rv64imac -mabi=lp64 $(call LINK.riscv64,src/shim/riscv64/shim.ld)
# A guest of the tests'.
CC.robot-riscv64 := riscv64-linux-gnu-gcc
CF.robot-riscv64 := $(CF.shim-riscv64) -Itests/unit/soft/guest
LF.robot-riscv64 := -march=rv64imac -mabi=lp64 $(call LINK.riscv64,tests/unit/soft/guest/rv.ld)
CC.monitor-riscv64 := riscv64-linux-gnu-gcc
CF.monitor-riscv64 := -O2 -march=rv64gc -mabi=lp64d $(BARE.riscv64)
LF.monitor-riscv64 := $(call LINK.riscv64,src/monitor/riscv64/monitor.ld)
# Made with NEEDS.exec-riscv64.
CRYPTO_RISCV64 := $(O)/sysroot/riscv64/lib/libcrypto.a
