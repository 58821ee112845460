/* SPDX-License-Identifier: Apache-2.0 */
/* The shims' numbers of system calls are those that the C library of that ISA
 * makes calls with; and there are no others. */
#include <stdio.h>
#include <sys/syscall.h>

#ifdef __riscv
#include "shim/common/calls_riscv64.h"
#define numbers calls_riscv64
#else
#include "shim/common/calls_ppc64le.h"
#define numbers calls_ppc64le
#endif

enum { FAR = 1024 };

static const struct {
	uint64_t number;
	enum call call;
} wanted[] = {
	{ SYS_read, CALL_READ },
	{ SYS_write, CALL_WRITE },
	{ SYS_mmap, CALL_MMAP },
	{ SYS_mprotect, CALL_MPROTECT },
	{ SYS_munmap, CALL_MUNMAP },
	{ SYS_mremap, CALL_MREMAP },
	{ SYS_madvise, CALL_MADVISE },
	{ SYS_brk, CALL_BRK },
	{ SYS_clock_gettime, CALL_CLOCK_GETTIME },
	{ SYS_clock_getres, CALL_CLOCK_GETRES },
	{ SYS_gettimeofday, CALL_GETTIMEOFDAY },
	{ SYS_getrandom, CALL_GETRANDOM },
	{ SYS_getpid, CALL_GETPID },
	{ SYS_gettid, CALL_GETPID },
	{ SYS_getuid, CALL_GETUID },
	{ SYS_geteuid, CALL_GETUID },
	{ SYS_getgid, CALL_GETUID },
	{ SYS_getegid, CALL_GETUID },
	{ SYS_set_tid_address, CALL_SET_TID_ADDRESS },
	{ SYS_futex, CALL_FUTEX },
	{ SYS_prlimit64, CALL_PRLIMIT64 },
	{ SYS_rt_sigaction, CALL_SIGNAL },
	{ SYS_rt_sigprocmask, CALL_SIGNAL },
	{ SYS_sigaltstack, CALL_SIGNAL },
	{ SYS_mlock, CALL_NOTHING },
	{ SYS_munlock, CALL_NOTHING },
	{ SYS_prctl, CALL_NOTHING },
	{ SYS_set_robust_list, CALL_NOTHING },
	{ SYS_seccomp, CALL_NOTHING },
	{ SYS_sysinfo, CALL_SYSINFO },
	{ SYS_rseq, CALL_SYSINFO },
	{ SYS_tgkill, CALL_KILL },
	{ SYS_exit, CALL_EXIT },
	{ SYS_exit_group, CALL_EXIT },
#ifdef SYS_readlink
	{ SYS_readlink, CALL_READLINK },
#else
	{ SYS_readlinkat, CALL_READLINK },
#endif
#ifdef SYS_time
	{ SYS_time, CALL_TIME },
#endif
};

static enum call of(uint64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (wanted[i].number == number)
			return wanted[i].call;
	return CALL_UNKNOWN;
}

int main(void)
{
	bool ok = numbers(UINT64_MAX) == CALL_UNKNOWN;
	for (uint64_t n = 0; n < FAR; n++) {
		if (numbers(n) == of(n))
			continue;
		printf("# %llu: %d, not %d\n", (unsigned long long)n,
			numbers(n), of(n));
		ok = false;
	}
	printf("1..1\n%s 1 - the calls that exec makes have their numbers\n",
		ok ? "ok" : "not ok");
	return !ok;
}
