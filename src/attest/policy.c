/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include <stdlib.h>

#include "attest/rules.h"
#include "codec/hex.h"
#include "codec/toml.h"

enum { ROOT_BYTES = 32, MAX_AGE_DAYS = 3660 };

/* What the caller computed. */
struct refs {
	const struct attest_reference *ptr;
	size_t count;
};

/* Accepts this release's images of a technology. */
static bool add_release(struct attest_policy *p, enum attest_tech t,
	const struct refs *refs, struct err *e)
{
	for (size_t i = 0; i < refs->count; i++) {
		const struct attest_reference *r = &refs->ptr[i];
		if (strcmp(r->technology,
			    attest_tech_name((enum attest_tech)t)) != 0)
			continue;
		if (r->len != attest_tech_measurement_len(t))
			return err_fail(e, ERR_INPUT,
				"policy: reference value for %s: %zu bytes, "
				"expected %zu",
				r->technology, r->len,
				attest_tech_measurement_len(t));
		if (!attest_digests_add(&p->rules[t].accept,
			    bytes_of(r->measurement, r->len), e))
			return false;
		if (r->has_monitor && t == ATTEST_TECH_SANCTUM &&
			!attest_digests_add(&p->sanctum.monitors,
				BYTES_ARRAY(r->monitor), e))
			return false;
	}
	return true;
}

size_t attest_measurement_len(const char *technology)
{
	return attest_tech_measurement_len(attest_tech_find(technology));
}

bool attest_policy_default(const struct attest_reference *refs, size_t count,
	struct attest_policy **out, struct err *e)
{
	struct refs r = { refs, count };
	struct attest_policy *p;
	if (!attest_policy_new(&p, e))
		return false;
	for (unsigned t = 0; t < ATTEST_TECHS; t++)
		if (!add_release(p, (enum attest_tech)t, &r, e)) {
			attest_policy_free(p);
			return false;
		}
	*out = p;
	return true;
}

/* One digest of a list: hexadecimal digits, or the word "release". */
static bool read_digest(struct toml_node *n, size_t len, const char *or_else,
	uint8_t out[64], bool *word, struct err *e)
{
	struct bytes s;
	if (!toml_string(n, &s, e))
		return false;
	*word = *or_else && bytes_equal(s, bytes_str(or_else));
	if (*word || hex_decode(s, out, len, NULL))
		return true;
	return err_fail(e, ERR_INPUT, "%s: expected %zu hex digits%s%s%s",
		toml_where(n), 2 * len, *or_else ? " or \"" : "", or_else,
		*or_else ? "\"" : "");
}

bool attest_digests_read(struct toml_node *n, size_t len, const char *or_else,
	struct attest_digests *to, bool *release, struct err *e)
{
	uint8_t raw[64];
	bool word;
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	for (size_t i = 0; i < toml_count(n); i++) {
		struct toml_node *item = toml_at(n, i);
		if (!read_digest(item, len, or_else, raw, &word, e))
			return false;
		if (word)
			*release = true;
		else if (!attest_digests_add(to, bytes_of(raw, len), e))
			return err_wrap(e, "%s", toml_where(item));
	}
	return true;
}

bool attest_lists_read(const struct attest_list *lists, size_t count,
	struct toml_node *table, struct err *e)
{
	bool none;
	for (size_t i = 0; i < count; i++) {
		struct toml_node *n = toml_get(table, lists[i].key);
		if (n &&
			!attest_digests_read(n, lists[i].len, "", lists[i].to,
				&none, e))
			return false;
	}
	return true;
}

bool attest_u64_read(uint64_t *out, struct toml_node *n, struct err *e)
{
	const char *text;
	int64_t v = 0;
	char *end = NULL;
	if (toml_kind(n) != TOML_STRING) {
		if (!toml_integer(n, 0, INT64_MAX, &v, e))
			return false;
		*out = (uint64_t)v;
		return true;
	}
	if (!toml_cstring(n, &text, e))
		return false;
	if (text[0] == '0' && text[1] == 'x' && strlen(text) <= 18)
		*out = strtoull(text + 2, &end, 16);
	if (!end || *end || !text[2] || strspn(text + 2, "+- \t"))
		return err_fail(e, ERR_INPUT,
			"%s: expected a number like \"0x20000\"",
			toml_where(n));
	return true;
}

bool attest_mask_read(struct attest_mask *m, struct toml_node *n, struct err *e)
{
	if (!toml_expect(n, TOML_TABLE, e))
		return false;
	struct toml_node *mask = toml_get(n, "mask");
	struct toml_node *value = toml_get(n, "value");
	if (!mask || !value)
		return err_fail(e, ERR_INPUT,
			"%s: expected { mask = ..., value = ... }",
			toml_where(n));
	if (!attest_u64_read(&m->mask, mask, e) ||
		!attest_u64_read(&m->value, value, e))
		return false;
	if (m->value & ~m->mask)
		return err_fail(e, ERR_INPUT,
			"%s: value has bits that mask lacks", toml_where(n));
	return toml_no_more(n, e);
}

