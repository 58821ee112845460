/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/ppc64le/cpu.h"
#include "monitor/ppc64le/monitor.h"

static enum monitor_result begin_guest(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->a != MONITOR_PEF ||
		!pages_init(&m->pages, m->box, MONITOR_PPC_SHARED_HPA,
			monitor_memory(m->box->attributes_hpa)))
		return MONITOR_WRONG;
	vcpu_init(m);
	return MONITOR_OK;
}

static enum monitor_result take_slot(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->a >= MONITOR_SLOTS)
		return MONITOR_WRONG;
	enum monitor_result r = pages_take_slot(&m->pages, (uint32_t)c->a,
		&m->box->slots[c->a]);
	vcpu_forget();
	return r;
}

static enum monitor_result add_pages(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->b > MONITOR_STAGE_BYTES / RADIX_PAGE_BYTES)
		return MONITOR_WRONG;
	return pages_in(&m->pages, c->a, c->b,
		monitor_memory(MONITOR_PPC_SHARED_HPA + MONITOR_STAGE_AT));
}

static enum monitor_result secure(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->a > 1 || (c->a && m->pages.secure))
		return MONITOR_WRONG;
	if (c->a)
		pages_secure(&m->pages);
	else
		pages_abort(&m->pages);
	vcpu_forget();
	return MONITOR_OK;
}

/* A secure guest's tables are where the guest itself said. */
static enum monitor_result processes(struct monitor *m,
	const struct monitor_call *c)
{
	if (m->pages.secure && c->a != m->pages.process_asked)
		return MONITOR_STATE_WRONG;
	vcpu_set_process_table(m, c->a);
	return MONITOR_OK;
}

void calls_serve(struct monitor *m)
{
	static enum monitor_result (*const ops[MONITOR_OPS])(struct monitor *,
		const struct monitor_call *) = {
		[MONITOR_GUEST] = begin_guest,
		[MONITOR_SLOT] = take_slot,
		[MONITOR_PEF_PAGES] = add_pages,
		[MONITOR_PEF_SECURE] = secure,
		[MONITOR_PEF_PROCESSES] = processes,
	};
	uint32_t asked = m->box->call_asked;
	if (asked == m->box->call_done)
		return;
	struct monitor_call c = m->box->call;
	m->box->call.result = c.op < MONITOR_OPS && ops[c.op] ?
		ops[c.op](m, &c) :
		MONITOR_WRONG;
	cpu_sync();
	m->box->call_done = asked;
	bell_ring(MONITOR_BELL_CALL);
}
