/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/snp.h"

#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/inject.h"
#include "spec/ghcb.h"

enum {
	EFER = 0xc0000080,
	SEV_STATUS = 0xc0010131,
	PAT = 0x277,
	EFER_LMA = 1 << 10,
	EFER_SVME = 1 << 12
};

/* DR7 is the host's to give, unless DebugSwap. */
#define ON_DR7 (1u << 7 | 1u << 23)

void snp_init(struct monitor *m)
{
	struct svm_control *c = &m->cpu.vmcb->control;
	c->intercept_exceptions |= 1u << VECTOR_UD;
	c->intercept_dr |= ON_DR7;
	m->rmp = (struct rmp){ .entries = monitor_memory(m->box->rmp_hpa),
		.begin = m->box->private_hpa,
		.end = m->box->private_end };
	/* KVM's, at a processor's reset: what GHCB_INFO_SEV tells. */
	m->ghcb_msr = (uint64_t)GHCB_PROTOCOL << 48 | 1ull << 32 |
		(uint64_t)NPT_C_BIT << 24 | GHCB_INFO_SEV;
}

enum exit_turn snp_vc(struct monitor *m, uint64_t code)
{
	if (inject_vc(m, code))
		return EXIT_RESUME;
	/* As after a fault within a fault within a fault. */
	monitor_log(m, "#VC 0x%llx at 0x%llx: no handler",
		(unsigned long long)code,
		(unsigned long long)m->cpu.vmcb->save.rip);
	return exit_leave(m, MONITOR_EXIT_SHUTDOWN);
}

enum exit_turn snp_host_fault(struct monitor *m, uint64_t gpa)
{
	exit_leave(m, MONITOR_EXIT_FAULT);
	m->box->exit.size = (gpa & NPT_C) != 0;
	m->box->exit.gpa = gpa & ~NPT_C & ~(uint64_t)(PAGE_BYTES - 1);
	return EXIT_LEAVE;
}

/* --- memory ------------------------------------------------------------- */

static uint8_t rights_of(uint64_t info)
{
	uint8_t r = RMP_READ;
	if (info & SVM_NPF_WRITE)
		r |= RMP_WRITE;
	return r;
}

/* A page that the guest may use already; a VMSA may be read only. */
static bool map_private(struct monitor *m, uint64_t gpa, uint64_t hpa)
{
	bool vmsa = rmp_entry_at(&m->rmp, hpa)->vmsa;
	return npt_map(&m->npt, gpa | NPT_C, hpa,
		vmsa ? NPT_ALL & ~NPT_WRITE : NPT_ALL);
}

/*
 * The page, and with it all of its 2 MiB that need nobody's leave any more:
 * an exit costs QEMU all that it remembers of the guest.
 */
static bool map_around(struct monitor *m, uint64_t gpa, uint64_t hpa)
{
	const uint64_t mask = NPT_LARGE - 1;
	uint64_t first = gpa & ~mask;
	for (uint64_t at = first; at - first < NPT_LARGE; at += PAGE_BYTES) {
		const struct monitor_slot *s = monitor_slot_at(m, at);
		uint64_t there = hpa + (at - gpa);
		if (!s || s != monitor_slot_at(m, gpa) ||
			there < m->rmp.begin || there >= m->rmp.end ||
			!guest_is_private(m, at) ||
			rmp_check(&m->rmp, there, at, RMP_READ) != RMP_FINE)
			continue;
		if (!map_private(m, at, there))
			return false;
	}
	return true;
}

/* A slot's window is shared from the start: all that still is, at once. */
static bool map_shared(struct monitor *m, uint64_t gpa)
{
	const uint64_t mask = NPT_LARGE - 1;
	uint64_t hpa, first = gpa & ~mask;
	for (uint64_t at = first; at - first < NPT_LARGE; at += PAGE_BYTES)
		if (guest_resolve(m, at, RMP_READ, &hpa) == GUEST_FINE &&
			!npt_map(&m->npt, at, hpa, NPT_ALL))
			return false;
	return true;
}

/* A validated large page is mapped as one. */
static bool map(struct monitor *m, uint64_t gpa, uint64_t hpa)
{
	const uint64_t mask = NPT_LARGE - 1;
	const uint64_t page = ~(uint64_t)(PAGE_BYTES - 1);
	if (!(gpa & NPT_C))
		return map_shared(m, gpa);
	uint64_t head = hpa & ~mask;
	if (head >= m->rmp.begin && rmp_entry_at(&m->rmp, head)->large)
		return npt_map_large(&m->npt, gpa & ~mask, head, NPT_ALL);
	return map_around(m, gpa & ~NPT_C & page, hpa & page);
}

