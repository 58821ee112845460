/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over a policy's fields serves both directions, so that they can't
 * differ.  Numbers are little-endian; lists have their u16 count first.
 */
#include "attest/wire.h"

#include <stdlib.h>

#include "attest/rules.h"
#include "base/reader.h"

enum { HASH = 32, MAX_NAMES = 64, MAX_NAME = 255, MAX_LIST = 4096 };

struct walk {
	struct buf *out; /* writing, when set */
	struct reader in;
	bool failed; /* no memory, or what can't be */
};

static void number(struct walk *w, uint64_t *v)
{
	if (w->out)
		buf_u64le(w->out, *v);
	else
		*v = reader_u64le(&w->in);
}

static void yes_no(struct walk *w, bool *v)
{
	if (w->out) {
		buf_u8(w->out, *v);
		return;
	}
	uint8_t byte = reader_u8(&w->in);
	w->failed |= byte > 1;
	*v = byte == 1;
}

#define NUMBER(w, field)                                \
	do {                                            \
		uint64_t v_ = (uint64_t)(field);        \
		number(w, &v_);                         \
		(field) = (__typeof__(field))v_;        \
		(w)->failed |= (uint64_t)(field) != v_; \
	} while (0)

static void raw(struct walk *w, uint8_t *p, size_t n)
{
	if (w->out)
		buf_put(w->out, bytes_of(p, n));
	else
		reader_copy(&w->in, p, n);
}

/* How many follow. */
static size_t count(struct walk *w, size_t have, size_t most)
{
	if (w->out) {
		w->failed |= have > most;
		buf_u16le(w->out, (uint16_t)have);
		return have;
	}
	size_t n = reader_u16le(&w->in);
	w->failed |= n > most || w->in.failed;
	return w->failed ? 0 : n;
}

static void digests(struct walk *w, struct attest_digests *d)
{
	struct err ignored;
	size_t n = count(w, d->count, MAX_LIST);
	for (size_t i = 0; i < n && !w->failed; i++) {
		if (w->out) {
			buf_u8(w->out, (uint8_t)d->ptr[i].len);
			raw(w, d->ptr[i].value, d->ptr[i].len);
			continue;
		}
		struct bytes v = reader_take(&w->in, reader_u8(&w->in));
		if (w->in.failed || !v.len ||
			!attest_digests_add(d, v, &ignored))
			w->failed = true;
	}
}

static char *take_name(struct reader *r)
{
	struct bytes v = reader_take(r, reader_u8(r));
	if (r->failed || !v.len || memchr(v.ptr, 0, v.len))
		return NULL;
	return strndup((const char *)v.ptr, v.len);
}

static void names(struct walk *w, struct attest_names *list)
{
	size_t n = count(w, list->count, MAX_NAMES);
	if (!w->out && n) {
		list->ptr = calloc(n, sizeof *list->ptr);
		w->failed |= !list->ptr;
	}
	for (size_t i = 0; i < n && !w->failed; i++) {
		if (w->out) {
			size_t len = strlen(list->ptr[i]);
			w->failed |= len > MAX_NAME;
			buf_u8(w->out, (uint8_t)len);
			buf_put(w->out, bytes_of(list->ptr[i], len));
			continue;
		}
		list->ptr[i] = take_name(&w->in);
		w->failed |= !list->ptr[i];
		list->count += list->ptr[i] != NULL;
	}
}

static void mask(struct walk *w, struct attest_mask *m)
{
	number(w, &m->mask);
	number(w, &m->value);
}

static void walk_snp(struct walk *w, struct attest_snp_rules *s)
{
	struct attest_digests *lists[] = { &s->author_keys, &s->id_keys,
		&s->deny_keys, &s->chip_ids, &s->host_data, &s->family_ids,
		&s->image_ids, &s->deny_chip_ids };
	for (size_t i = 0; i < ATTEST_SNP_PRODUCTS; i++)
		yes_no(w, &s->products[i]);
	yes_no(w, &s->crl_optional);
	yes_no(w, &s->allow_no_alias_check);
	yes_no(w, &s->allow_masked_chip);
	yes_no(w, &s->refuse_smt);
	yes_no(w, &s->single_socket);
	yes_no(w, &s->ciphertext_hiding);
	NUMBER(w, s->vmpl);
	NUMBER(w, s->minimum_guest_svn);
	NUMBER(w, s->minimum_abi);
	NUMBER(w, s->minimum_firmware);
	NUMBER(w, s->mitigations);
	mask(w, &s->policy);
	mask(w, &s->platform);
	raw(w, &s->minimum_tcb[0][0][0], sizeof s->minimum_tcb);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		digests(w, lists[i]);
	names(w, &s->csp_ids);
}

