/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile host does to an enclave that runs, as tests ask for: it is
 * interrupted where they say, by exceptions that were none, and its counter
 * jumps.
 */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/sgx.h"

enum { VECTOR_DB = 1, FLAG_TF = 1 << 8 };

/* disturb.chances: whenever the processor is interrupted. */
#define EVERY UINT64_MAX

static enum exit_turn strike(struct monitor *m)
{
	uint64_t what = m->sgx.disturb.what;
	if (!m->sgx.inside)
		return EXIT_RESUME;
	if (!(what & SGX_EXIT_VALID))
		return sgx_aex(m, MONITOR_NO_VECTOR, 0, 0);
	return sgx_aex(m, SGX_EXIT_VECTOR(what), (uint32_t)(what >> 32),
		m->sgx.disturb.address);
}

enum exit_turn sgx_disturb(struct monitor *m)
{
	uint64_t *left = &m->sgx.disturb.chances;
	if (!*left || *left == EVERY || --*left)
		return EXIT_RESUME;
	return strike(m);
}

enum exit_turn sgx_interrupt(struct monitor *m)
{
	return m->sgx.disturb.chances == EVERY ? strike(m) : EXIT_RESUME;
}

/* Each instruction is an exit then, of which the enclave sees nothing. */
void sgx_disturb_enter(struct monitor *m)
{
	if (m->sgx.disturb.instructions)
		m->cpu.vmcb->save.rflags |= FLAG_TF;
}

bool sgx_disturb_exit(struct monitor *m, enum exit_turn *turn)
{
	const struct svm_control *c = &m->cpu.vmcb->control;
	uint64_t *left = &m->sgx.disturb.instructions;
	if (!*left)
		return false;
	m->cpu.vmcb->save.rflags &= ~(uint64_t)FLAG_TF;
	if (c->exit_code != SVM_EXIT_EXCEPTION + VECTOR_DB)
		return false;
	*turn = --*left ? EXIT_RESUME : strike(m);
	return true;
}

/* --- calls -----------------------------------------------------------------
 */

enum monitor_result sgx_call_interrupt(struct monitor *m,
	const struct monitor_call *c)
{
	m->sgx.disturb.chances = c->a;
	m->sgx.disturb.instructions = c->b;
	m->sgx.disturb.what = c->c;
	m->sgx.disturb.address = c->d;
	return MONITOR_OK;
}

enum monitor_result sgx_call_counter(struct monitor *m,
	const struct monitor_call *c)
{
	m->cpu.vmcb->control.tsc_offset = c->a;
	return MONITOR_OK;
}
