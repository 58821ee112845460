/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs below the monitor, and what its traps mean. */
#include "arch/riscv64/csr.h"
#include "monitor/riscv64/monitor.h"
#include "spec/sanctum.h"

/* mcause (privileged architecture, §3.1.15). */
#define CAUSE_INTERRUPT	 (1ull << 63)
#define CAUSE_ECALL_S	 9
#define CAUSE_FROM_TIMER (CAUSE_INTERRUPT | 7)
#define CAUSE_FROM_BELL	 (CAUSE_INTERRUPT | 11)

enum { ECALL_BYTES = 4 };

/* --- an enclave's calls ------------------------------------------------- */

static void *in_enclave(const struct enclave *v, uint64_t at, uint64_t bytes)
{
	bool ok = at >= v->base && at - v->base <= v->bytes &&
		bytes <= v->bytes - (at - v->base);
	return ok ? monitor_memory(at) : NULL;
}

static enum sanctum_result report(struct monitor *m, const struct enclave *v,
	uint64_t data_at, uint64_t to_at)
{
	uint8_t data[64];
	struct sanctum_evidence e;
	const void *from = in_enclave(v, data_at, sizeof data);
	void *to = in_enclave(v, to_at, sizeof e);
	if (!from || !to)
		return SANCTUM_VALUE;
	memcpy(data, from, sizeof data);
	if (!evidence_make(&m->record, v, data, &e))
		return SANCTUM_FAILED;
	memcpy(to, &e, sizeof e);
	return SANCTUM_OK;
}

enum turn { TURN_ON, TURN_LEFT, TURN_FAULTED };

static enum turn enclave_asks(struct monitor *m, struct enclave *v,
	uint64_t *event)
{
	uint64_t *x = v->context.x, value = 0;
	enum sanctum_result r;
	v->context.pc += ECALL_BYTES;
	switch (x[REG_A7]) {
	case SANCTUM_LEAVE:
		*event = x[REG_A0];
		return TURN_LEFT;
	case SANCTUM_FAULT:
		monitor_log("enclave: fault %llx at %llx, %llx",
			(unsigned long long)x[REG_A0],
			(unsigned long long)x[REG_A1],
			(unsigned long long)x[REG_A0 + 2]);
		return TURN_FAULTED;
	case SANCTUM_ATTEST:
		r = report(m, v, x[REG_A0], x[REG_A1]);
		break;
	case SANCTUM_RANDOM:
		r = random_draw(&value) ? SANCTUM_OK : SANCTUM_FAILED;
		break;
	default:
		r = SANCTUM_UNKNOWN;
		break;
	}
	x[REG_A0] = r;
	x[REG_A1] = value;
	return TURN_ON;
}

/* --- an enclave runs ---------------------------------------------------- */

static enum sanctum_result left(struct enclave *v, enum sanctum_result how)
{
	timer_set(0);
	context_save(&v->context);
	v->state = how == SANCTUM_FAULTED ? ENCLAVE_ENDED : ENCLAVE_READY;
	v->interrupted = how == SANCTUM_INTERRUPTED;
	return how;
}

enum sanctum_result run_enclave(struct monitor *m, struct enclave *v,
	uint64_t ticks, uint64_t *event)
{
	struct pmp p;
	enclave_protect_inside(v, &p);
	context_protect(&p);
	context_load(&v->context);
	timer_set(ticks);
	while (!run_stopped(m)) {
		context_run(&v->context);
		uint64_t cause = csr_read(mcause);
		if (cause == CAUSE_ECALL_S) {
			enum turn t = enclave_asks(m, v, event);
			if (t == TURN_LEFT)
				return left(v, SANCTUM_OK);
			if (t == TURN_FAULTED)
				return left(v, SANCTUM_FAULTED);
			continue;
		}
		if (cause == CAUSE_FROM_TIMER)
			return left(v, SANCTUM_INTERRUPTED);
		if (cause != CAUSE_FROM_BELL)
			return left(v, SANCTUM_FAULTED);
		bell_clear();
	}
	return left(v, SANCTUM_INTERRUPTED);
}

bool run_stopped(const struct monitor *m)
{
	return !m->record.system_at &&
		__atomic_load_n(&m->box->kick, __ATOMIC_SEQ_CST);
}

/* --- an operating system runs ------------------------------------------- */

static struct context system_context;

static void load_system(struct monitor *m)
{
	struct pmp p;
	enclave_protect_outside(m, &p);
	context_protect(&p);
	context_load(&system_context);
}

static enum sanctum_result system_enters(struct monitor *m, uint64_t number,
	uint64_t ticks, uint64_t *event)
{
	enum sanctum_result r;
	struct enclave *v = enclave_enter(m, number, &r);
	if (!v)
		return r;
	context_save(&system_context);
	r = run_enclave(m, v, ticks, event);
	load_system(m);
	return r;
}

static void system_asks(struct monitor *m)
{
	uint64_t *x = system_context.x, value = 0;
	system_context.pc += ECALL_BYTES;
	enum sanctum_result r = x[REG_A7] == SANCTUM_ENTER ?
		system_enters(m, x[REG_A0], x[REG_A1], &value) :
		enclave_call(m, x[REG_A7], &x[REG_A0], &value);
	x[REG_A0] = r;
	x[REG_A1] = value;
}

NORETURN void run_system(struct monitor *m)
{
	system_context.pc = m->record.system_at;
	system_context.mode = 1;
	load_system(m);
	for (;;) {
		context_run(&system_context);
		uint64_t cause = csr_read(mcause);
		if (cause == CAUSE_ECALL_S)
			system_asks(m);
		else if (cause == CAUSE_FROM_BELL)
			bell_clear();
		else
			break;
	}
	monitor_log("operating system: trap %llx",
		(unsigned long long)csr_read(mcause));
	for (;;)
		cpu_wait();
}
