/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [snp] in a policy (docs/policy.md). */
#include <stdlib.h>

#include "attest/rules.h"
#include "attest/snp.h"
#include "codec/toml.h"

enum { MAX_NAMES = 64, KEY_DIGEST = 48, HOST_DATA = 32 };
_Static_assert((int)ATTEST_SNP_PRODUCTS == (int)SNP_PRODUCTS, "products");

static enum attest_snp_product find_product(const char *name)
{
	unsigned p = 0;
	while (p < SNP_PRODUCTS &&
		strcmp(attest_snp_name((enum attest_snp_product)p), name) != 0)
		p++;
	return (enum attest_snp_product)p;
}

static bool read_products(struct attest_snp_rules *r, struct toml_node *n,
	struct err *e)
{
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	memset(r->products, 0, sizeof r->products);
	for (size_t i = 0; i < toml_count(n); i++) {
		struct toml_node *item = toml_at(n, i);
		const char *name;
		if (!toml_cstring(item, &name, e))
			return false;
		enum attest_snp_product p = find_product(name);
		if (p == SNP_PRODUCTS)
			return err_fail(e, ERR_INPUT,
				"%s: unknown product, expected milan, genoa "
				"or turin",
				toml_where(item));
		r->products[p] = true;
	}
	if (!toml_count(n))
		return err_fail(e, ERR_INPUT,
			"%s: products names none, expected at least one",
			toml_where(n));
	return true;
}

/* { bootloader = 4, snp = 24, ... } into the bytes of a TCB_VERSION. */
static bool read_tcb(struct toml_node *table, enum attest_snp_product p,
	uint8_t tcb[8], struct err *e)
{
	if (!toml_expect(table, TOML_TABLE, e))
		return false;
	for (unsigned i = 0; i < SNP_TCB_PARTS; i++) {
		enum snp_tcb_part part = (enum snp_tcb_part)i;
		int at = attest_snp_part_at(p, part);
		struct toml_node *n =
			at < 0 ? NULL : toml_get(table, attest_snp_part(part));
		int64_t v = 0;
		if (n && !toml_integer(n, 0, UINT8_MAX, &v, e))
			return false;
		if (at >= 0)
			tcb[at] = (uint8_t)v;
	}
	return toml_no_more(table, e);
}

static bool read_minimum(struct attest_snp_rules *r, unsigned kind,
	struct toml_node *n, struct err *e)
{
	if (!toml_expect(n, TOML_TABLE, e))
		return false;
	for (unsigned i = 0; i < SNP_PRODUCTS; i++) {
		enum attest_snp_product p = (enum attest_snp_product)i;
		struct toml_node *t = toml_get(n, attest_snp_name(p));
		if (t && !read_tcb(t, p, r->minimum_tcb[kind][i], e))
			return false;
	}
	return toml_no_more(n, e);
}

/* One for all kinds, then what single ones say. */
static bool read_minimum_tcb(struct attest_snp_rules *r, struct toml_node *t,
	struct err *e)
{
	static const char *const keys[ATTEST_TCB_KINDS] = {
		[ATTEST_TCB_REPORTED] = "minimum_reported_tcb",
		[ATTEST_TCB_COMMITTED] = "minimum_committed_tcb",
		[ATTEST_TCB_LAUNCH] = "minimum_launch_tcb",
	};
	struct toml_node *n = toml_get(t, "minimum_tcb");
	for (unsigned k = 0; n && k < ATTEST_TCB_KINDS; k++)
		if (!read_minimum(r, k, n, e))
			return false;
	for (unsigned k = 0; k < ATTEST_TCB_KINDS; k++) {
		n = toml_get(t, keys[k]);
		if (n && !read_minimum(r, k, n, e))
			return false;
	}
	return true;
}

static bool read_crl(struct attest_snp_rules *r, struct toml_node *n,
	struct err *e)
{
	const char *word;
	if (!toml_cstring(n, &word, e))
		return false;
	r->crl_optional = strcmp(word, "optional") == 0;
	if (!r->crl_optional && strcmp(word, "required") != 0)
		return err_fail(e, ERR_INPUT,
			"%s: crl must be \"required\" or \"optional\"",
			toml_where(n));
	return true;
}

bool attest_names_read(struct attest_names *to, struct toml_node *n,
	struct err *e)
{
	if (!toml_expect(n, TOML_ARRAY, e))
		return false;
	if (toml_count(n) > MAX_NAMES)
		return err_fail(e, ERR_LIMIT, "%s: more than %d names",
			toml_where(n), MAX_NAMES);
	to->ptr = calloc(MAX_NAMES, sizeof *to->ptr);
	for (size_t i = 0; to->ptr && i < toml_count(n); i++) {
		const char *name;
		if (!toml_cstring(toml_at(n, i), &name, e))
			return false;
		to->ptr[to->count] = strdup(name);
		if (!to->ptr[to->count])
			break;
		to->count++;
	}
	if (to->count != toml_count(n))
		return err_fail(e, ERR_LIMIT, "policy: out of memory");
	return true;
}

/* A chip id is as long as its product has it: 64 bytes, Turin's 8. */
static bool read_chips(struct attest_digests *to, struct toml_node *n,
	struct err *e)
{
	bool none;
	size_t len = 64;
	struct bytes first;
	if (toml_kind(n) == TOML_ARRAY && toml_count(n) &&
		toml_string(toml_at(n, 0), &first, NULL) && first.len == 16)
		len = 8;
	return attest_digests_read(n, len, "", to, &none, e);
}

