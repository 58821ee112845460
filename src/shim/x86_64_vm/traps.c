/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/traps.h"

#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "shim/x86_64_vm/boot.h"
#include "shim/x86_64_vm/platform.h"
#include "shim/x86_64_vm/user.h"

enum {
	KERNEL_CODE = 0x08,
	TSS = 0x28,
	GDT_WORDS = 7,
	VECTORS = 256,
	STUB_BYTES = 16
};

/* AMD64 manual, volume 2, §4.8 and §8.9. */
enum { GATE_INTERRUPT = 0x8e, IST_FAULT = 1, IST_VC = 2, IST_MAIN = 3 };

struct task_state { /* §12.2.5 */
	uint8_t reserved_00[4];
	uint8_t rsp0[8];
	uint8_t reserved_0c[0x24 - 0x0c];
	uint8_t ist[7][8];
	uint8_t reserved_5c[10];
	uint16_t io_map;
};
LAYOUT(struct task_state, ist, 0x24);
LAYOUT_SIZE(struct task_state, 0x68);

struct gate {
	uint16_t offset_0;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_16;
	uint32_t offset_32;
	uint32_t reserved_0c;
};
LAYOUT_SIZE(struct gate, 0x10);

extern uint8_t shim_vectors[], stack_main[], stack_fault[], stack_vc[];
extern uint8_t boot_3[]; /* the guard below stack_fault */
void shim_syscall_entry(void);

static struct task_state tss;
static struct gate idt[VECTORS] __attribute__((aligned(16)));
static uint64_t gdt[GDT_WORDS] = { 0,
	0x00af9b000000ffff,   /* 08: the shim's code */
	0x00cf93000000ffff,   /* 10: its data */
	0x00cff3000000ffff,   /* 18: exec's data */
	0x00affb000000ffff }; /* 20: its code */

static bool is_interrupt(uint64_t vector)
{
	return vector >= VECTOR_FIRST_INTERRUPT || vector == VECTOR_NMI;
}

static void set_stack(uint8_t slot[8], const uint8_t *top)
{
	memcpy(slot, &top, sizeof top);
}

static void init_tss(void)
{
	uint64_t base = (uint64_t)&tss;
	set_stack(tss.rsp0, stack_main);
	set_stack(tss.ist[IST_FAULT - 1], stack_fault);
	set_stack(tss.ist[IST_VC - 1], stack_vc);
	set_stack(tss.ist[IST_MAIN - 1], stack_main);
	tss.io_map = sizeof tss; /* none: no port is exec's */
	gdt[TSS / 8] = (sizeof tss - 1) | (base & 0xffffff) << 16 |
		0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[TSS / 8 + 1] = base >> 32;
}

/*
 * Never the stack in use: a host's event may come right behind SYSCALL, when
 * that is still exec's.  What is returned from to the shim itself has a stack
 * of its own; the others end the Keep there, and need nothing of what was on
 * the main one.
 */
static uint8_t stack_of(unsigned vector)
{
	if (vector == VECTOR_VC)
		return IST_VC;
	return vector == VECTOR_DF || vector == VECTOR_MC ||
			is_interrupt(vector) ?
		IST_FAULT :
		IST_MAIN;
}

void traps_init(void)
{
	for (unsigned i = 0; i < VECTORS; i++) {
		unsigned stub =
			i < VECTOR_FIRST_INTERRUPT ? i : VECTOR_FIRST_INTERRUPT;
		uint64_t at = (uint64_t)shim_vectors + stub * STUB_BYTES;
		idt[i] = (struct gate){
			.offset_0 = (uint16_t)at,
			.selector = KERNEL_CODE,
			.ist = stack_of(i),
			.type = GATE_INTERRUPT,
			.offset_16 = (uint16_t)(at >> 16),
			.offset_32 = (uint32_t)(at >> 32),
		};
	}
	init_tss();
	const struct cpu_table g = { .limit = sizeof gdt - 1,
		.base = (uint64_t)gdt };
	const struct cpu_table i = { .limit = sizeof idt - 1,
		.base = (uint64_t)idt };
	cpu_lgdt(&g);
	cpu_lidt(&i);
	cpu_ltr(TSS);
}

