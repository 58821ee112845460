/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [sgx] and [tdx] in a policy (docs/policy.md). */
#include <stdlib.h>

#include "attest/intel.h"
#include "attest/rules.h"
#include "codec/toml.h"

enum { REGISTER = 48, SIGNER = 32 };

static void intel_fini(struct attest_intel_rules *r)
{
	attest_names_fini(&r->statuses);
	attest_names_fini(&r->advisories);
}

void attest_policy_intel_fini(struct attest_policy *p)
{
	struct attest_tdx_rules *t = &p->tdx;
	struct attest_digests *all[] = { &p->sgx.signers, &t->rtmr[0],
		&t->rtmr[1], &t->rtmr[2], &t->rtmr[3], &t->mrseam,
		&t->mrconfigid, &t->mrowner, &t->mrownerconfig };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]->ptr);
	intel_fini(&p->sgx.intel);
	intel_fini(&t->intel);
}

/* Statuses that may be accepted: never Revoked, never no status at all. */
static bool read_statuses(struct attest_names *to, struct toml_node *n,
	struct err *e)
{
	if (!attest_names_read(to, n, e))
		return false;
	for (size_t i = 0; i < to->count; i++)
		if (attest_status_find(to->ptr[i]) >= INTEL_REVOKED)
			return err_fail(e, ERR_INPUT,
				"%s: expected a status like \"OutOfDate\", "
				"never Revoked",
				toml_where(toml_at(n, i)));
	return true;
}

static bool read_intel(struct attest_intel_rules *r, struct toml_node *t,
	struct err *e)
{
	int64_t least = 0;
	struct toml_node *n = toml_get(t, "tcb_status");
	if (n && !read_statuses(&r->statuses, n, e))
		return false;
	n = toml_get(t, "advisories");
	if (n && !attest_names_read(&r->advisories, n, e))
		return false;
	n = toml_get(t, "minimum_evaluation");
	if (n && !toml_integer(n, 0, UINT32_MAX, &least, e))
		return false;
	r->minimum_evaluation = (uint32_t)least;
	return true;
}

static bool read_u16(struct toml_node *n, uint16_t *out, struct err *e)
{
	int64_t v = 0;
	if (!toml_integer(n, 0, UINT16_MAX, &v, e))
		return false;
	*out = (uint16_t)v;
	return true;
}

bool attest_policy_sgx_read(struct attest_sgx_rules *r, struct toml_node *t,
	struct err *e)
{
	bool none;
	struct toml_node *n = toml_get(t, "signers");
	if (n && !attest_digests_read(n, SIGNER, "", &r->signers, &none, e))
		return false;
	n = toml_get(t, "product_id");
	r->product_named = n != NULL;
	if (n && !read_u16(n, &r->product_id, e))
		return false;
	n = toml_get(t, "minimum_svn");
	if (n && !read_u16(n, &r->minimum_svn, e))
		return false;
	n = toml_get(t, "allow_provision_key");
	if (n && !toml_bool(n, &r->allow_provision_key, e))
		return false;
	return read_intel(&r->intel, t, e);
}

bool attest_policy_tdx_read(struct attest_tdx_rules *r, struct toml_node *t,
	struct err *e)
{
	const struct {
		const char *key;
		struct attest_digests *to;
	} lists[] = {
		{ "rtmr0", &r->rtmr[0] },
		{ "rtmr1", &r->rtmr[1] },
		{ "rtmr2", &r->rtmr[2] },
		{ "rtmr3", &r->rtmr[3] },
		{ "mrseam", &r->mrseam },
		{ "mrconfigid", &r->mrconfigid },
		{ "mrowner", &r->mrowner },
		{ "mrownerconfig", &r->mrownerconfig },
	};
	const struct {
		const char *key;
		bool *to;
	} flags[] = {
		{ "allow_sept_ve", &r->allow_sept_ve },
		{ "allow_perfmon", &r->allow_perfmon },
		{ "allow_service_td", &r->allow_service_td },
	};
	bool none;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct toml_node *n = toml_get(t, lists[i].key);
		if (n &&
			!attest_digests_read(n, REGISTER, "", lists[i].to,
				&none, e))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct toml_node *n = toml_get(t, flags[i].key);
		if (n && !toml_bool(n, flags[i].to, e))
			return false;
	}
	return read_intel(&r->intel, t, e);
}
