/* SPDX-License-Identifier: Apache-2.0 */
/* ENCLS, as the host's kernel has the processor do it. */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/sgx.h"

enum { STAGE_PAGES = MONITOR_STAGE_BYTES / PAGE_BYTES };

static const uint8_t *stage(const struct monitor *m)
{
	return (const uint8_t *)m->box + MONITOR_STAGE_AT;
}

enum monitor_result sgx_call_create(struct monitor *m,
	const struct monitor_call *c)
{
	struct monitor_sgx *x = &m->sgx;
	const struct sgx_secs *s = (const void *)stage(m);
	(void)c;
	if (m->kind != MONITOR_SGX || x->created || s->base != x->epcm.base ||
		s->size != x->epcm.bytes || (s->xfrm & 3) != 3)
		return MONITOR_WRONG;
	x->attributes = s->attributes;
	x->xfrm = s->xfrm;
	x->miscselect = s->miscselect;
	x->created = true;
	return MONITOR_OK;
}

static enum monitor_result tell(struct monitor *m, uint64_t count,
	enum sgx_error e)
{
	m->box->call.b = count;
	m->box->call.d = e;
	return MONITOR_OK;
}

/* A TCS comes as a TCS begins: not in use, no frame in use. */
static bool page_legal(const uint8_t *from, uint64_t flags)
{
	const struct sgx_tcs *t = (const void *)from;
	if (SGX_PAGE_TYPE_OF(flags) != SGX_PT_TCS)
		return true;
	return t->state == 0 &&
		!(t->flags & ~(SGX_TCS_DBGOPTIN | SGX_TCS_AEXNOTIFY)) &&
		t->cssa == 0 && (t->fslimit & 0xfff) == 0xfff &&
		(t->gslimit & 0xfff) == 0xfff && t->ossa % PAGE_BYTES == 0;
}

enum monitor_result sgx_call_add(struct monitor *m,
	const struct monitor_call *c)
{
	struct monitor_sgx *x = &m->sgx;
	if (!x->created || c->b > STAGE_PAGES)
		return MONITOR_WRONG;
	if (x->initialised)
		return tell(m, 0, SGX_PAGE_NOT_MODIFIABLE);
	for (uint64_t i = 0; i < c->b; i++) {
		const uint8_t *from = stage(m) + i * PAGE_BYTES;
		uint64_t page;
		if (!page_legal(from, c->c) ||
			epcm_add(&x->epcm, c->a + i * PAGE_BYTES, c->c,
				&page) != EPCM_ADDED)
			return tell(m, i, SGX_PAGE_NOT_MODIFIABLE);
		memcpy(monitor_memory(page), from, PAGE_BYTES);
	}
	return tell(m, c->b, SGX_SUCCESS);
}

enum monitor_result sgx_call_init(struct monitor *m,
	const struct monitor_call *c)
{
	(void)c;
	if (!m->sgx.created || m->sgx.initialised)
		return MONITOR_WRONG;
	m->sgx.initialised = true;
	return MONITOR_OK;
}

/* For each page until one refuses. */
static enum monitor_result for_pages(struct monitor *m,
	const struct monitor_call *c,
	enum sgx_error (*f)(struct epcm *e, uint64_t at, uint64_t what))
{
	enum sgx_error e = SGX_SUCCESS;
	uint64_t i = 0;
	if (!m->sgx.initialised || m->sgx.inside)
		return MONITOR_WRONG;
	for (; i < c->b && e == SGX_SUCCESS; i += e == SGX_SUCCESS) {
		uint64_t at = c->a + i * PAGE_BYTES;
		e = f(&m->sgx.epcm, at, c->c);
		sgx_forget(m, at);
	}
	return tell(m, i, e);
}

static enum sgx_error retype(struct epcm *e, uint64_t at, uint64_t type)
{
	return epcm_retype(e, at, (enum sgx_page_type)type);
}

static enum sgx_error remove_one(struct epcm *e, uint64_t at, uint64_t unused)
{
	(void)unused;
	return epcm_remove(e, at);
}

enum monitor_result sgx_call_restrict(struct monitor *m,
	const struct monitor_call *c)
{
	return for_pages(m, c, epcm_restrict);
}

enum monitor_result sgx_call_retype(struct monitor *m,
	const struct monitor_call *c)
{
	return for_pages(m, c, retype);
}

enum monitor_result sgx_call_remove(struct monitor *m,
	const struct monitor_call *c)
{
	return for_pages(m, c, remove_one);
}

enum monitor_result sgx_call_augment(struct monitor *m,
	const struct monitor_call *c)
{
	uint64_t i = 0;
	if (!m->sgx.initialised || m->sgx.inside)
		return MONITOR_WRONG;
	for (; i < c->b; i++) {
		uint64_t at = c->a + i * PAGE_BYTES;
		if (!epcm_find(&m->sgx.epcm, at) && !sgx_augment(m, at))
			break;
	}
	return tell(m, i, SGX_SUCCESS);
}