static bool read_technologies(struct attest_policy *p, struct toml_node *n,
	struct err *e)
{
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	if (!toml_count(n))
		return err_fail(e, ERR_INPUT,
			"%s: technologies names none, expected at least one",
			toml_where(n));
	for (size_t t = 0; t < ATTEST_TECHS; t++)
		p->rules[t].allowed = false;
	for (size_t i = 0; i < toml_count(n); i++) {
		struct toml_node *item = toml_at(n, i);
		const char *name;
		if (!toml_cstring(item, &name, e))
			return false;
		enum attest_tech t = attest_tech_find(name);
		if (t == ATTEST_TECHS)
			return err_fail(e, ERR_INPUT,
				"%s: unknown technology, expected process, "
				"kvm, snp, tdx, sgx, sanctum, keystone or pef",
				toml_where(item));
		p->rules[t].allowed = true;
	}
	return true;
}

/* [process] and the like. */
static bool read_rules(struct attest_policy *p, enum attest_tech t,
	struct toml_node *table, const struct refs *refs, struct err *e)
{
	size_t len = attest_tech_measurement_len(t);
	bool release = false, none = false;
	if (!toml_expect(table, TOML_TABLE, e))
		return false;
	struct toml_node *n = toml_get(table, "measurements");
	if (n &&
		!attest_digests_read(n, len, "release", &p->rules[t].accept,
			&release, e))
		return false;
	if (n && !toml_count(n))
		return err_fail(e, ERR_INPUT,
			"%s: measurements names none, expected at least one",
			toml_where(n));
	if ((!n || release) && !add_release(p, t, refs, e))
		return false;
	n = toml_get(table, "deny");
	if (n && !attest_digests_read(n, len, "", &p->rules[t].deny, &none, e))
		return false;
	if (t == ATTEST_TECH_SNP && !attest_policy_snp_read(&p->snp, table, e))
		return false;
	if (t == ATTEST_TECH_SGX && !attest_policy_sgx_read(&p->sgx, table, e))
		return false;
	if (t == ATTEST_TECH_TDX && !attest_policy_tdx_read(&p->tdx, table, e))
		return false;
	if (t == ATTEST_TECH_KEYSTONE &&
		!attest_policy_keystone_read(&p->keystone, table, e))
		return false;
	if (t == ATTEST_TECH_SANCTUM &&
		!attest_policy_sanctum_read(&p->sanctum, table, e))
		return false;
	if (t == ATTEST_TECH_PEF &&
		!attest_policy_pef_read(&p->pef_keys, table, e))
		return false;
	return toml_no_more(table, e);
}

static bool read_document(struct attest_policy *p, struct toml_node *root,
	const struct refs *refs, struct err *e)
{
	bool none = false;
	struct toml_node *n = toml_get(root, "technologies");
	if (n && !read_technologies(p, n, e))
		return false;
	n = toml_get(root, "software");
	if (n && !attest_digests_read(n, ROOT_BYTES, "", &p->roots, &none, e))
		return false;
	n = toml_get(root, "owners");
	if (n && !attest_digests_read(n, ROOT_BYTES, "", &p->owners, &none, e))
		return false;
	n = toml_get(root, "max_collateral_age");
	int64_t days = 0;
	if (n && !toml_integer(n, 1, MAX_AGE_DAYS, &days, e))
		return false;
	p->max_collateral_age = days * 86400;
	n = toml_get(root, "allow_debug");
	if (n && !toml_bool(n, &p->allow_debug, e))
		return false;
	for (unsigned t = 0; t < ATTEST_TECHS; t++) {
		n = toml_get(root, attest_tech_name((enum attest_tech)t));
		if (n ? !read_rules(p, (enum attest_tech)t, n, refs, e) :
			!add_release(p, (enum attest_tech)t, refs, e))
			return false;
	}
	/* Of packages, not of Keeps: repository/trust.c. */
	toml_get(root, "signatures");
	return toml_no_more(root, e);
}

bool attest_policy_parse(struct bytes toml, const char *file,
	const struct attest_reference *refs, size_t count,
	struct attest_policy **out, struct err *e)
{
	struct refs r = { refs, count };
	struct toml_doc *doc;
	struct attest_policy *p;
	if (!toml_parse(toml, file, &doc, e))
		return false;
	if (!attest_policy_new(&p, e)) {
		toml_free(doc);
		return false;
	}
	bool ok = read_document(p, toml_root(doc), &r, e);
	toml_free(doc);
	if (!ok) {
		attest_policy_free(p);
		return false;
	}
	*out = p;
	return true;
}

bool attest_policy_only(struct attest_policy *p, const char *technology,
	struct err *e)
{
	enum attest_tech only = attest_tech_find(technology);
	if (only == ATTEST_TECHS)
		return err_fail(e, ERR_INPUT, "policy: unknown technology");
	for (unsigned t = 0; t < ATTEST_TECHS; t++)
		if (t != (unsigned)only)
			p->rules[t].allowed = false;
	return true;
}
