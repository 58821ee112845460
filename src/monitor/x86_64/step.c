/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/step.h"

#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/inject.h"
#include "monitor/x86_64/snp.h"

enum { SFMASK = 0xc0000084, FLAG_TF = 1 << 8 };

/* Page faults, too: their delivery clears the flag, and is a step. */
#define ON_STEP	 (1u << VECTOR_DB)
#define ON_FAULT (1u << VECTOR_PF)

void step_arm(struct monitor *m, uint64_t event, uint32_t instructions)
{
	m->step.event = event;
	m->step.left = instructions;
}

/* SYSCALL shall not clear the flag: its register is the guest's, live. */
static void open_syscall(struct monitor *m)
{
	uint64_t mask = cpu_rdmsr(SFMASK);
	if (!(mask & FLAG_TF))
		return;
	cpu_wrmsr(SFMASK, mask & ~(uint64_t)FLAG_TF);
	m->step.masked = true;
}

static void finish(struct monitor *m)
{
	m->injected = m->step.event;
	m->cpu.vmcb->control.intercept_exceptions &= ~ON_FAULT;
	if (m->step.masked)
		cpu_wrmsr(SFMASK, cpu_rdmsr(SFMASK) | FLAG_TF);
	m->step.masked = false;
}

void step_enter(struct monitor *m)
{
	if (!m->step.left)
		return;
	m->cpu.vmcb->control.intercept_exceptions |= ON_STEP | ON_FAULT;
	m->cpu.vmcb->save.rflags |= FLAG_TF;
	open_syscall(m);
}

bool step_exit(struct monitor *m, enum exit_turn *turn)
{
	const struct svm_control *c = &m->cpu.vmcb->control;
	struct svm_save *s = &m->cpu.vmcb->save;
	bool on = c->intercept_exceptions & ON_STEP;
	*turn = EXIT_RESUME;
	if (on && c->exit_code == SVM_EXIT_EXCEPTION + VECTOR_PF) {
		s->cr2 = c->exit_info_2;
		if (!inject_frame(m, VECTOR_PF, c->exit_info_1))
			*turn = exit_leave(m, MONITOR_EXIT_SHUTDOWN);
	} else if (!on || c->exit_code != SVM_EXIT_EXCEPTION + VECTOR_DB) {
		return false;
	}
	/* What was saved with the flag set comes back to here, later, too. */
	s->rflags &= ~(uint64_t)FLAG_TF;
	/* A repeated one is one. */
	bool same = s->rip == m->step.rip;
	m->step.rip = s->rip;
	if (m->step.left && !same && --m->step.left == 0)
		finish(m);
	return true;
}
