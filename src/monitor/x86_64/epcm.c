/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/epcm.h"

#define KNOWN_FLAGS                                               \
	(SGX_PAGE_RIGHTS | SGX_PAGE_PENDING | SGX_PAGE_MODIFIED | \
		SGX_PAGE_PR | 0xff00ull)

/* A table of its own, of the same make and out of the same memory. */
static struct npt index_of(const struct epcm *m)
{
	struct npt t = *m->tables;
	t.root = m->root;
	return t;
}

static bool index_set(struct epcm *m, uint64_t address, uint64_t page)
{
	struct npt t = index_of(m);
	bool ok = npt_map(&t, address, page, page ? NPT_PRESENT : 0);
	m->tables->next = t.next;
	return ok;
}

bool epcm_init(struct epcm *m, struct npt *tables)
{
	struct npt t;
	m->tables = tables;
	if (!npt_init(&t, tables->next, tables->end))
		return false;
	m->root = t.root;
	tables->next = t.next;
	return true;
}

static bool inside(const struct epcm *m, uint64_t address)
{
	return address >= m->base && address - m->base < m->bytes;
}

struct epcm_entry *epcm_find(const struct epcm *m, uint64_t address)
{
	struct npt t = index_of(m);
	bool large;
	if (!inside(m, address))
		return NULL;
	uint64_t e = npt_find(&t, address, &large);
	if (!(e & NPT_PRESENT))
		return NULL;
	uint64_t page = e & ~(uint64_t)(PAGE_BYTES - 1);
	return &m->entries[(page - m->begin) / PAGE_BYTES];
}

uint64_t epcm_page(const struct epcm *m, const struct epcm_entry *p)
{
	return m->begin + (uint64_t)(p - m->entries) * PAGE_BYTES;
}

/* --- ENCLS --------------------------------------------------------------- */

static struct epcm_entry *take(struct epcm *m)
{
	uint64_t count = (m->end - m->begin) / PAGE_BYTES;
	for (; m->hint < count; m->hint++)
		if (!m->entries[m->hint].valid)
			return &m->entries[m->hint];
	return NULL;
}

static enum epcm_added put(struct epcm *m, const struct epcm_entry *wanted,
	uint64_t *page)
{
	if (wanted->address % PAGE_BYTES || !inside(m, wanted->address))
		return EPCM_WRONG;
	if (epcm_find(m, wanted->address))
		return EPCM_THERE;
	struct epcm_entry *p = take(m);
	if (!p)
		return EPCM_FULL;
	*page = epcm_page(m, p);
	if (!index_set(m, wanted->address, *page))
		return EPCM_FULL;
	*p = *wanted;
	p->valid = 1;
	return EPCM_ADDED;
}

enum epcm_added epcm_add(struct epcm *m, uint64_t address, uint64_t flags,
	uint64_t *page)
{
	struct epcm_entry p = { .address = address,
		.type = (uint8_t)SGX_PAGE_TYPE_OF(flags),
		.rights = (uint8_t)(flags & SGX_PAGE_RIGHTS) };
	/* SECINFO (§34.12): no writing without reading; a TCS has no rights;
	 * nothing else can be added. */
	bool ok = !(flags & ~(SGX_PAGE_RIGHTS | 0xff00ull)) &&
		(p.type == SGX_PT_REG || p.type == SGX_PT_TCS) &&
		!((flags & SGX_PAGE_W) && !(flags & SGX_PAGE_R)) &&
		(p.type == SGX_PT_REG || !p.rights);
	return ok ? put(m, &p, page) : EPCM_WRONG;
}

enum epcm_added epcm_augment(struct epcm *m, uint64_t address, uint64_t *page)
{
	const struct epcm_entry p = { .address = address,
		.type = SGX_PT_REG,
		.rights = SGX_PAGE_R | SGX_PAGE_W,
		.pending = 1 };
	return put(m, &p, page);
}

