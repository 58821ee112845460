/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/tdx.h"

#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/flat.h"
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/inject.h"

enum { EFER = 0xc0000080, PAT = 0x277, EFER_SVME = 1 << 12 };

/* Exit qualification of an access to a port (SDM, volume 3C, table 28-5). */
#define QUALIFY_IO(port, size, in) \
	((uint64_t)(port) << 16 | ((size)-1) | ((in) ? 1u << 3 : 0u))

void tdx_init(struct monitor *m)
{
	m->cpu.vmcb->control.intercept_exceptions |= 1u << VECTOR_UD;
	m->sept = (struct sept){ .entries = monitor_memory(m->box->rmp_hpa),
		.begin = m->box->private_hpa,
		.end = m->box->private_end };
}

enum exit_turn tdx_ve(struct monitor *m, enum tdx_reason reason,
	uint64_t qualification, uint64_t gpa)
{
	if (m->td.ve.valid) {
		inject_event(m, VECTOR_DF, 0);
		return EXIT_RESUME;
	}
	m->td.ve.valid = true;
	m->td.ve.reason = reason;
	m->td.ve.qualification = qualification;
	m->td.ve.gpa = gpa;
	/* Of those that have an instruction of fixed length. */
	m->td.ve.instruction = reason == TDX_REASON_HLT ? 1 : 2;
	inject_event(m, VECTOR_VE, 0);
	return EXIT_RESUME;
}

/* --- memory ------------------------------------------------------------- */

enum exit_turn tdx_private_fault(struct monitor *m, uint64_t gpa, bool pending)
{
	if (pending && !(m->td.attributes & TDX_ATTR_SEPT_VE_OFF))
		return tdx_ve(m, TDX_REASON_EPT_VIOLATION, 0, gpa);
	exit_leave(m, pending ? MONITOR_EXIT_PENDING : MONITOR_EXIT_FAULT);
	m->box->exit.size = 1;
	m->box->exit.gpa = gpa & ~(uint64_t)(PAGE_BYTES - 1);
	return EXIT_LEAVE;
}

static enum exit_turn shared_fault(struct monitor *m, uint64_t gpa, bool there)
{
	gpa &= ~NPT_C & ~(uint64_t)(PAGE_BYTES - 1);
	if (!there)
		return tdx_ve(m, TDX_REASON_EPT_VIOLATION, 0, gpa | NPT_C);
	exit_leave(m, MONITOR_EXIT_FAULT);
	m->box->exit.size = 0;
	m->box->exit.gpa = gpa;
	return EXIT_LEAVE;
}

/* All 512 pages are the slot's, private and free: they can be one. */
static bool whole_large(const struct monitor *m, const struct monitor_slot *s,
	uint64_t gpa)
{
	uint64_t first = gpa & ~(NPT_LARGE - 1);
	uint64_t hpa = s->private_hpa + (first - s->gpa);
	if (first < s->gpa || first + NPT_LARGE > s->gpa + s->bytes ||
		hpa % NPT_LARGE)
		return false;
	for (uint64_t i = 0; i < NPT_LARGE; i += PAGE_BYTES)
		if (!guest_is_private(m, first + i))
			return false;
	return true;
}

bool tdx_augment(struct monitor *m, uint64_t gpa)
{
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	const uint64_t large = ~(NPT_LARGE - 1);
	const uint64_t page = ~(uint64_t)(PAGE_BYTES - 1);
	if (!s || !s->private_hpa || !guest_is_private(m, gpa))
		return false;
	uint64_t hpa = s->private_hpa + (gpa - s->gpa);
	if (hpa < m->sept.begin || hpa >= m->sept.end)
		return false;
	return (whole_large(m, s, gpa) &&
		       sept_augment(&m->sept, hpa & large, gpa & large,
			       true)) ||
		sept_augment(&m->sept, hpa & page, gpa & page, false);
}

/* The page, and with it all of its 2 MiB that need nobody's leave any more:
 * an exit costs QEMU all that it remembers of the guest. */
static bool map_around(struct monitor *m, uint64_t gpa)
{
	uint64_t hpa, half = gpa & NPT_C;
	uint64_t first = gpa & ~(NPT_LARGE - 1);
	for (uint64_t at = first; at - first < NPT_LARGE; at += PAGE_BYTES)
		if (guest_resolve(m, at, RMP_READ, &hpa) == GUEST_FINE &&
			!npt_map(&m->npt, at | half, hpa, NPT_ALL))
			return false;
	return true;
}

static bool map(struct monitor *m, uint64_t gpa, uint64_t hpa)
{
	const uint64_t mask = NPT_LARGE - 1;
	if (!(gpa & NPT_C) && sept_entry_at(&m->sept, hpa)->large)
		return npt_map_large(&m->npt, gpa & ~mask, hpa & ~mask,
			NPT_ALL);
	return map_around(m, gpa);
}

