/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel and firmware do to a guest's pages. */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/snp.h"
#include "monitor/x86_64/step.h"
#include "spec/snp_guest.h"

static uint8_t *stage(const struct monitor *m)
{
	return (uint8_t *)m->box + MONITOR_STAGE_AT;
}

static bool is_range(const struct monitor *m, uint64_t gpa, uint64_t bytes)
{
	return m->kind == MONITOR_SNP && !((gpa | bytes) % PAGE_BYTES) &&
		gpa <= m->box->gpa_end && bytes <= m->box->gpa_end - gpa;
}

/* Where the private page of gpa is. */
static bool private_page(const struct monitor *m, uint64_t gpa, uint64_t *hpa)
{
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	if (!s || !s->private_hpa)
		return false;
	*hpa = s->private_hpa + (gpa - s->gpa);
	return *hpa >= m->rmp.begin && *hpa < m->rmp.end;
}

/* RMPUPDATE, then SNP_LAUNCH_UPDATE: copied in and validated. */
static bool launch_page(struct monitor *m, uint64_t gpa, const uint8_t *from,
	uint64_t level)
{
	uint64_t hpa;
	bool same;
	if (!private_page(m, gpa, &hpa) || !guest_is_private(m, gpa) ||
		!rmp_assign(&m->rmp, hpa, gpa))
		return false;
	if (from)
		memcpy(monitor_memory(hpa), from, PAGE_BYTES);
	else
		memset(monitor_memory(hpa), 0, PAGE_BYTES);
	rmp_entry_at(&m->rmp, hpa)->rights[level] = RMP_ALL;
	return rmp_validate(&m->rmp, hpa, false, true, &same) == SNP_DONE;
}

enum monitor_result snp_call_pages(struct monitor *m,
	const struct monitor_call *c)
{
	bool zero = c->c == SNP_PAGE_ZERO;
	if (!is_range(m, c->a, c->b * PAGE_BYTES) || m->launched ||
		c->d >= RMP_VMPLS ||
		(!zero && c->b > MONITOR_STAGE_BYTES / PAGE_BYTES))
		return MONITOR_WRONG;
	for (uint64_t i = 0; i < c->b; i++)
		if (!launch_page(m, c->a + i * PAGE_BYTES,
			    zero ? NULL : stage(m) + i * PAGE_BYTES, c->d))
			return MONITOR_STATE_WRONG;
	return MONITOR_OK;
}

static void load_general(struct vcpu *c, const struct svm_save *v)
{
	const uint64_t low[8] = { v->rax, v->rcx, v->rdx, v->rbx, v->rsp,
		v->rbp, v->rsi, v->rdi };
	memcpy(c->general, low, sizeof low);
	memcpy(c->general + 8, v->r8_to_15, sizeof v->r8_to_15);
}

enum monitor_result snp_call_vmsa(struct monitor *m,
	const struct monitor_call *c)
{
	(void)c;
	if (m->kind != MONITOR_SNP || m->launched)
		return MONITOR_WRONG;
	const struct svm_save *v = (const void *)stage(m);
	struct svm_save *s = &m->cpu.vmcb->save;
	/* A save area, up to there. */
	memcpy(s, v, offsetof(struct svm_save, pat) + sizeof v->pat);
	load_general(&m->cpu, v);
	m->sev_features = v->sev_features;
	m->rmp.level = v->vmpl % RMP_VMPLS;
	if (v->sev_features & SVM_FEATURE_DEBUG_SWAP)
		m->cpu.vmcb->control.intercept_dr = 0;
	cpu_vmload(m->cpu.vmcb);
	m->launched = true;
	return MONITOR_OK;
}

/* Revoked before the call is answered: the guest's only processor stands
 * still here, and forgets before it runs on. */
static bool unmap(struct monitor *m, uint64_t gpa, uint64_t bytes)
{
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
	return npt_unmap(&m->npt, gpa, bytes) &&
		npt_unmap(&m->npt, gpa | NPT_C, bytes);
}

enum monitor_result snp_call_attributes(struct monitor *m,
	const struct monitor_call *c)
{
	if (!is_range(m, c->a, c->b))
		return MONITOR_WRONG;
	if (!unmap(m, c->a, c->b))
		return MONITOR_FULL;
	for (uint64_t i = 0; i < c->b; i += PAGE_BYTES)
		guest_set_private(m, c->a + i, c->c);
	return MONITOR_OK;
}

enum monitor_result snp_call_discard(struct monitor *m,
	const struct monitor_call *c)
{
	uint64_t hpa;
	if (!is_range(m, c->a, c->b))
		return MONITOR_WRONG;
	if (!unmap(m, c->a, c->b))
		return MONITOR_FULL;
	for (uint64_t i = 0; i < c->b; i += PAGE_BYTES) {
		if (!private_page(m, c->a + i, &hpa))
			return MONITOR_WRONG;
		rmp_release(&m->rmp, hpa);
		memset(monitor_memory(hpa), 0, PAGE_BYTES);
	}
	return MONITOR_OK;
}

enum monitor_result snp_call_inject(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->b > UINT32_MAX)
		return MONITOR_WRONG;
	if (c->b)
		step_arm(m, c->a, (uint32_t)c->b);
	else
		m->injected = c->a;
	return MONITOR_OK;
}
