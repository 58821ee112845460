/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's processor does that the monitor plays. */
#include "monitor/x86_64/exits.h"
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/inject.h"

enum { EFER = 0xc0000080, PAT = 0x277 };

/* EFER: SCE LME LMA NXE, and what is ours. */
#define EFER_KNOWN 0xd01ull
#define EFER_SVME  0x1000ull
#define EFER_LMA   0x400ull

enum exit_turn exit_leave(struct monitor *m, enum monitor_exit_reason reason)
{
	const struct svm_vmcb *v = m->cpu.vmcb;
	m->box->exit = (struct monitor_exit){
		.reason = reason,
		.rip = v->save.rip,
		.code = v->control.exit_code,
		.info_1 = v->control.exit_info_1,
		.info_2 = v->control.exit_info_2,
	};
	return EXIT_LEAVE;
}

static enum exit_turn inject(struct monitor *m, unsigned vector)
{
	inject_event(m, vector, 0);
	return EXIT_RESUME;
}

void exit_skip(struct monitor *m, unsigned bytes)
{
	m->cpu.vmcb->save.rip += bytes;
}

/* --- CPUID and MSRs ----------------------------------------------------- */

static enum exit_turn on_cpuid(struct monitor *m)
{
	struct vcpu *c = &m->cpu;
	struct monitor_cpuid a = cpuid_answer(m, (uint32_t)c->vmcb->save.rax,
		(uint32_t)c->general[MONITOR_RCX]);
	c->vmcb->save.rax = a.eax;
	c->general[MONITOR_RBX] = a.ebx;
	c->general[MONITOR_RCX] = a.ecx;
	c->general[MONITOR_RDX] = a.edx;
	exit_skip(m, 2);
	return EXIT_RESUME;
}

static bool read_msr(struct monitor *m, uint32_t msr, uint64_t *value)
{
	const struct svm_save *s = &m->cpu.vmcb->save;
	if (msr == EFER)
		*value = s->efer & ~EFER_SVME;
	else if (msr == PAT)
		*value = s->pat;
	else
		return false;
	return true;
}

static bool write_msr(struct monitor *m, uint32_t msr, uint64_t value)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	if (msr == PAT) {
		s->pat = value;
		return true;
	}
	/* LMA is the processor's to write. */
	if (msr != EFER || (value & ~EFER_KNOWN))
		return false;
	s->efer = (value & ~EFER_LMA) | (s->efer & EFER_LMA) | EFER_SVME;
	return true;
}

static enum exit_turn on_msr(struct monitor *m)
{
	struct vcpu *c = &m->cpu;
	uint32_t msr = (uint32_t)c->general[MONITOR_RCX];
	uint64_t value =
		(uint32_t)c->vmcb->save.rax | c->general[MONITOR_RDX] << 32;
	bool write = c->vmcb->control.exit_info_1 & 1;
	if (write ? !write_msr(m, msr, value) : !read_msr(m, msr, &value))
		return inject(m, VECTOR_GP);
	if (!write) {
		c->vmcb->save.rax = (uint32_t)value;
		c->general[MONITOR_RDX] = value >> 32;
	}
	exit_skip(m, 2);
	return EXIT_RESUME;
}

/* --- ports -------------------------------------------------------------- */

static enum exit_turn on_port(struct monitor *m)
{
	struct svm_vmcb *v = m->cpu.vmcb;
	uint64_t info = v->control.exit_info_1;
	uint32_t size = SVM_IO_SIZE(info);
	uint64_t mask = (1ull << size * 8) - 1;
	if (info & SVM_IO_STRING)
		return exit_leave(m, MONITOR_EXIT_BUG);
	exit_leave(m, info & SVM_IO_IN ? MONITOR_EXIT_IN : MONITOR_EXIT_OUT);
	m->box->exit.port = SVM_IO_PORT(info);
	m->box->exit.size = size;
	m->box->exit.value = (uint32_t)(v->save.rax & mask);
	v->save.rip = v->control.exit_info_2;
	return EXIT_LEAVE;
}

void exit_finish_io(struct monitor *m)
{
	struct monitor_exit *x = &m->box->exit;
	uint64_t *rax = &m->cpu.vmcb->save.rax;
	if (x->reason != MONITOR_EXIT_IN)
		return;
	uint64_t mask = (1ull << x->size * 8) - 1;
	/* 32 bits clear the other half, fewer leave the rest. */
	uint64_t keep = x->size == 4 ? 0 : *rax & ~mask;
	*rax = keep | (x->value & mask);
	x->reason = MONITOR_EXIT_KICKED;
}

/* --- memory ------------------------------------------------------------- */

/* 2 MiB at once, where the slot has them. */
static bool map(struct monitor *m, const struct monitor_slot *s, uint64_t gpa)
{
	uint64_t large = gpa & ~(NPT_LARGE - 1);
	uint64_t base = MONITOR_SHARED_HPA + s->shared_at;
	uint64_t last = large + NPT_LARGE - 1;
	if (large >= s->gpa && last - s->gpa < s->bytes &&
		(base + large - s->gpa) % NPT_LARGE == 0)
		return npt_map_large(&m->npt, large, base + large - s->gpa,
			NPT_ALL);
	gpa &= ~(uint64_t)(PAGE_BYTES - 1);
	return npt_map(&m->npt, gpa, base + gpa - s->gpa, NPT_ALL);
}

static enum exit_turn on_fault(struct monitor *m)
{
	uint64_t gpa = m->cpu.vmcb->control.exit_info_2;
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	if (s && map(m, s, gpa))
		return EXIT_RESUME;
	exit_leave(m, s ? MONITOR_EXIT_BUG : MONITOR_EXIT_MMIO);
	m->box->exit.gpa = gpa;
	return EXIT_LEAVE;
}

enum exit_turn exit_plain(struct monitor *m)
{
	uint64_t code = m->cpu.vmcb->control.exit_code;
	switch (code) {
	case SVM_EXIT_CPUID:
		return on_cpuid(m);
	case SVM_EXIT_MSR:
		return on_msr(m);
	case SVM_EXIT_IOIO:
		return on_port(m);
	case SVM_EXIT_NPF:
		return on_fault(m);
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		exit_skip(m, 2);
		return EXIT_RESUME;
	case SVM_EXIT_HLT:
		exit_skip(m, 1);
		return exit_leave(m, MONITOR_EXIT_HALT);
	case SVM_EXIT_SHUTDOWN:
		return exit_leave(m, MONITOR_EXIT_SHUTDOWN);
	case SVM_EXIT_RDPMC:
		return inject(m, VECTOR_GP);
	case SVM_EXIT_INVALID:
		return exit_leave(m, MONITOR_EXIT_REFUSED);
	default:
		/* VMRUN and its kin, MONITOR, MWAIT: no guest has them. */
		if (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_MWAIT)
			return inject(m, VECTOR_UD);
		return exit_leave(m, MONITOR_EXIT_BUG);
	}
}
