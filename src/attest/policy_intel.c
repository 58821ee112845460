/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [sgx] and [tdx] in a policy (docs/policy.md). */
#include <stdlib.h>

#include "attest/intel.h"
#include "attest/rules.h"
#include "attest/time.h"
#include "codec/toml.h"

enum { REGISTER = 48, SIGNER = 32 };

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

static bool read_date(int64_t *out, struct toml_node *n, struct err *e)
{
	const char *text;
	if (!toml_cstring(n, &text, e))
		return false;
	return attest_time_parse(text, out) ||
		err_fail(e, ERR_INPUT,
			"%s: expected a date like \"2024-03-13\"",
			toml_where(n));
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
	n = toml_get(t, "fmspcs");
	bool none;
	if (n && !attest_digests_read(n, 6, "", &r->fmspcs, &none, e))
		return false;
	n = toml_get(t, "minimum_tcb_date");
	return !n || read_date(&r->minimum_tcb_date, n, e);
}

static bool read_u16(struct toml_node *n, uint16_t *out, struct err *e)
{
	int64_t v = 0;
	if (!toml_integer(n, 0, UINT16_MAX, &v, e))
		return false;
	*out = (uint16_t)v;
	return true;
}

struct mask {
	const char *key;
	struct attest_mask *to;
};

static bool read_masks(const struct mask *masks, size_t count,
	struct toml_node *t, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct toml_node *n = toml_get(t, masks[i].key);
		if (n && !attest_mask_read(masks[i].to, n, e))
			return false;
	}
	return true;
}

/* Sixteen numbers, in the order of TEE_TCB_SVN. */
static bool read_svns(uint8_t out[16], struct toml_node *n, struct err *e)
{
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	if (toml_count(n) != 16)
		return err_fail(e, ERR_INPUT, "%s: expected 16 numbers",
			toml_where(n));
	for (size_t i = 0; i < 16; i++) {
		int64_t v = 0;
		if (!toml_integer(toml_at(n, i), 0, UINT8_MAX, &v, e))
			return false;
		out[i] = (uint8_t)v;
	}
	return true;
}

bool attest_policy_sgx_read(struct attest_sgx_rules *r, struct toml_node *t,
	struct err *e)
{
	const struct attest_list lists[] = {
		{ "signers", SIGNER, &r->signers },
		{ "deny_signers", SIGNER, &r->deny_signers },
		{ "config_ids", 64, &r->config_ids },
		{ "extended_product_ids", 16, &r->extended_product_ids },
		{ "family_ids", 16, &r->family_ids },
	};
	const struct mask masks[] = {
		{ "attributes", &r->attributes },
		{ "xfrm", &r->xfrm },
		{ "miscselect", &r->miscselect },
	};
	if (!attest_lists_read(lists, ARRAY_LEN(lists), t, e) ||
		!read_masks(masks, ARRAY_LEN(masks), t, e))
		return false;
	struct toml_node *n = toml_get(t, "product_id");
	r->product_named = n != NULL;
	if (n && !read_u16(n, &r->product_id, e))
		return false;
	n = toml_get(t, "minimum_svn");
	if (n && !read_u16(n, &r->minimum_svn, e))
		return false;
	n = toml_get(t, "minimum_config_svn");
	if (n && !read_u16(n, &r->minimum_config_svn, e))
		return false;
	n = toml_get(t, "allow_provision_key");
	if (n && !toml_bool(n, &r->allow_provision_key, e))
		return false;
	return read_intel(&r->intel, t, e);
}

bool attest_policy_tdx_read(struct attest_tdx_rules *r, struct toml_node *t,
	struct err *e)
{
	const struct attest_list lists[] = {
		{ "rtmr0", REGISTER, &r->rtmr[0] },
		{ "rtmr1", REGISTER, &r->rtmr[1] },
		{ "rtmr2", REGISTER, &r->rtmr[2] },
		{ "rtmr3", REGISTER, &r->rtmr[3] },
		{ "mrseam", REGISTER, &r->mrseam },
		{ "mrconfigid", REGISTER, &r->mrconfigid },
		{ "mrowner", REGISTER, &r->mrowner },
		{ "mrownerconfig", REGISTER, &r->mrownerconfig },
		{ "mrservicetd", REGISTER, &r->mrservicetd },
	};
	const struct mask masks[] = {
		{ "attributes", &r->attributes },
		{ "xfam", &r->xfam },
	};
	const struct {
		const char *key;
		bool *to;
	} flags[] = {
		{ "allow_sept_ve", &r->allow_sept_ve },
		{ "allow_perfmon", &r->allow_perfmon },
		{ "allow_service_td", &r->allow_service_td },
	};
	if (!attest_lists_read(lists, ARRAY_LEN(lists), t, e) ||
		!read_masks(masks, ARRAY_LEN(masks), t, e))
		return false;
	struct toml_node *svns = toml_get(t, "minimum_tcb_svn");
	if (svns && !read_svns(r->minimum_tcb_svn, svns, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct toml_node *n = toml_get(t, flags[i].key);
		if (n && !toml_bool(n, flags[i].to, e))
			return false;
	}
	return read_intel(&r->intel, t, e);
}
