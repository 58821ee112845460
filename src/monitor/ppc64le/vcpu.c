/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/ppc64le/cpu.h"
#include "monitor/ppc64le/monitor.h"
#include "spec/papr.h"

/* The logical partitioning control register (book III, §2.2). */
#define LPCR_RADIX (1ull << 20)
#define LPCR_UPRT  (1ull << 22) /* processes' tables are in memory */
#define LPCR_GTSE  (1ull << 10) /* the guest forgets for itself */
#define LPCR_ILE   (1ull << 25) /* the guest's interrupts: little-endian */

#define PARTITION 1u /* number of the guest's; 0 is the monitor's */

/* How often a bell is looked for while the guest runs: 2 ms of 512 MHz. */
#define LOOK_TICKS 1024000u

enum {
	VECTOR_PROGRAM = 0x700,
	VECTOR_DECREMENTER = 0x980,
	VECTOR_CALL = 0xc00,
	VECTOR_DATA = 0xe00,
	VECTOR_FETCH = 0xe20,
	VECTOR_ILLEGAL = 0xe40,
	VECTOR_FACILITY = 0xf80,
};

/* What a host may set of the guest's first MSR: neither hypervisor nor
 * interrupted. */
#define MSR_FIRST (MSR_SF | MSR_ME | MSR_RI | MSR_LE)

/* Why a program interrupt came (SRR1). */
#define PROGRAM_ILLEGAL	   0x80000ull
#define PROGRAM_PRIVILEGED 0x40000ull
#define PROGRAM_ALL	   0x783f0000ull

enum turn { RESUME, LEAVE };

static uint64_t partitions[8192] __attribute__((aligned(65536)));

void vcpu_forget(void)
{
	cpu_sync();
	/* All that any partition's tables say. */
	__asm__ volatile("tlbie %0, %1, 2, 0, 1\n\teieio\n\ttlbsync\n\tptesync"
			 :
			 : "r"(0xc00ull), "r"((uint64_t)PARTITION << 32)
			 : "memory");
	cpu_isync();
}

static void put_entry(struct monitor *m)
{
	partitions[2 * PARTITION] =
		__builtin_bswap64(radix_pate(&m->pages.radix));
	partitions[2 * PARTITION + 1] = __builtin_bswap64(m->process_table);
	vcpu_forget();
}

void vcpu_init(struct monitor *m)
{
	m->process_table = 0;
	/* 64 KiB long. */
	cpu_mtspr(SPR_PTCR, (uint64_t)partitions | 4);
	cpu_mtspr(SPR_LPIDR, PARTITION);
	cpu_mtspr(SPR_LPCR,
		CPU_LPCR_WAKE | LPCR_RADIX | LPCR_UPRT | LPCR_GTSE | LPCR_ILE);
	cpu_mtspr(SPR_HFSCR, ~0ull);
	cpu_mtspr(SPR_PSSCR, 0);
	put_entry(m);
	const struct monitor_state *s = &m->box->state;
	m->cpu = (struct vcpu){ .nip = s->rip, .msr = s->rflags & MSR_FIRST };
	memcpy(&m->cpu.gpr[3], s->general, 10 * sizeof s->general[0]);
}

void vcpu_set_process_table(struct monitor *m, uint64_t pate)
{
	m->process_table = pate;
	put_entry(m);
}

static enum turn leave(struct monitor *m, enum monitor_exit_reason reason)
{
	m->box->exit =
		(struct monitor_exit){ .reason = reason, .rip = m->cpu.nip };
	return LEAVE;
}

/* --- calls -------------------------------------------------------------- */

/* The host sees r3 to r12, and nothing else. */
static enum turn leave_by_call(struct monitor *m, enum monitor_exit_reason why)
{
	memcpy(m->box->state.general, &m->cpu.gpr[3],
		10 * sizeof m->cpu.gpr[0]);
	m->answered = true;
	return leave(m, why);
}

/* What an ultravisor gives may be secret: it does not stay in the box. */
static void take_answer(struct monitor *m)
{
	uint64_t *general = m->box->state.general;
	if (!m->answered)
		return;
	m->answered = false;
	memcpy(&m->cpu.gpr[3], general, 10 * sizeof m->cpu.gpr[0]);
	memset(general, 0, sizeof m->box->state.general);
}

/* Whoever has a secure guest's tables written asks the guest first: the table
 * is remembered here, and the host is asked to have it written. */
static void note_process_table(struct monitor *m)
{
	const uint64_t *g = m->cpu.gpr;
	if (g[3] == H_REGISTER_PROC_TABLE)
		m->pages.process_asked = g[5] | (g[7] & 0x1f);
}

/* A program interrupt for the guest, as KVM makes one of what only it may do:
 * in real mode, where its vectors may be executed. */
static enum turn program(struct monitor *m, uint64_t why)
{
	cpu_mtspr(SPR_SRR0, m->cpu.nip);
	cpu_mtspr(SPR_SRR1, (m->cpu.msr & ~PROGRAM_ALL) | why);
	m->cpu.nip = PAGES_ALIAS | VECTOR_PROGRAM;
	m->cpu.msr = MSR_SF | MSR_ME | MSR_LE;
	return RESUME;
}

