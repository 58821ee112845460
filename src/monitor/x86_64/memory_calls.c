/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel does to a guest that has private pages. */
#include "monitor/x86_64/calls.h"

#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/snp.h"
#include "monitor/x86_64/step.h"
#include "monitor/x86_64/tdx.h"

static bool is_range(const struct monitor *m, uint64_t gpa, uint64_t bytes)
{
	bool has = m->kind == MONITOR_SNP || m->kind == MONITOR_TDX;
	return has && !((gpa | bytes) % PAGE_BYTES) && gpa <= m->box->gpa_end &&
		bytes <= m->box->gpa_end - gpa;
}

/* Revoked before the call is answered: the guest's only processor stands
 * still here, and forgets before it runs on. */
static bool unmap(struct monitor *m, uint64_t gpa, uint64_t bytes)
{
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
	return npt_unmap(&m->npt, gpa, bytes) &&
		npt_unmap(&m->npt, gpa | NPT_C, bytes);
}

enum monitor_result call_attributes(struct monitor *m,
	const struct monitor_call *c)
{
	if (!is_range(m, c->a, c->b))
		return MONITOR_WRONG;
	if (!unmap(m, c->a, c->b))
		return MONITOR_FULL;
	for (uint64_t i = 0; i < c->b; i += PAGE_BYTES)
		guest_set_private(m, c->a + i, c->c);
	/* What was there is the domain's no more. */
	if (m->kind == MONITOR_TDX && !c->c)
		tdx_remove(m, c->a, c->b);
	return MONITOR_OK;
}

enum monitor_result call_discard(struct monitor *m,
	const struct monitor_call *c)
{
	uint64_t hpa;
	if (!is_range(m, c->a, c->b))
		return MONITOR_WRONG;
	if (!unmap(m, c->a, c->b))
		return MONITOR_FULL;
	if (m->kind == MONITOR_TDX)
		return tdx_remove(m, c->a, c->b);
	for (uint64_t i = 0; i < c->b; i += PAGE_BYTES) {
		if (!snp_private_page(m, c->a + i, &hpa))
			return MONITOR_WRONG;
		rmp_release(&m->rmp, hpa);
		memset(monitor_memory(hpa), 0, PAGE_BYTES);
	}
	return MONITOR_OK;
}

enum monitor_result call_inject(struct monitor *m, const struct monitor_call *c)
{
	if (c->b > UINT32_MAX)
		return MONITOR_WRONG;
	if (c->b)
		step_arm(m, c->a, (uint32_t)c->b);
	else
		m->injected = c->a;
	return MONITOR_OK;
}
