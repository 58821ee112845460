/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/traps.h"

#include "arch/ppc64le/cpu.h"
#include "base/fmt.h"
#include "shim/common/calls_ppc64le.h"
#include "shim/pef/host.h"
#include "shim/pef/user.h"

/* CR0's summary overflow: a system call failed. */
#define CR_SO 0x10000000ull

/* --- exceptions --------------------------------------------------------- */

static bool from_user(const struct trap *t)
{
	return t->msr & MSR_PR;
}

static void describe(const struct trap *t, char out[48])
{
	if (from_user(t))
		user_place(&shim_user, t->nip, out);
	else
		fmt(out, 48, "shim+0x%llx",
			(unsigned long long)(t->nip - PEF_SHIM_VA));
}

/* Everything, for who may see it. */
NORETURN static void die_open(const struct trap *t)
{
	shim_crash(
		"interrupt 0x%llx, nip 0x%llx, msr 0x%llx, dar 0x%llx, dsisr "
		"0x%llx, lr 0x%llx, r1 0x%llx, r3 0x%llx, r4 0x%llx, r5 "
		"0x%llx, r6 0x%llx, r9 0x%llx, r12 0x%llx, r13 0x%llx",
		(unsigned long long)t->vector, (unsigned long long)t->nip,
		(unsigned long long)t->msr, (unsigned long long)t->dar,
		(unsigned long long)t->dsisr, (unsigned long long)t->lr,
		(unsigned long long)t->gpr[1], (unsigned long long)t->gpr[3],
		(unsigned long long)t->gpr[4], (unsigned long long)t->gpr[5],
		(unsigned long long)t->gpr[6], (unsigned long long)t->gpr[9],
		(unsigned long long)t->gpr[12], (unsigned long long)t->gpr[13]);
}

NORETURN static void die(const struct trap *t)
{
	char where[48], what[48];
	if (shim_debug())
		die_open(t);
	describe(t, where);
	if (t->vector != VECTOR_DATA)
		shim_crash("exception 0x%llx in %s",
			(unsigned long long)t->vector, where);
	user_place(&shim_user, t->dar, what);
	shim_crash("page fault in %s: %s %s", where,
		t->dsisr & FAULT_WRITE ? "write to" : "read of", what);
}

static void call(struct trap *t)
{
	uint64_t args[6];
	memcpy(args, &t->gpr[3], sizeof args);
	int64_t n = personality_call(&shim_user.personality,
		calls_ppc64le(t->gpr[0]), args);
	bool failed = n < 0 && n >= -4095;
	t->gpr[3] = (uint64_t)(failed ? -n : n);
	t->cr = failed ? t->cr | CR_SO : t->cr & ~CR_SO;
}

/* Code is never missing: what exec may run is there before it may. */
static bool fault(const struct trap *t)
{
	return t->vector == VECTOR_DATA &&
		user_fault(&shim_user, t->dar, t->dsisr);
}

void shim_trap(struct trap *t);
void shim_trap(struct trap *t)
{
	if (from_user(t) && t->vector == VECTOR_CALL)
		call(t);
	else if (!from_user(t) || !fault(t))
		die(t);
}

/* --- the end ------------------------------------------------------------ */

struct vm_report *shim_report(void)
{
	/* Before there are tables, real mode has the same addresses. */
	if (!shim_booted())
		(void)host_share_window();
	return (void *)(TABLES_WINDOW_VA + VM_REPORT_AT);
}

void shim_end(enum vm_event event)
{
	for (;;)
		host_event(event);
}
