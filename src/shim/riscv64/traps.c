/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/riscv64/traps.h"

#include "arch/riscv64/csr.h"
#include "base/fmt.h"
#include "shim/riscv64/boot.h"

enum { ECALL_BYTES = 4 };

/* Everything, for who may see it. */
NORETURN static void die_open(const struct trap *t, uint64_t cause, uint64_t at)
{
	shim_crash("exception %llu, pc 0x%llx, address 0x%llx, ra 0x%llx, sp "
		   "0x%llx, a0 0x%llx, a1 0x%llx, a2 0x%llx, a3 0x%llx, a4 "
		   "0x%llx, a5 0x%llx",
		(unsigned long long)cause, (unsigned long long)t->pc,
		(unsigned long long)at, (unsigned long long)t->x[1],
		(unsigned long long)t->x[2], (unsigned long long)t->x[10],
		(unsigned long long)t->x[11], (unsigned long long)t->x[12],
		(unsigned long long)t->x[13], (unsigned long long)t->x[14],
		(unsigned long long)t->x[15]);
}

NORETURN static void die(const struct trap *t, uint64_t cause, uint64_t at)
{
	char where[48], what[48];
	if (shim_debug())
		die_open(t, cause, at);
	user_place(&shim_user, t->pc, where);
	user_place(&shim_user, at, what);
	shim_crash("exception %llu at %s, address in %s",
		(unsigned long long)cause, where, what);
}

static bool is_page_fault(uint64_t cause)
{
	return cause == CAUSE_FETCH_PAGE || cause == CAUSE_LOAD_PAGE ||
		cause == CAUSE_STORE_PAGE;
}

void shim_trap(struct trap *t);
void shim_trap(struct trap *t)
{
	uint64_t cause = csr_read(scause), at = csr_read(stval);
	if (cause == CAUSE_CALL) {
		const uint64_t *args = &t->x[TRAP_A0];
		t->pc += ECALL_BYTES;
		t->x[TRAP_A0] =
			(uint64_t)user_call(&shim_user, t->x[TRAP_A7], args);
		return;
	}
	if (is_page_fault(cause) && user_fault(&shim_user, at, cause))
		return;
	die(t, cause, at);
}

/* Nothing that the shim does traps. */
NORETURN void shim_trap_inside(void);
NORETURN void shim_trap_inside(void)
{
	uint64_t pc = csr_read(sepc), at = csr_read(stval);
	shim_crash("exception %llu at shim+0x%llx, address 0x%llx",
		(unsigned long long)csr_read(scause),
		(unsigned long long)(pc - SHIM_VA), (unsigned long long)at);
}

/* --- the end ------------------------------------------------------------ */

struct vm_report *shim_report(void)
{
	/* Before there are tables, nobody can be told. */
	return shim_booted() ? (void *)(TABLES_WINDOW_VA + VM_REPORT_AT) : NULL;
}

void shim_end(enum vm_event event)
{
	for (;;)
		platform_event(event);
}
