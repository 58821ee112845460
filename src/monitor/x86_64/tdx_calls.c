/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's kernel has the TDX module do to a domain. */
#include "monitor/x86_64/flat.h"
#include "monitor/x86_64/guest.h"
#include "monitor/x86_64/tdx.h"

static bool private_page(const struct monitor *m, uint64_t gpa, uint64_t *hpa)
{
	const struct monitor_slot *s = monitor_slot_at(m, gpa);
	if (!s || !s->private_hpa)
		return false;
	*hpa = s->private_hpa + (gpa - s->gpa);
	return *hpa >= m->sept.begin && *hpa < m->sept.end;
}

enum monitor_result tdx_call_add(struct monitor *m,
	const struct monitor_call *c)
{
	const uint8_t *from = (const uint8_t *)m->box + MONITOR_STAGE_AT;
	if (m->kind != MONITOR_TDX || m->launched || c->a % PAGE_BYTES ||
		c->b > MONITOR_STAGE_BYTES / PAGE_BYTES)
		return MONITOR_WRONG;
	for (uint64_t i = 0; i < c->b; i++) {
		uint64_t hpa, gpa = c->a + i * PAGE_BYTES;
		if (!private_page(m, gpa, &hpa) || !guest_is_private(m, gpa) ||
			!sept_add(&m->sept, hpa, gpa))
			return MONITOR_STATE_WRONG;
		memcpy(monitor_memory(hpa), from + i * PAGE_BYTES, PAGE_BYTES);
	}
	return MONITOR_OK;
}

enum monitor_result tdx_call_start(struct monitor *m,
	const struct monitor_call *c)
{
	if (m->kind != MONITOR_TDX || m->launched)
		return MONITOR_WRONG;
	m->td.attributes = c->a;
	m->td.processors = (uint32_t)c->b;
	vcpu_set_state(&m->cpu, &m->box->state);
	m->launched = true;
	return flat_begin(m) ? MONITOR_OK : MONITOR_FULL;
}

enum monitor_result tdx_remove(struct monitor *m, uint64_t gpa, uint64_t bytes)
{
	uint64_t hpa;
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		if (private_page(m, gpa + i, &hpa))
			sept_remove(&m->sept, hpa);
	return MONITOR_OK;
}
