/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/cpu.h"
#include "shim/common/calls_x86_64.h"
#include "shim/common/linux.h"
#include "shim/x86_64_vm/platform.h"
#include "shim/x86_64_vm/user.h"

enum { MSR_FS_BASE = 0xc0000100 };

/* Where a program keeps its thread's data: exec's half of the addresses, so
 * that the processor takes it. */
static int64_t arch_prctl(const uint64_t *a)
{
	if (a[0] != CALLS_ARCH_SET_FS)
		return -LINUX_EINVAL;
	if (a[1] >= 1ull << 47)
		return -LINUX_EPERM;
	cpu_wrmsr(MSR_FS_BASE, a[1]);
	return 0;
}

int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6])
{
	int64_t own;
	if (number == CALLS_ARCH_PRCTL)
		return arch_prctl(args);
	if (platform_call(number, args, &own))
		return own;
	return personality_call(&u->personality, calls_x86_64(number), args);
}
