/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/cpu.h"
#include "shim/common/linux.h"
#include "shim/x86_64_vm/user.h"

/* arch/x86/entry/syscalls/syscall_64.tbl: only what exec and a static glibc's
 * start use. */
/* clang-format off */
static const uint8_t calls[] = {
	[0] = CALL_READ,             [1] = CALL_WRITE,
	[9] = CALL_MMAP,             [10] = CALL_MPROTECT,
	[11] = CALL_MUNMAP,          [12] = CALL_BRK,
	[13] = CALL_SIGNAL,          /* rt_sigaction */
	[14] = CALL_SIGNAL,          /* rt_sigprocmask */
	[25] = CALL_MREMAP,          [28] = CALL_MADVISE,
	[39] = CALL_GETPID,          [60] = CALL_EXIT,
	[89] = CALL_READLINK,        [96] = CALL_GETTIMEOFDAY,
	[99] = CALL_SYSINFO,
	[102] = CALL_GETUID,         [104] = CALL_GETUID, /* getgid */
	[107] = CALL_GETUID,         [108] = CALL_GETUID, /* geteuid, getegid */
	[131] = CALL_SIGNAL,         /* sigaltstack */
	[149] = CALL_NOTHING,        [150] = CALL_NOTHING, /* mlock, munlock */
	[157] = CALL_NOTHING,        /* prctl */
	[186] = CALL_GETPID,         /* gettid */
	[201] = CALL_TIME,           [202] = CALL_FUTEX,
	[218] = CALL_SET_TID_ADDRESS,
	[228] = CALL_CLOCK_GETTIME,  [229] = CALL_CLOCK_GETRES,
	[231] = CALL_EXIT,           /* exit_group */
	[234] = CALL_KILL,           /* tgkill */
	[273] = CALL_NOTHING,        /* set_robust_list */
	[302] = CALL_PRLIMIT64,      [317] = CALL_NOTHING, /* seccomp */
	[318] = CALL_GETRANDOM,
	[334] = CALL_SYSINFO,        /* rseq: glibc does without */
};
/* clang-format on */

enum { ARCH_PRCTL = 158, ARCH_SET_FS = 0x1002, MSR_FS_BASE = 0xc0000100 };

/* Where a program keeps its thread's data: exec's half of the addresses, so
 * that the processor takes it. */
static int64_t arch_prctl(const uint64_t *a)
{
	if (a[0] != ARCH_SET_FS)
		return -LINUX_EINVAL;
	if (a[1] >= 1ull << 47)
		return -LINUX_EPERM;
	cpu_wrmsr(MSR_FS_BASE, a[1]);
	return 0;
}

int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6])
{
	if (number == ARCH_PRCTL)
		return arch_prctl(args);
	return personality_call(&u->personality,
		number < ARRAY_LEN(calls) ? calls[number] : CALL_UNKNOWN, args);
}
