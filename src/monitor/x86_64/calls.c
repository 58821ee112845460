/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/calls.h"
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/sgx.h"
#include "monitor/x86_64/snp.h"
#include "monitor/x86_64/tdx.h"

static enum monitor_result list_cpuid(struct monitor *m,
	const struct monitor_call *c)
{
	(void)c;
	m->box->cpuid_count = cpuid_list(m->box->cpuid, MONITOR_CPUIDS);
	return MONITOR_OK;
}

static enum monitor_result begin_guest(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->a > MONITOR_TDX || m->box->cpuid_count > MONITOR_CPUIDS)
		return MONITOR_WRONG;
	m->kind = (enum monitor_guest)c->a;
	m->cpuid_count = m->box->cpuid_count;
	memcpy(m->cpuid, m->box->cpuid, sizeof m->cpuid);
	memcpy(m->slots, m->box->slots, sizeof m->slots);
	if (m->kind == MONITOR_SNP)
		snp_init(m);
	if (m->kind == MONITOR_TDX)
		tdx_init(m);
	if (m->kind == MONITOR_SGX)
		return sgx_init(m);
	return MONITOR_OK;
}

/* What the old slot had mapped is gone. */
static enum monitor_result take_slot(struct monitor *m,
	const struct monitor_call *c)
{
	if (c->a >= MONITOR_SLOTS)
		return MONITOR_WRONG;
	struct monitor_slot *s = &m->slots[c->a];
	if (!npt_unmap(&m->npt, s->gpa, s->bytes) ||
		!npt_unmap(&m->npt, s->gpa | NPT_C, s->bytes))
		return MONITOR_FULL;
	m->cpu.vmcb->control.tlb_control = SVM_FLUSH_ALL;
	if (m->kind == MONITOR_TDX)
		tdx_remove(m, s->gpa, s->bytes);
	*s = m->box->slots[c->a];
	return MONITOR_OK;
}

static enum monitor_result take_state(struct monitor *m,
	const struct monitor_call *c)
{
	(void)c;
	if (m->kind != MONITOR_PLAIN)
		return MONITOR_WRONG;
	vcpu_set_state(&m->cpu, &m->box->state);
	return MONITOR_OK;
}

void calls_serve(struct monitor *m)
{
	static enum monitor_result (*const ops[MONITOR_OPS])(struct monitor *,
		const struct monitor_call *) = {
		[MONITOR_CPUID] = list_cpuid,
		[MONITOR_GUEST] = begin_guest,
		[MONITOR_SLOT] = take_slot,
		[MONITOR_STATE] = take_state,
		[MONITOR_PAGES] = snp_call_pages,
		[MONITOR_VMSA] = snp_call_vmsa,
		[MONITOR_ATTRIBUTES] = call_attributes,
		[MONITOR_DISCARD] = call_discard,
		[MONITOR_INJECT] = call_inject,
		[MONITOR_SGX_CREATE] = sgx_call_create,
		[MONITOR_SGX_ADD] = sgx_call_add,
		[MONITOR_SGX_INIT] = sgx_call_init,
		[MONITOR_SGX_RESTRICT] = sgx_call_restrict,
		[MONITOR_SGX_RETYPE] = sgx_call_retype,
		[MONITOR_SGX_REMOVE] = sgx_call_remove,
		[MONITOR_SGX_AUGMENT] = sgx_call_augment,
		[MONITOR_SGX_INTERRUPT] = sgx_call_interrupt,
		[MONITOR_SGX_COUNTER] = sgx_call_counter,
		[MONITOR_TDX_ADD] = tdx_call_add,
		[MONITOR_TDX_START] = tdx_call_start,
	};
	uint32_t asked = m->box->call_asked;
	if (asked == m->box->call_done)
		return;
	struct monitor_call c = m->box->call;
	m->box->call.result =
		c.op < MONITOR_OPS ? ops[c.op](m, &c) : MONITOR_WRONG;
	cpu_fence();
	m->box->call_done = asked;
	bell_ring(MONITOR_BELL_CALL);
}
