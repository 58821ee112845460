/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy holds, without the file that it came from. */
#include "attest/rules.h"

#include <stdlib.h>

#include "attest/snp.h"

enum { MAX_DIGESTS = 4096, ROOT_BYTES = 32 };

static const struct {
	const char *name;
	size_t measurement_len;
} techs[ATTEST_TECHS] = {
	[ATTEST_TECH_PROCESS] = { "process", 48 },
	[ATTEST_TECH_KVM] = { "kvm", 48 },
	[ATTEST_TECH_SNP] = { "snp", 48 },
	[ATTEST_TECH_TDX] = { "tdx", 48 },
	[ATTEST_TECH_SGX] = { "sgx", 32 },
	[ATTEST_TECH_SANCTUM] = { "sanctum", 64 },
	[ATTEST_TECH_KEYSTONE] = { "keystone", 64 },
	[ATTEST_TECH_PEF] = { "pef", 32 },
};

const char *attest_tech_name(enum attest_tech t)
{
	return t < ATTEST_TECHS ? techs[t].name : "unknown";
}

enum attest_tech attest_tech_find(const char *name)
{
	unsigned t = 0;
	while (t < ATTEST_TECHS && strcmp(techs[t].name, name) != 0)
		t++;
	return (enum attest_tech)t;
}

size_t attest_tech_measurement_len(enum attest_tech t)
{
	return t < ATTEST_TECHS ? techs[t].measurement_len : 0;
}

bool attest_digests_has(const struct attest_digests *d, struct bytes v)
{
	for (size_t i = 0; i < d->count; i++)
		if (bytes_equal(bytes_of(d->ptr[i].value, d->ptr[i].len), v))
			return true;
	return false;
}

bool attest_digests_add(struct attest_digests *d, struct bytes v, struct err *e)
{
	if (attest_digests_has(d, v))
		return true;
	struct attest_digest one = { .len = v.len };
	if (v.len > sizeof one.value || d->count == MAX_DIGESTS)
		return err_fail(e, ERR_LIMIT, "policy: more than %d digests",
			MAX_DIGESTS);
	memcpy(one.value, v.ptr, v.len);
	struct attest_digest *p = realloc(d->ptr, (d->count + 1) * sizeof *p);
	if (!p)
		return err_fail(e, ERR_LIMIT, "policy: out of memory");
	p[d->count++] = one;
	d->ptr = p;
	return true;
}

/*
 * The least that is accepted where a policy says nothing: the SNP part of the
 * firmware from which on public reports of a product show the check against
 * aliased memory.  That part counts alike on all models of a product;
 * microcode does not, so a policy may add it (docs/policy.md).
 */
static const struct {
	enum attest_snp_product product;
	enum snp_tcb_part part;
	uint8_t least;
} defaults[] = {
	{ SNP_MILAN, SNP_TCB_SNP, 24 },
	{ SNP_GENOA, SNP_TCB_SNP, 23 },
	{ SNP_TURIN, SNP_TCB_SNP, 4 },
};

static void snp_init(struct attest_snp_rules *r)
{
	for (size_t p = 0; p < SNP_PRODUCTS; p++)
		r->products[p] = true;
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		for (size_t k = 0; k < ATTEST_TCB_KINDS; k++)
			r->minimum_tcb[k][defaults[i].product]
				      [attest_snp_part_at(defaults[i].product,
					      defaults[i].part)] =
				defaults[i].least;
}

static void names_fini(struct attest_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->ptr[i]);
	free(n->ptr);
}

static void snp_fini(struct attest_snp_rules *r)
{
	struct attest_digests *all[] = { &r->author_keys, &r->id_keys,
		&r->deny_keys, &r->chip_ids, &r->host_data, &r->family_ids,
		&r->image_ids, &r->deny_chip_ids };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->ptr);
	names_fini(&r->csp_ids);
}

static void intel_fini(struct attest_intel_rules *r)
{
	names_fini(&r->statuses);
	names_fini(&r->advisories);
	free(r->fmspcs.ptr);
}

static void both_intel_fini(struct attest_policy *p)
{
	struct attest_tdx_rules *t = &p->tdx;
	struct attest_digests *all[] = { &p->sgx.signers, &t->rtmr[0],
		&t->rtmr[1], &t->rtmr[2], &t->rtmr[3], &t->mrseam,
		&t->mrconfigid, &t->mrowner, &t->mrownerconfig, &t->mrservicetd,
		&p->sgx.deny_signers, &p->sgx.config_ids,
		&p->sgx.extended_product_ids, &p->sgx.family_ids };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->ptr);
	intel_fini(&p->sgx.intel);
	intel_fini(&t->intel);
}

static void riscv_fini(struct attest_riscv_rules *r)
{
	struct attest_digests *all[] = { &r->manufacturers, &r->devices,
		&r->monitor_keys, &r->monitors };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->ptr);
}

static void both_riscv_fini(struct attest_policy *p)
{
	riscv_fini(&p->keystone);
	riscv_fini(&p->sanctum);
	free(p->pef_keys.ptr);
}

void attest_policy_free(struct attest_policy *p)
{
	if (!p)
		return;
	for (size_t t = 0; t < ATTEST_TECHS; t++) {
		free(p->rules[t].accept.ptr);
		free(p->rules[t].deny.ptr);
	}
	free(p->roots.ptr);
	free(p->owners.ptr);
	snp_fini(&p->snp);
	both_intel_fini(p);
	both_riscv_fini(p);
	free(p);
}

bool attest_policy_new(struct attest_policy **out, struct err *e)
{
	struct attest_policy *p = calloc(1, sizeof *p);
	if (!p)
		return err_fail(e, ERR_LIMIT, "policy: out of memory");
	for (size_t t = 0; t < ATTEST_TECHS; t++)
		p->rules[t].allowed = true;
	snp_init(&p->snp);
	*out = p;
	return true;
}

bool attest_policy_trust_root(struct attest_policy *p,
	const uint8_t fingerprint[32], struct err *e)
{
	return attest_digests_add(&p->roots, bytes_of(fingerprint, ROOT_BYTES),
		e);
}
