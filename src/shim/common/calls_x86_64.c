/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/calls_x86_64.h"

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

enum call calls_x86_64(uint64_t number)
{
	return number < ARRAY_LEN(calls) ? calls[number] : CALL_UNKNOWN;
}