static enum turn hypercall(struct monitor *m)
{
	/* A kernel's to make. */
	if (m->cpu.msr & MSR_PR)
		return program(m, PROGRAM_PRIVILEGED);
	m->box->counts[MONITOR_COUNT_PORT]++;
	note_process_table(m);
	return leave_by_call(m, MONITOR_EXIT_HCALL);
}

static int64_t share(struct monitor *m, bool shared)
{
	const uint64_t *g = m->cpu.gpr;
	if (!m->pages.secure)
		return U_INVALID;
	bool ok = pages_share(&m->pages, g[4], g[5], shared);
	vcpu_forget();
	return ok ? U_SUCCESS : U_PARAMETER;
}

static int64_t unshare_all(struct monitor *m)
{
	if (!m->pages.secure)
		return U_INVALID;
	pages_unshare_all(&m->pages);
	vcpu_forget();
	return U_SUCCESS;
}

static enum turn ultracall(struct monitor *m)
{
	uint64_t *g = m->cpu.gpr;
	m->box->counts[MONITOR_COUNT_RMP]++;
	switch (g[3]) {
	case UV_SHARE_PAGE:
		g[3] = (uint64_t)share(m, true);
		return RESUME;
	case UV_UNSHARE_PAGE:
		g[3] = (uint64_t)share(m, false);
		return RESUME;
	case UV_UNSHARE_ALL_PAGES:
		g[3] = (uint64_t)unshare_all(m);
		return RESUME;
	case UV_ESM:
	case UV_ESMB_GET_FILE:
		return leave_by_call(m, MONITOR_EXIT_UCALL);
	/* A hypervisor's. */
	case UV_WRITE_PATE:
	case UV_PAGE_IN:
	case UV_PAGE_OUT:
	case UV_SVM_TERMINATE:
		g[3] = (uint64_t)U_PERMISSION;
		return RESUME;
	default:
		g[3] = (uint64_t)U_FUNCTION;
		return RESUME;
	}
}

/* --- memory ------------------------------------------------------------- */

static enum turn memory(struct monitor *m, bool execute)
{
	uint64_t gra = cpu_mfspr(SPR_ASDR);
	m->box->counts[MONITOR_COUNT_MEMORY]++;
	enum page_turn turn = pages_fault(&m->pages, gra, execute);
	if (turn == PAGE_MAPPED)
		return RESUME;
	leave(m,
		turn == PAGE_NOWHERE	     ? MONITOR_EXIT_MMIO :
			turn == PAGE_REFUSED ? MONITOR_EXIT_FAULT :
					       MONITOR_EXIT_BUG);
	m->box->exit.gpa = gra;
	return LEAVE;
}

/* An interrupt of the guest's own: it goes on where its vectors may be
 * executed.  One call of privileged state's is none. */
static enum turn vector(struct monitor *m)
{
	uint64_t srr1 = cpu_mfspr(SPR_SRR1);
	if (m->cpu.nip == VECTOR_CALL && !(srr1 & MSR_PR)) {
		m->cpu.nip = cpu_mfspr(SPR_SRR0);
		m->cpu.msr = srr1;
		return ultracall(m);
	}
	m->cpu.nip |= PAGES_ALIAS;
	return RESUME;
}

static enum turn fetch(struct monitor *m)
{
	uint64_t hpa, gra = cpu_mfspr(SPR_ASDR);
	bool real = !(m->cpu.msr & (MSR_IR | MSR_PR));
	if (real && gra < RADIX_PAGE_BYTES &&
		radix_find(&m->pages.radix, 0, &hpa))
		return vector(m);
	return memory(m, true);
}

/* --- the loop ----------------------------------------------------------- */

static enum turn run_once(struct monitor *m)
{
	if (m->box->kick)
		return leave(m, MONITOR_EXIT_KICKED);
	calls_serve(m);
	cpu_mtspr(SPR_HDEC, LOOK_TICKS);
	unsigned why = vcpu_enter(&m->cpu);
	m->box->exits++;
	switch (why) {
	case VECTOR_DECREMENTER:
		m->box->counts[MONITOR_COUNT_HOST]++;
		return RESUME;
	case VECTOR_CALL:
		return hypercall(m);
	case VECTOR_DATA:
		return memory(m, false);
	case VECTOR_FETCH:
		return fetch(m);
	case VECTOR_ILLEGAL:
	case VECTOR_FACILITY:
		return program(m, PROGRAM_ILLEGAL);
	default:
		monitor_log(m, "interrupt 0x%x at 0x%llx, msr 0x%llx", why,
			(unsigned long long)m->cpu.nip,
			(unsigned long long)m->cpu.msr);
		return leave(m, MONITOR_EXIT_SHUTDOWN);
	}
}

void vcpu_run(struct monitor *m)
{
	take_answer(m);
	while (run_once(m) == RESUME)
		;
}
