/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/calls_ppc64le.h"

/* arch/powerpc/kernel/syscalls/syscall.tbl: only what exec and a static glibc's
 * start use. */
/* clang-format off */
static const uint8_t calls[] = {
	[1] = CALL_EXIT,
	[3] = CALL_READ,
	[4] = CALL_WRITE,
	[13] = CALL_TIME,
	[20] = CALL_GETPID,
	[24] = CALL_GETUID,
	[45] = CALL_BRK,
	[47] = CALL_GETUID,           /* getgid */
	[49] = CALL_GETUID,           /* geteuid */
	[50] = CALL_GETUID,           /* getegid */
	[78] = CALL_GETTIMEOFDAY,
	[85] = CALL_READLINK,
	[90] = CALL_MMAP,
	[91] = CALL_MUNMAP,
	[116] = CALL_SYSINFO,
	[125] = CALL_MPROTECT,
	[150] = CALL_NOTHING,         /* mlock */
	[151] = CALL_NOTHING,         /* munlock */
	[163] = CALL_MREMAP,
	[171] = CALL_NOTHING,         /* prctl */
	[173] = CALL_SIGNAL,          /* rt_sigaction */
	[174] = CALL_SIGNAL,          /* rt_sigprocmask */
	[185] = CALL_SIGNAL,          /* sigaltstack */
	[205] = CALL_MADVISE,
	[207] = CALL_GETPID,          /* gettid */
	[221] = CALL_FUTEX,
	[232] = CALL_SET_TID_ADDRESS,
	[234] = CALL_EXIT,            /* exit_group */
	[246] = CALL_CLOCK_GETTIME,
	[247] = CALL_CLOCK_GETRES,
	[250] = CALL_KILL,            /* tgkill */
	[300] = CALL_NOTHING,         /* set_robust_list */
	[325] = CALL_PRLIMIT64,
	[358] = CALL_NOTHING,         /* seccomp */
	[359] = CALL_GETRANDOM,
	[387] = CALL_SYSINFO,         /* rseq: glibc does without */
};
/* clang-format on */

enum call calls_ppc64le(uint64_t number)
{
	return number < ARRAY_LEN(calls) ? calls[number] : CALL_UNKNOWN;
}