static enum exit_turn on_fault(struct monitor *m)
{
	uint64_t hpa, gpa = m->cpu.vmcb->control.exit_info_2;
	switch (guest_resolve(m, gpa, RMP_READ, &hpa)) {
	case GUEST_FINE:
		if (map(m, gpa, hpa))
			return EXIT_RESUME;
		return exit_leave(m, MONITOR_EXIT_BUG);
	case GUEST_NOT_VALIDATED:
		return tdx_private_fault(m, gpa, true);
	case GUEST_NOWHERE:
		return shared_fault(m, gpa, false);
	default:
		break;
	}
	if (gpa & NPT_C)
		return shared_fault(m, gpa, true);
	/* A kernel gives it the page, which the domain did not accept. */
	return tdx_private_fault(m, gpa, tdx_augment(m, gpa));
}

/* --- CPUID and registers ------------------------------------------------ */

static enum exit_turn on_cpuid(struct monitor *m)
{
	struct vcpu *c = &m->cpu;
	uint32_t leaf = (uint32_t)c->vmcb->save.rax;
	uint32_t sub = (uint32_t)c->general[MONITOR_RCX];
	struct monitor_cpuid a;
	/* Leaves that the module does not have are the domain's business. */
	if (!cpuid_find(m, leaf, sub, &a))
		return tdx_ve(m, TDX_REASON_CPUID, 0, 0);
	c->vmcb->save.rax = a.eax;
	c->general[MONITOR_RBX] = a.ebx;
	c->general[MONITOR_RCX] = a.ecx;
	c->general[MONITOR_RDX] = a.edx;
	exit_skip(m, 2);
	return EXIT_RESUME;
}

static enum exit_turn on_msr(struct monitor *m)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	uint32_t msr = (uint32_t)m->cpu.general[MONITOR_RCX];
	bool write = m->cpu.vmcb->control.exit_info_1 & 1;
	uint64_t value =
		msr == EFER ? flat_efer(m) & ~(uint64_t)EFER_SVME : s->pat;
	if (s->cpl) {
		inject_event(m, VECTOR_GP, 0);
		return EXIT_RESUME;
	}
	if ((msr != EFER && msr != PAT) || (msr == EFER && write))
		return tdx_ve(m, write ? TDX_REASON_WRMSR : TDX_REASON_RDMSR, 0,
			0);
	if (write) {
		s->pat = (uint32_t)s->rax | m->cpu.general[MONITOR_RDX] << 32;
	} else {
		s->rax = (uint32_t)value;
		m->cpu.general[MONITOR_RDX] = value >> 32;
	}
	exit_skip(m, 2);
	return EXIT_RESUME;
}

/* --- exits -------------------------------------------------------------- */

/* A host is told no address. */
static enum exit_turn leave_plainly(struct monitor *m,
	enum monitor_exit_reason reason)
{
	exit_leave(m, reason);
	m->box->exit.rip = 0;
	return EXIT_LEAVE;
}

static enum exit_turn undefined(struct monitor *m)
{
	inject_event(m, VECTOR_UD, 0);
	return EXIT_RESUME;
}

static enum exit_turn others(struct monitor *m)
{
	uint64_t code = m->cpu.vmcb->control.exit_code;
	uint64_t info = m->cpu.vmcb->control.exit_info_1;
	switch (code) {
	case SVM_EXIT_HLT:
		return tdx_ve(m, TDX_REASON_HLT, 0, 0);
	case SVM_EXIT_IOIO:
		return tdx_ve(m, TDX_REASON_IO,
			QUALIFY_IO(SVM_IO_PORT(info), SVM_IO_SIZE(info),
				info & SVM_IO_IN),
			0);
	case SVM_EXIT_INVD:
		return tdx_ve(m, TDX_REASON_INVD, 0, 0);
	case SVM_EXIT_WBINVD:
		return tdx_ve(m, TDX_REASON_WBINVD, 0, 0);
	case SVM_EXIT_MONITOR:
		return tdx_ve(m, TDX_REASON_MONITOR, 0, 0);
	case SVM_EXIT_MWAIT:
		return tdx_ve(m, TDX_REASON_MWAIT, 0, 0);
	case SVM_EXIT_RDPMC:
		/* The domain has no PERFMON. */
		inject_event(m, VECTOR_GP, 0);
		return EXIT_RESUME;
	case SVM_EXIT_SHUTDOWN:
		return leave_plainly(m, MONITOR_EXIT_SHUTDOWN);
	case SVM_EXIT_INVALID:
		return leave_plainly(m, MONITOR_EXIT_REFUSED);
	default:
		/* Another maker's instructions. */
		if (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT)
			return undefined(m);
		return leave_plainly(m, MONITOR_EXIT_BUG);
	}
}

enum exit_turn tdx_exit(struct monitor *m)
{
	switch (m->cpu.vmcb->control.exit_code) {
	case SVM_EXIT_NPF:
		return on_fault(m);
	case SVM_EXIT_EXCEPTION + VECTOR_UD:
		return tdx_on_undefined(m);
	case SVM_EXIT_CPUID:
		return on_cpuid(m);
	case SVM_EXIT_MSR:
		return on_msr(m);
	default:
		return flat_exit(m) ? EXIT_RESUME : others(m);
	}
}