/* "1.51": major and minor of the firmware's interface. */
static bool read_abi(unsigned *out, struct toml_node *n, struct err *e)
{
	const char *text;
	if (!toml_cstring(n, &text, e))
		return false;
	char *end;
	unsigned long major = strtoul(text, &end, 10), minor = 256;
	if (end != text && *end == '.' && end[1] >= '0' && end[1] <= '9')
		minor = strtoul(end + 1, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || major > 255 ||
		minor > 255)
		return err_fail(e, ERR_INPUT,
			"%s: expected a version like \"1.51\"", toml_where(n));
	*out = (unsigned)(major << 8 | minor);
	return true;
}

/* "1.55.22": major, minor and build of the firmware. */
static bool read_firmware(unsigned *out, struct toml_node *n, struct err *e)
{
	const char *text, *p;
	unsigned long part[3] = { 0 };
	if (!toml_cstring(n, &text, e))
		return false;
	p = text;
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		char *end;
		bool digit = *p >= '0' && *p <= '9';
		part[i] = digit ? strtoul(p, &end, 10) : 256;
		if (part[i] > 255 || *end != (i < 2 ? '.' : '\0'))
			return err_fail(e, ERR_INPUT,
				"%s: expected a version like \"1.55.22\"",
				toml_where(n));
		p = end + 1;
	}
	*out = (unsigned)(part[0] << 16 | part[1] << 8 | part[2]);
	return true;
}

static bool read_masks(struct attest_snp_rules *r, struct toml_node *t,
	struct err *e)
{
	struct toml_node *n = toml_get(t, "policy");
	if (n && !attest_mask_read(&r->policy, n, e))
		return false;
	n = toml_get(t, "platform_info");
	if (n && !attest_mask_read(&r->platform, n, e))
		return false;
	n = toml_get(t, "minimum_firmware");
	if (n && !read_firmware(&r->minimum_firmware, n, e))
		return false;
	n = toml_get(t, "require_mitigations");
	return !n || attest_u64_read(&r->mitigations, n, e);
}

static bool read_flags(struct attest_snp_rules *r, struct toml_node *t,
	struct err *e)
{
	bool smt = true, alias = true;
	const struct {
		const char *key;
		bool *to;
	} flags[] = {
		{ "allow_smt", &smt },
		{ "require_alias_check", &alias },
		{ "require_single_socket", &r->single_socket },
		{ "require_ciphertext_hiding", &r->ciphertext_hiding },
		{ "allow_masked_chip", &r->allow_masked_chip },
	};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		struct toml_node *n = toml_get(t, flags[i].key);
		if (n && !toml_bool(n, flags[i].to, e))
			return false;
	}
	r->refuse_smt = !smt;
	r->allow_no_alias_check = !alias;
	return true;
}

static bool read_numbers(struct attest_snp_rules *r, struct toml_node *t,
	struct err *e)
{
	int64_t vmpl = 0, svn = 0;
	struct toml_node *n = toml_get(t, "vmpl");
	if (n && !toml_integer(n, 0, 3, &vmpl, e))
		return false;
	n = toml_get(t, "minimum_guest_svn");
	if (n && !toml_integer(n, 0, UINT32_MAX, &svn, e))
		return false;
	r->vmpl = (uint32_t)vmpl;
	r->minimum_guest_svn = (uint32_t)svn;
	n = toml_get(t, "minimum_abi");
	return !n || read_abi(&r->minimum_abi, n, e);
}

static bool read_lists(struct attest_snp_rules *r, struct toml_node *t,
	struct err *e)
{
	const struct attest_list lists[] = {
		{ "author_keys", KEY_DIGEST, &r->author_keys },
		{ "id_keys", KEY_DIGEST, &r->id_keys },
		{ "deny_keys", KEY_DIGEST, &r->deny_keys },
		{ "host_data", HOST_DATA, &r->host_data },
		{ "family_ids", 16, &r->family_ids },
		{ "image_ids", 16, &r->image_ids },
	};
	return attest_lists_read(lists, ARRAY_LEN(lists), t, e);
}

bool attest_policy_snp_read(struct attest_snp_rules *r, struct toml_node *table,
	struct err *e)
{
	static const struct {
		const char *key;
		bool (*read)(struct attest_snp_rules *, struct toml_node *,
			struct err *);
	} keys[] = {
		{ "products", read_products },
		{ "crl", read_crl },
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct toml_node *n = toml_get(table, keys[i].key);
		if (n && !keys[i].read(r, n, e))
			return false;
	}
	struct toml_node *n = toml_get(table, "csp_ids");
	if (n && !attest_names_read(&r->csp_ids, n, e))
		return false;
	n = toml_get(table, "deny_chip_ids");
	if (n && !read_chips(&r->deny_chip_ids, n, e))
		return false;
	n = toml_get(table, "chip_ids");
	if (n && !read_chips(&r->chip_ids, n, e))
		return false;
	if (!read_minimum_tcb(r, table, e) || !read_masks(r, table, e))
		return false;
	return read_flags(r, table, e) && read_numbers(r, table, e) &&
		read_lists(r, table, e);
}
