/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/calls_riscv64.h"

/* include/uapi/asm-generic/unistd.h: only what exec and a static glibc's
 * start use. */
/* clang-format off */
static const uint8_t calls[] = {
	[63] = CALL_READ,
	[64] = CALL_WRITE,
	[78] = CALL_READLINK,         /* readlinkat */
	[93] = CALL_EXIT,
	[94] = CALL_EXIT,             /* exit_group */
	[96] = CALL_SET_TID_ADDRESS,
	[98] = CALL_FUTEX,
	[99] = CALL_NOTHING,          /* set_robust_list */
	[113] = CALL_CLOCK_GETTIME,
	[114] = CALL_CLOCK_GETRES,
	[131] = CALL_KILL,            /* tgkill */
	[132] = CALL_SIGNAL,          /* sigaltstack */
	[134] = CALL_SIGNAL,          /* rt_sigaction */
	[135] = CALL_SIGNAL,          /* rt_sigprocmask */
	[167] = CALL_NOTHING,         /* prctl */
	[169] = CALL_GETTIMEOFDAY,
	[172] = CALL_GETPID,
	[174] = CALL_GETUID,
	[175] = CALL_GETUID,          /* geteuid */
	[176] = CALL_GETUID,          /* getgid */
	[177] = CALL_GETUID,          /* getegid */
	[178] = CALL_GETPID,          /* gettid */
	[179] = CALL_SYSINFO,
	[214] = CALL_BRK,
	[215] = CALL_MUNMAP,
	[216] = CALL_MREMAP,
	[222] = CALL_MMAP,
	[226] = CALL_MPROTECT,
	[228] = CALL_NOTHING,         /* mlock */
	[229] = CALL_NOTHING,         /* munlock */
	[233] = CALL_MADVISE,
	[261] = CALL_PRLIMIT64,
	[277] = CALL_NOTHING,         /* seccomp */
	[278] = CALL_GETRANDOM,
	[293] = CALL_SYSINFO,         /* rseq: glibc does without */
};
/* clang-format on */

enum call calls_riscv64(uint64_t number)
{
	return number < ARRAY_LEN(calls) ? calls[number] : CALL_UNKNOWN;
}