static void walk_intel(struct walk *w, struct attest_intel_rules *r)
{
	names(w, &r->statuses);
	names(w, &r->advisories);
	digests(w, &r->fmspcs);
	NUMBER(w, r->minimum_evaluation);
	NUMBER(w, r->minimum_tcb_date);
}

static void walk_sgx(struct walk *w, struct attest_sgx_rules *s)
{
	struct attest_digests *lists[] = { &s->signers, &s->deny_signers,
		&s->config_ids, &s->extended_product_ids, &s->family_ids };
	walk_intel(w, &s->intel);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		digests(w, lists[i]);
	mask(w, &s->attributes);
	mask(w, &s->xfrm);
	mask(w, &s->miscselect);
	NUMBER(w, s->minimum_config_svn);
	yes_no(w, &s->product_named);
	yes_no(w, &s->allow_provision_key);
	NUMBER(w, s->product_id);
	NUMBER(w, s->minimum_svn);
}

static void walk_tdx(struct walk *w, struct attest_tdx_rules *t)
{
	struct attest_digests *lists[] = { &t->rtmr[0], &t->rtmr[1],
		&t->rtmr[2], &t->rtmr[3], &t->mrseam, &t->mrconfigid,
		&t->mrowner, &t->mrownerconfig, &t->mrservicetd };
	walk_intel(w, &t->intel);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		digests(w, lists[i]);
	mask(w, &t->attributes);
	mask(w, &t->xfam);
	raw(w, t->minimum_tcb_svn, sizeof t->minimum_tcb_svn);
	yes_no(w, &t->allow_sept_ve);
	yes_no(w, &t->allow_perfmon);
	yes_no(w, &t->allow_service_td);
}

static void walk_riscv(struct walk *w, struct attest_riscv_rules *r)
{
	digests(w, &r->manufacturers);
	digests(w, &r->devices);
	digests(w, &r->monitor_keys);
	digests(w, &r->monitors);
	yes_no(w, &r->allow_guessable_keys);
}

static void walk_policy(struct walk *w, struct attest_policy *p)
{
	for (size_t t = 0; t < ATTEST_TECHS; t++) {
		yes_no(w, &p->rules[t].allowed);
		digests(w, &p->rules[t].accept);
		digests(w, &p->rules[t].deny);
	}
	walk_snp(w, &p->snp);
	walk_sgx(w, &p->sgx);
	walk_tdx(w, &p->tdx);
	walk_riscv(w, &p->keystone);
	walk_riscv(w, &p->sanctum);
	digests(w, &p->pef_keys);
	digests(w, &p->roots);
	digests(w, &p->owners);
	NUMBER(w, p->max_collateral_age);
	yes_no(w, &p->allow_debug);
}

bool attest_policy_encode(const struct attest_policy *p, struct buf *out)
{
	struct walk w = { .out = out };
	struct attest_policy copy = *p; /* read only: its lists are shared */
	size_t before = out->len;
	buf_u16le(out, ATTEST_WIRE_VERSION);
	walk_policy(&w, &copy);
	return buf_ok(out) && !w.failed && out->len - before <= ATTEST_WIRE_MAX;
}

bool attest_policy_decode(struct bytes in, struct attest_policy **out,
	struct err *e)
{
	struct walk w = { .in = { .in = in } };
	struct attest_policy *p;
	if (in.len > ATTEST_WIRE_MAX)
		return err_fail(e, ERR_LIMIT, "policy: %zu bytes", in.len);
	if (reader_u16le(&w.in) != ATTEST_WIRE_VERSION)
		return err_fail(e, ERR_INPUT, "policy: not version %u",
			ATTEST_WIRE_VERSION);
	if (!attest_policy_new(&p, e))
		return false;
	walk_policy(&w, p);
	if (w.failed || !reader_done(&w.in)) {
		attest_policy_free(p);
		return err_fail(e, ERR_INPUT, "policy: not one");
	}
	*out = p;
	return true;
}

bool attest_policy_owners(struct attest_policy *p, struct bytes hashes,
	struct err *e)
{
	p->owners.count = 0;
	for (; hashes.len >= HASH; hashes = bytes_from(hashes, HASH))
		if (!attest_digests_add(&p->owners, bytes_of(hashes.ptr, HASH),
			    e))
			return false;
	return true;
}

bool attest_policy_has_owners(const struct attest_policy *p)
{
	return p->owners.count != 0;
}