void traps_init_syscall(void)
{
	enum { STAR = 0xc0000081, LSTAR = 0xc0000082, SFMASK = 0xc0000084 };
	/* IF, TF, DF, IOPL, NT and AC are off in the shim. */
	const uint64_t mask = 0x47700;
	cpu_wrmsr(STAR, (uint64_t)KERNEL_CODE << 32 | 0x13ull << 48);
	cpu_wrmsr(LSTAR, (uint64_t)shim_syscall_entry);
	cpu_wrmsr(SFMASK, mask);
}

/* --- exceptions ------------------------------------------------------------
 */

static void describe(const struct trap *t, char out[48])
{
	if (trap_from_user(t))
		user_place(&shim_user, t->rip, out);
	else
		fmt(out, 48, "shim+0x%llx",
			(unsigned long long)(t->rip - VM_SHIM_VA));
}

/* Everything, for who may see it. */
NORETURN static void die_open(const struct trap *t, uint64_t at)
{
	shim_crash("exception %llu, error 0x%llx, rip 0x%llx, rsp 0x%llx, cr2 "
		   "0x%llx, rax 0x%llx, rbx 0x%llx, rcx 0x%llx, rdx 0x%llx, "
		   "rsi 0x%llx, rdi 0x%llx, rbp 0x%llx, r8 0x%llx, r9 0x%llx",
		(unsigned long long)t->vector, (unsigned long long)t->error,
		(unsigned long long)t->rip, (unsigned long long)t->rsp,
		(unsigned long long)at, (unsigned long long)t->rax,
		(unsigned long long)t->rbx, (unsigned long long)t->rcx,
		(unsigned long long)t->rdx, (unsigned long long)t->rsi,
		(unsigned long long)t->rdi, (unsigned long long)t->rbp,
		(unsigned long long)t->r8, (unsigned long long)t->r9);
}

NORETURN static void die(const struct trap *t, uint64_t at)
{
	char where[48], what[48];
	if (shim_debug())
		die_open(t, at);
	describe(t, where);
	/* An address of exec's is nothing for a host, who may have sent this
	 * fault to learn of the one before. */
	if (at >> 63)
		fmt(what, sizeof what, "0x%llx", (unsigned long long)at);
	else
		user_place(&shim_user, at, what);
	if (t->vector == VECTOR_PF)
		shim_crash("page fault 0x%llx at %s, in %s",
			(unsigned long long)t->error, where, what);
	shim_crash("exception %llu, error 0x%llx, at %s",
		(unsigned long long)t->vector, (unsigned long long)t->error,
		where);
}

/*
 * A host chooses an event's vector, and on its own whether an error code
 * comes with it (§15.20): one too few or too many shifts the frame by half of
 * what the processor aligns it to.
 */
static void check_frame(const struct trap *t)
{
	if ((uint64_t)t % 16)
		shim_crash("an event of the host's, whose form is none");
}

/* Nobody here waits for an interrupt: one that a host sends all the same
 * changes nothing.  One within another has overwritten its frame. */
static void interrupted(const struct trap *t)
{
	if (!trap_from_user(t) && t->rsp <= (uint64_t)stack_fault &&
		t->rsp > (uint64_t)boot_3)
		shim_crash("an interrupt of the host's within another");
}

void shim_trap(struct trap *t);
void shim_trap(struct trap *t)
{
	uint64_t at = cpu_read_cr2();
	check_frame(t);
	if (platform_trap(t))
		return;
	if (is_interrupt(t->vector)) {
		interrupted(t);
		return;
	}
	if (t->vector == VECTOR_PF && trap_from_user(t) &&
		user_fault(&shim_user, at, t->error))
		return;
	die(t, at);
}

int64_t shim_syscall(uint64_t number, const uint64_t args[6]);
int64_t shim_syscall(uint64_t number, const uint64_t args[6])
{
	return user_call(&shim_user, number, args);
}

/* --- the end ---------------------------------------------------------------
 */

struct vm_report *shim_report(void)
{
	/* Before there are tables, nobody can be told. */
	return shim_booted() ? (void *)(TABLES_WINDOW_VA + VM_REPORT_AT) : NULL;
}

void shim_end(enum vm_event event)
{
	platform_event(event);
	for (;;)
		cpu_hlt();
}