static enum exit_turn on_fault(struct monitor *m)
{
	const struct svm_control *c = &m->cpu.vmcb->control;
	uint64_t hpa, gpa = c->exit_info_2;
	switch (guest_resolve(m, gpa, rights_of(c->exit_info_1), &hpa)) {
	case GUEST_FINE:
		if (map(m, gpa, hpa))
			return EXIT_RESUME;
		return exit_leave(m, MONITOR_EXIT_BUG);
	case GUEST_NOT_VALIDATED:
		return snp_vc(m, SNP_VC_NOT_VALIDATED);
	case GUEST_NOWHERE:
		return snp_vc(m, SVM_EXIT_NPF);
	default:
		return snp_host_fault(m, gpa);
	}
}

/* --- registers ---------------------------------------------------------- */

static void answer(struct monitor *m, uint64_t value)
{
	m->cpu.vmcb->save.rax = (uint32_t)value;
	m->cpu.general[MONITOR_RDX] = value >> 32;
}

/* SEV, SEV-ES, SEV-SNP; then SEV_FEATURES from bit 1 on (§15.34.10). */
static uint64_t status(const struct monitor *m)
{
	return 7 | (m->sev_features & ~SVM_FEATURE_SNP) << 2;
}

/* Registers that are the guest's own: no host takes part. */
static uint64_t *own_msr(struct monitor *m, uint32_t msr)
{
	switch (msr) {
	case GHCB_MSR:
		return &m->ghcb_msr;
	case EFER:
		return &m->cpu.vmcb->save.efer;
	case PAT:
		return &m->cpu.vmcb->save.pat;
	default:
		return NULL;
	}
}

static void write_own(struct monitor *m, uint64_t *own)
{
	struct svm_save *s = &m->cpu.vmcb->save;
	uint64_t lma = s->efer & EFER_LMA;
	*own = (uint32_t)s->rax | m->cpu.general[MONITOR_RDX] << 32;
	s->efer = (s->efer & ~(uint64_t)EFER_LMA) | lma | EFER_SVME;
}

static enum exit_turn on_msr(struct monitor *m)
{
	uint32_t msr = (uint32_t)m->cpu.general[MONITOR_RCX];
	bool write = m->cpu.vmcb->control.exit_info_1 & 1;
	uint64_t *own = own_msr(m, msr);
	if (m->cpu.vmcb->save.cpl || (msr == SEV_STATUS && write)) {
		inject_event(m, VECTOR_GP, 0);
		return EXIT_RESUME;
	}
	if (msr == SEV_STATUS)
		answer(m, status(m));
	else if (!own)
		return snp_vc(m, SVM_EXIT_MSR);
	else if (write)
		write_own(m, own);
	else
		answer(m, *own);
	exit_skip(m, 2);
	return EXIT_RESUME;
}

/* --- exits -------------------------------------------------------------- */

/* VMMCALL without its prefix is not VMGEXIT. */
static enum exit_turn on_vmmcall(struct monitor *m)
{
	uint8_t first = 0;
	if (guest_read(m, m->cpu.vmcb->save.rip, &first, 1) != GUEST_FINE ||
		(first != 0xf3 && first != 0xf2))
		return snp_vc(m, SVM_EXIT_VMMCALL);
	exit_skip(m, 4);
	exit_leave(m, MONITOR_EXIT_VMGEXIT);
	m->box->exit.msr = m->ghcb_msr;
	return EXIT_LEAVE;
}

void snp_resume(struct monitor *m)
{
	struct monitor_exit *x = &m->box->exit;
	if (x->reason == MONITOR_EXIT_VMGEXIT)
		m->ghcb_msr = x->msr;
	x->reason = MONITOR_EXIT_KICKED;
}

/* Exits that a hypervisor sees as they are (volume 2, §15.35.4); a host that
 * may not know registers is told no address. */
static enum exit_turn leave_plainly(struct monitor *m,
	enum monitor_exit_reason reason)
{
	exit_leave(m, reason);
	m->box->exit.rip = 0;
	return EXIT_LEAVE;
}

enum exit_turn snp_exit(struct monitor *m)
{
	uint64_t code = m->cpu.vmcb->control.exit_code;
	switch (code) {
	case SVM_EXIT_NPF:
		return on_fault(m);
	case SVM_EXIT_EXCEPTION + VECTOR_UD:
		return snp_on_undefined(m);
	case SVM_EXIT_VMMCALL:
		return on_vmmcall(m);
	case SVM_EXIT_MSR:
		return on_msr(m);
	case SVM_EXIT_HLT:
		exit_skip(m, 1);
		return leave_plainly(m, MONITOR_EXIT_HALT);
	case SVM_EXIT_SHUTDOWN:
		return leave_plainly(m, MONITOR_EXIT_SHUTDOWN);
	case SVM_EXIT_INVALID:
		return leave_plainly(m, MONITOR_EXIT_REFUSED);
	case SVM_EXIT_CPUID:
	case SVM_EXIT_IOIO:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_READ_DR7:
	case SVM_EXIT_WRITE_DR7:
		return snp_vc(m, code);
	default:
		/* No such guest runs guests of its own. */
		if (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT) {
			inject_event(m, VECTOR_UD, 0);
			return EXIT_RESUME;
		}
		return leave_plainly(m, MONITOR_EXIT_BUG);
	}
}