enum sgx_error epcm_restrict(struct epcm *m, uint64_t address, uint64_t rights)
{
	struct epcm_entry *p = epcm_find(m, address);
	if (!p || p->type != SGX_PT_REG || p->pending || p->modified)
		return SGX_PAGE_NOT_MODIFIABLE;
	p->rights &= (uint8_t)rights;
	p->restricted = 1;
	return SGX_SUCCESS;
}

enum sgx_error epcm_retype(struct epcm *m, uint64_t address,
	enum sgx_page_type type)
{
	struct epcm_entry *p = epcm_find(m, address);
	bool legal = type == SGX_PT_TCS || type == SGX_PT_TRIM;
	if (!p || !legal || p->pending || p->modified ||
		(p->type != SGX_PT_REG && p->type != SGX_PT_TCS))
		return SGX_PAGE_NOT_MODIFIABLE;
	p->type = (uint8_t)type;
	p->rights = 0;
	p->restricted = 0;
	p->modified = 1;
	return SGX_SUCCESS;
}

/* The driver removes what the enclave has agreed to lose. */
enum sgx_error epcm_remove(struct epcm *m, uint64_t address)
{
	struct epcm_entry *p = epcm_find(m, address);
	if (!p || p->type != SGX_PT_TRIM || p->modified)
		return SGX_PAGE_NOT_MODIFIABLE;
	uint64_t at = (uint64_t)(p - m->entries);
	if (!index_set(m, address, 0))
		return SGX_PAGE_NOT_MODIFIABLE;
	*p = (struct epcm_entry){ 0 };
	if (at < m->hint)
		m->hint = at;
	return SGX_SUCCESS;
}

/* --- ENCLU --------------------------------------------------------------- */

bool epcm_check(const struct epcm_entry *p, uint64_t rights)
{
	return p->type == SGX_PT_REG && !p->pending && !p->modified &&
		(p->rights & rights) == rights;
}

bool epcm_accept_legal(uint64_t flags)
{
	enum sgx_page_type type = SGX_PAGE_TYPE_OF(flags);
	uint64_t what =
		flags & (SGX_PAGE_PENDING | SGX_PAGE_MODIFIED | SGX_PAGE_PR);
	if (flags & ~KNOWN_FLAGS ||
		((flags & SGX_PAGE_W) && !(flags & SGX_PAGE_R)))
		return false;
	if (type == SGX_PT_REG)
		return what == SGX_PAGE_PENDING || what == SGX_PAGE_PR;
	return (type == SGX_PT_TRIM || type == SGX_PT_TCS) &&
		what == SGX_PAGE_MODIFIED && !(flags & SGX_PAGE_RIGHTS);
}

static uint64_t flags_of(const struct epcm_entry *p)
{
	return SGX_PAGE_TYPE(p->type) | p->rights |
		(p->pending ? SGX_PAGE_PENDING : 0) |
		(p->modified ? SGX_PAGE_MODIFIED : 0) |
		(p->restricted ? SGX_PAGE_PR : 0);
}

enum sgx_error epcm_accept(struct epcm_entry *p, uint64_t flags)
{
	if (flags_of(p) != flags)
		return SGX_PAGE_ATTRIBUTES_MISMATCH;
	p->pending = p->modified = p->restricted = 0;
	return SGX_SUCCESS;
}

bool epcm_extend(struct epcm_entry *p, uint64_t flags)
{
	if (p->type != SGX_PT_REG || p->pending || p->modified)
		return false;
	p->rights |= (uint8_t)(flags & SGX_PAGE_RIGHTS);
	return true;
}

enum sgx_error epcm_accept_copy(struct epcm_entry *p, uint64_t flags)
{
	if (p->type != SGX_PT_REG || !p->pending || p->modified)
		return SGX_PAGE_ATTRIBUTES_MISMATCH;
	p->pending = 0;
	p->rights = (uint8_t)(flags & SGX_PAGE_RIGHTS);
	return SGX_SUCCESS;
}
