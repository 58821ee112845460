/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel and firmware do to a guest's pages. */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/snp.h"
#include "spec/snp_guest.h"

static uint8_t *stage(const struct monitor *m)
{
	return (uint8_t *)m->box + MONITOR_STAGE_AT;
}

bool snp_private_page(const struct monitor *m, uint64_t gpa, uint64_t *hpa)
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
	if (!snp_private_page(m, gpa, &hpa) || !guest_is_private(m, gpa) ||
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
	if (m->kind != MONITOR_SNP || m->launched || c->a % PAGE_BYTES ||
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
