/* SPDX-License-Identifier: Apache-2.0 */
/* AMD SEV-SNP attestation reports. */
#include "attest/snp.h"

#include <endian.h>

#include "base/fmt.h"
#include "codec/der.h"
#include "crypto/key.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };
enum { P384_BYTES = 48, P384_SPKI_BYTES = 120, TURIN_HWID_BYTES = 8 };

static const struct {
	const char *name;
	int at[2];	/* in a TCB_VERSION of Milan and Genoa, of Turin */
	uint8_t oid[2]; /* below 1.3.6.1.4.1.3704.1 */
} parts[SNP_TCB_PARTS] = {
	[SNP_TCB_FMC] = { "fmc", { -1, 0 }, { 3, 9 } },
	[SNP_TCB_BOOTLOADER] = { "bootloader", { 0, 1 }, { 3, 1 } },
	[SNP_TCB_TEE] = { "tee", { 1, 2 }, { 3, 2 } },
	[SNP_TCB_SNP] = { "snp", { 6, 3 }, { 3, 3 } },
	[SNP_TCB_MICROCODE] = { "microcode", { 7, 7 }, { 3, 8 } },
};

const char *attest_snp_part(enum snp_tcb_part part)
{
	return parts[part].name;
}

int attest_snp_part_at(enum attest_snp_product p, enum snp_tcb_part part)
{
	return parts[part].at[p == SNP_TURIN];
}

uint8_t attest_snp_tcb(enum attest_snp_product p, const uint8_t tcb[8],
	enum snp_tcb_part part)
{
	int at = attest_snp_part_at(p, part);
	return at < 0 ? 0 : tcb[at];
}

/* The bytes of a TCB_VERSION that no part of it names are 0. */
static bool tcb_well_formed(enum attest_snp_product p, const uint8_t tcb[8])
{
	for (int i = 0; i < 8; i++) {
		bool named = false;
		for (unsigned part = 0; part < SNP_TCB_PARTS; part++)
			named |= attest_snp_part_at(p, part) == i;
		if (!named && tcb[i])
			return false;
	}
	return true;
}

bool attest_snp_is(struct bytes evidence)
{
	return evidence.len == SNP_REPORT_BYTES && evidence.ptr[0] >= 2 &&
		evidence.ptr[0] <= 5 &&
		bytes_all_zero(bytes_of(evidence.ptr + 1, 3));
}

/* What must be zero, in the version that the report has. */
static bool reserved_zero(const struct snp_report *v)
{
	uint32_t version = le32toh(v->version);
	struct bytes cpuid = bytes_of(&v->cpuid_family, 3);
	return !v->reserved_04c && (version >= 3 || bytes_all_zero(cpuid)) &&
		bytes_all_zero(BYTES_ARRAY(v->reserved_18b)) &&
		!v->reserved_1eb && !v->reserved_1ef &&
		(version >= 5 ||
			(!v->launch_mit_vector && !v->current_mit_vector)) &&
		bytes_all_zero(BYTES_ARRAY(v->reserved_208)) &&
		bytes_all_zero(BYTES_ARRAY(v->signature.reserved_090));
}

static bool check_format(struct attest_case *c, const struct snp_report *v)
{
	uint64_t policy = le64toh(v->policy);
	const char *why = NULL;
	if (le32toh(v->signature_algo) != SNP_ALGO_P384_SHA384)
		why = "unknown signature algorithm";
	else if (le32toh(v->key_info) & ~SNP_KEY_KNOWN)
		why = "unknown bits in KEY_INFO";
	else if (policy & ~SNP_POLICY_KNOWN || !(policy & SNP_POLICY_ONE))
		why = "unknown bits in POLICY";
	else if (!reserved_zero(v))
		why = "reserved bytes are not 0";
	struct attest_check *k = attest_check(c->out, "evidence format", !why);
	if (why)
		fmt(k->observed, TEXT, "%s", why);
	else
		fmt(k->observed, TEXT, "SNP report, version %u",
			le32toh(v->version));
	fmt(k->required, TEXT, "an SNP report of version 2 to 5");
	return !why;
}

static void check_signing_key(struct attest_case *c, const struct snp_report *v,
	const struct attest_snp_chain *s)
{
	uint32_t key = SNP_KEY_SIGNING(le32toh(v->key_info));
	uint32_t want = s->vlek ? SNP_SIGNED_BY_VLEK : SNP_SIGNED_BY_VCEK;
	struct attest_check *k =
		attest_check(c->out, "signing key", key == want);
	fmt(k->observed, TEXT,
		key == SNP_SIGNED_BY_VCEK	  ? "VCEK" :
			key == SNP_SIGNED_BY_VLEK ? "VLEK" :
						    "none");
	fmt(k->required, TEXT, "%s, as the certificate",
		s->vlek ? "VLEK" : "VCEK");
}

/* Which product a CPU is, by CPUID (since version 3). */
enum attest_snp_product attest_snp_product_of(const struct snp_report *v)
{
	if (le32toh(v->version) < 3)
		return SNP_PRODUCTS;
	uint8_t family = v->cpuid_family, model = v->cpuid_model;
	if (family == 0x19 && model <= 0x0f)
		return SNP_MILAN;
	if (family == 0x19 && (model >> 4 == 0x1 || model >> 4 == 0xa))
		return SNP_GENOA;
	if (family == 0x1a && model <= 0x11)
		return SNP_TURIN;
	return SNP_PRODUCTS;
}

/* An extension of AMD's leaf: 1.3.6.1.4.1.3704.1 and one or two arcs. */
static bool leaf_ext(const struct attest_cert *leaf, const uint8_t *arcs,
	size_t n, struct bytes *value)
{
	uint8_t oid[10] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01 };
	memcpy(oid + 8, arcs, n);
	return attest_cert_ext(leaf, bytes_of(oid, 8 + n), value);
}

static bool leaf_uint(const struct attest_cert *leaf, const uint8_t *arcs,
	size_t n, uint64_t *out)
{
	struct bytes value;
	if (!leaf_ext(leaf, arcs, n, &value))
		return false;
	struct reader r = { .in = value };
	*out = der_uint(&r);
	return reader_done(&r);
}

/* productName is "Milan-B0", "Genoa", ...: the part before a dash. */
static bool leaf_product_is(const struct attest_snp_chain *s,
	enum attest_snp_product p)
{
	static const uint8_t arc = 2;
	const char *name = attest_snp_name(p);
	struct bytes value;
	if (!leaf_ext(&s->leaf, &arc, 1, &value))
		return false;
	struct reader r = { .in = value };
	struct bytes text = der_take(&r, DER_IA5_STRING);
	size_t n = strlen(name);
	if (!reader_done(&r) || text.len < n || (text.ptr[0] | 0x20) != name[0])
		return false;
	return !memcmp(text.ptr + 1, name + 1, n - 1) &&
		(text.len == n || text.ptr[n] == '-');
}

static void check_product(struct attest_case *c, const struct snp_report *v,
	const struct attest_snp_chain *s)
{
	static const uint8_t arc = 1;
	uint64_t version = 0;
	bool named = le32toh(v->version) >= 3;
	enum attest_snp_product cpu =
		named ? attest_snp_product_of(v) : s->product;
	bool ok = s->product < SNP_PRODUCTS && cpu == s->product &&
		leaf_product_is(s, cpu) &&
		leaf_uint(&s->leaf, &arc, 1, &version) &&
		version == (cpu == SNP_TURIN) && c->policy->snp.products[cpu];
	struct attest_check *k = attest_check(c->out, "product", ok);
	fmt(k->observed, TEXT, "%s by CPUID, %s by its root",
		named ? attest_snp_name(cpu) : "unnamed",
		attest_snp_name(s->product));
	size_t n = fmt(k->required, TEXT, "CPU, certificate and root agree on");
	for (unsigned p = 0; p < SNP_PRODUCTS; p++)
		if (c->policy->snp.products[p])
			n += fmt(k->required + n, TEXT - n, " %s",
				attest_snp_name((enum attest_snp_product)p));
}

/* "fmc 1, bootloader 4, tee 0, snp 24, microcode 219" */
static void print_tcb(char out[136], enum attest_snp_product p,
	const uint8_t tcb[8])
{
	size_t n = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < SNP_TCB_PARTS; i++)
		if (attest_snp_part_at(p, i) >= 0)
			n += fmt(out + n, TEXT - n, "%s%s %u", n ? ", " : "",
				parts[i].name, tcb[attest_snp_part_at(p, i)]);
}

/* The TCB that a leaf was made for; false: it does not say so as this
 * product's leaves do. */
static bool leaf_tcb(const struct attest_cert *leaf, enum attest_snp_product p,
	uint8_t out[8])
{
	bool ok = true;
	memset(out, 0, 8);
	for (unsigned i = 0; i < SNP_TCB_PARTS; i++) {
		uint64_t spl = 0;
		int at = attest_snp_part_at(p, i);
		bool there = leaf_uint(leaf, parts[i].oid, 2, &spl);
		if (there != (at >= 0) || spl > UINT8_MAX)
			ok = false;
		else if (at >= 0)
			out[at] = (uint8_t)spl;
	}
	return ok;
}

/* It is made for one TCB, the reported one: exactly that. */
static void check_certified_tcb(struct attest_case *c,
	const struct snp_report *v, const struct attest_snp_chain *s)
{
	uint8_t leaf[8];
	bool ok = leaf_tcb(&s->leaf, s->product, leaf) &&
		tcb_well_formed(s->product, v->reported_tcb) &&
		!memcmp(leaf, v->reported_tcb, sizeof leaf);
	struct attest_check *k = attest_check(c->out, "certified tcb", ok);
	print_tcb(k->observed, s->product, v->reported_tcb);
	print_tcb(k->required, s->product, leaf);
}

void attest_snp_leaf_fits(const struct attest_cert *leaf,
	const struct snp_report *v, bool *chip, bool *tcb)
{
	static const uint8_t arc = 4, fmc[2] = { 3, 9 };
	struct bytes hwid;
	uint64_t spl;
	uint8_t at[8];
	*chip = leaf_ext(leaf, &arc, 1, &hwid) &&
		hwid.len <= sizeof v->chip_id && hwid.len &&
		!memcmp(hwid.ptr, v->chip_id, hwid.len);
	/* Turin's alone have that part. */
	enum attest_snp_product p =
		leaf_uint(leaf, fmc, 2, &spl) ? SNP_TURIN : SNP_MILAN;
	*tcb = leaf_tcb(leaf, p, at) && !memcmp(at, v->reported_tcb, sizeof at);
}

static bool list_has(const struct attest_names *list, struct bytes v)
{
	for (size_t i = 0; i < list->count; i++)
		if (bytes_equal(bytes_str(list->ptr[i]), v))
			return true;
	return false;
}

/* A VLEK belongs to a cloud provider and to no chip. */
static void check_provider(struct attest_case *c,
	const struct attest_snp_chain *s)
{
	static const uint8_t arc = 5;
	struct bytes value = BYTES_NONE, csp = BYTES_NONE;
	if (leaf_ext(&s->leaf, &arc, 1, &value)) {
		struct reader r = { .in = value };
		csp = der_take(&r, DER_IA5_STRING);
		if (!reader_done(&r))
			csp = BYTES_NONE;
	}
	struct attest_check *k = attest_check(c->out, "chip",
		csp.len && list_has(&c->policy->snp.csp_ids, csp));
	size_t n = size_min(csp.len, TEXT - 1);
	for (size_t i = 0; i < n; i++)
		k->observed[i] = csp.ptr[i] < ' ' || csp.ptr[i] > '~' ?
			'?' :
			(char)csp.ptr[i];
	fmt(k->required, TEXT,
		c->policy->snp.csp_ids.count ?
			"a cloud provider that the policy names" :
			"a VCEK: the policy names no cloud provider");
}

static void check_chip(struct attest_case *c, const struct snp_report *v,
	const struct attest_snp_chain *s)
{
	static const uint8_t arc = 4;
	const struct attest_digests *chips = &c->policy->snp.chip_ids;
	struct bytes hwid = BYTES_NONE, id = BYTES_ARRAY(v->chip_id);
	if (s->vlek) {
		check_provider(c, s);
		return;
	}
	size_t n = s->product == SNP_TURIN ? TURIN_HWID_BYTES : id.len;
	bool masked =
		le32toh(v->key_info) & SNP_KEY_MASK_CHIP || bytes_all_zero(id);
	bool named = leaf_ext(&s->leaf, &arc, 1, &hwid) && hwid.len == n;
	/* A masked report's chip is its leaf's, by the signature. */
	bool same = named &&
		(masked ? bytes_all_zero(id) &&
					c->policy->snp.allow_masked_chip :
			  !memcmp(hwid.ptr, id.ptr, n) &&
					bytes_all_zero(bytes_from(id, n)));
	bool listed = (!chips->count || attest_digests_has(chips, hwid)) &&
		!attest_digests_has(&c->policy->snp.deny_chip_ids, hwid);
	struct attest_check *k = attest_check(c->out, "chip", same && listed);
	if (masked)
		fmt(k->observed, TEXT, "masked");
	else
		attest_check_hex(k->observed, bytes_of(id.ptr, n));
	if (listed && masked && !c->policy->snp.allow_masked_chip)
		fmt(k->required, TEXT, "a chip that is not masked");
	else if (listed)
		attest_check_hex(k->required, hwid);
	else
		fmt(k->required, TEXT,
			"a chip that the policy names, and does not deny");
}

/* r and s, little-endian with zeros behind, as r || s big-endian. */
static bool raw_signature(const struct snp_signature *in,
	uint8_t out[2 * P384_BYTES])
{
	const uint8_t *half[] = { in->r, in->s };
	for (size_t h = 0; h < 2; h++) {
		for (size_t i = 0; i < P384_BYTES; i++)
			out[h * P384_BYTES + i] = half[h][P384_BYTES - 1 - i];
		if (!bytes_all_zero(bytes_of(half[h] + P384_BYTES,
			    sizeof in->r - P384_BYTES)))
			return false;
	}
	return true;
}

static void check_signature(struct attest_case *c, const struct snp_report *v,
	const struct attest_snp_chain *s)
{
	uint8_t raw[2 * P384_BYTES];
	struct crypto_key *key = NULL;
	bool ok = raw_signature(&v->signature, raw) &&
		s->leaf.spki.len == P384_SPKI_BYTES &&
		crypto_key_from_spki(s->leaf.spki, &key, NULL) &&
		crypto_verify(key, bytes_of(v, SNP_SIGNED_BYTES),
			BYTES_ARRAY(raw), NULL);
	crypto_key_free(key);
	struct attest_check *k = attest_check(c->out, "signature", ok);
	fmt(k->observed, TEXT, ok ? "of that key" : "not of that key");
	fmt(k->required, TEXT, "ECDSA P-384 of the leaf's key");
}

/* Each part of a at least that of b. */
static bool tcb_at_least(enum attest_snp_product p, const uint8_t a[8],
	const uint8_t b[8])
{
	for (unsigned i = 0; i < SNP_TCB_PARTS; i++)
		if (attest_snp_tcb(p, a, i) < attest_snp_tcb(p, b, i))
			return false;
	return true;
}

/* Shows the first of the three that falls short, or the reported one. */
static void check_minimum_tcb(struct attest_case *c, const struct snp_report *v,
	enum attest_snp_product p)
{
	static const char *const names[ATTEST_TCB_KINDS] = { "reported",
		"committed", "launch" };
	const uint8_t *have[ATTEST_TCB_KINDS] = { v->reported_tcb,
		v->committed_tcb, v->launch_tcb };
	unsigned at = 0;
	char text[TEXT];
	while (at < ATTEST_TCB_KINDS &&
		tcb_at_least(p, have[at],
			c->policy->snp.minimum_tcb[at][p % SNP_PRODUCTS]))
		at++;
	bool ok = at == ATTEST_TCB_KINDS;
	at = ok ? 0 : at;
	struct attest_check *k = attest_check(c->out, "minimum tcb", ok);
	print_tcb(text, p, have[at]);
	fmt(k->observed, TEXT, "%s: %s", names[at], text);
	print_tcb(k->required, p,
		c->policy->snp.minimum_tcb[at][p % SNP_PRODUCTS]);
}

static void check_tcb(struct attest_case *c, const struct snp_report *v,
	enum attest_snp_product p)
{
	const uint8_t *order[] = { v->reported_tcb, v->committed_tcb,
		v->current_tcb };
	bool ok = tcb_at_least(p, order[1], order[0]) &&
		tcb_at_least(p, order[2], order[1]) &&
		tcb_at_least(p, order[2], v->launch_tcb);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		ok = ok && tcb_well_formed(p, order[i]);
	struct attest_check *k = attest_check(c->out, "tcb order", ok);
	print_tcb(k->observed, p, v->committed_tcb);
	fmt(k->required, TEXT,
		"reported <= committed <= current, launch <= current");
	check_minimum_tcb(c, v, p);
}

static const char *guest_problem(const struct attest_snp_rules *r,
	const struct snp_report *v)
{
	uint64_t policy = le64toh(v->policy);
	unsigned abi = (unsigned)(policy & 0xffff); /* major, minor */
	unsigned has = (unsigned)v->current_major << 8 | v->current_minor;
	struct bytes ma = BYTES_ARRAY(v->report_id_ma);
	for (size_t i = 0; i < ma.len; i++)
		if (ma.ptr[i] != 0xff)
			return "associated with a migration agent";
	if (policy & SNP_POLICY_MIGRATE_MA)
		return "may be migrated";
	if (policy & SNP_POLICY_SMT && r->refuse_smt)
		return "may run beside a sibling thread";
	if (!(policy & SNP_POLICY_SINGLE_SOCKET) && r->single_socket)
		return "may run on several sockets";
	if ((policy & r->policy.mask) != r->policy.value)
		return "not the bits that the policy names";
	if (abi < r->minimum_abi)
		return "asks for an older firmware interface than required";
	if (abi > has)
		return "asks for a newer firmware interface than there is";
	return NULL;
}

static void check_platform(struct attest_case *c, const struct snp_report *v)
{
	const struct attest_snp_rules *r = &c->policy->snp;
	uint64_t info = le64toh(v->platform_info);
	unsigned firmware = (unsigned)v->committed_major << 16 |
		(unsigned)v->committed_minor << 8 | v->committed_build;
	const char *why = guest_problem(r, v);
	struct attest_check *k = attest_check(c->out, "guest policy", !why);
	fmt(k->observed, TEXT, "0x%llx%s%s",
		(unsigned long long)le64toh(v->policy), why ? ": " : "",
		why ? why : "");
	fmt(k->required, TEXT, "no migration; what the policy asks for");

	why = NULL;
	if (!(info & SNP_PLATFORM_ALIAS_CHECK) && !r->allow_no_alias_check)
		why = "memory was not checked for aliases";
	else if (!(info & SNP_PLATFORM_CIPHERTEXT_HIDING) &&
		r->ciphertext_hiding)
		why = "ciphertext is not hidden";
	else if (info & SNP_PLATFORM_SMT && r->refuse_smt)
		why = "sibling threads are on";
	else if ((info & r->platform.mask) != r->platform.value)
		why = "not the bits that the policy names";
	else if (firmware < r->minimum_firmware)
		why = "committed firmware is older than required";
	else if (~le64toh(v->launch_mit_vector) & r->mitigations)
		why = "launched without a mitigation that is required";
	k = attest_check(c->out, "platform", !why);
	fmt(k->observed, TEXT, "0x%llx%s%s", (unsigned long long)info,
		why ? ": " : "", why ? why : "");
	fmt(k->required, TEXT, "%swhat the policy asks for",
		r->allow_no_alias_check ? "" : "alias check complete; ");

	k = attest_check(c->out, "vmpl", le32toh(v->vmpl) == r->vmpl);
	fmt(k->observed, TEXT, "%u", le32toh(v->vmpl));
	fmt(k->required, TEXT, "%u", r->vmpl);
}

/* Who signed the launch, when the policy asks. */
static void check_signer(struct attest_case *c, const struct snp_report *v)
{
	const struct attest_snp_rules *r = &c->policy->snp;
	struct bytes id = BYTES_ARRAY(v->id_key_digest);
	struct bytes author = BYTES_ARRAY(v->author_key_digest);
	bool has_author = le32toh(v->key_info) & SNP_KEY_AUTHOR;
	bool asked = r->author_keys.count || r->id_keys.count;
	bool known =
		(has_author && attest_digests_has(&r->author_keys, author)) ||
		attest_digests_has(&r->id_keys, id);
	bool denied = attest_digests_has(&r->deny_keys, id) ||
		attest_digests_has(&r->deny_keys, author);
	if (!asked && !denied) {
		attest_check_skip(c->out, "signer", "the policy names none");
	} else {
		struct attest_check *k = attest_check(c->out, "signer",
			(known || !asked) && !denied);
		attest_check_hex(k->observed, has_author ? author : id);
		fmt(k->required, TEXT,
			denied ? "one that the policy does not deny" :
				 "an author or ID key that the policy names");
	}
	uint32_t svn = le32toh(v->guest_svn);
	struct attest_check *k =
		attest_check(c->out, "guest svn", svn >= r->minimum_guest_svn);
	fmt(k->observed, TEXT, "%u", svn);
	fmt(k->required, TEXT, "at least %u", r->minimum_guest_svn);
	attest_check_one_of(c, "family id", BYTES_ARRAY(v->family_id),
		&r->family_ids);
	attest_check_one_of(c, "image id", BYTES_ARRAY(v->image_id),
		&r->image_ids);
}

static void check_host_data(struct attest_case *c, const struct snp_report *v)
{
	const struct attest_digests *want = &c->policy->snp.host_data;
	struct bytes data = BYTES_ARRAY(v->host_data);
	if (!want->count) {
		attest_check_skip(c->out, "host data", "the policy names none");
		return;
	}
	struct attest_check *k = attest_check(c->out, "host data",
		attest_digests_has(want, data));
	attest_check_hex(k->observed, data);
	attest_check_list(k->required, want);
}

/* False: not hardware that AMD made. */
static bool check_hardware(struct attest_case *c, const struct snp_report *v,
	bool well_formed)
{
	static const char *const rest[] = { "signing key", "product",
		"certified tcb", "chip", "signature", "tcb order",
		"minimum tcb" };
	struct attest_snp_chain s;
	if (!attest_snp_check_chain(c, &s)) {
		for (size_t i = 0; i < ARRAY_LEN(rest); i++)
			attest_check_unmade(c->out, rest[i], "no chain");
		return false;
	}
	check_signing_key(c, v, &s);
	check_product(c, v, &s);
	check_certified_tcb(c, v, &s);
	check_chip(c, v, &s);
	if (well_formed)
		check_signature(c, v, &s);
	else
		attest_check_unmade(c->out, "signature", "not a report");
	check_tcb(c, v, s.product);
	return !s.software;
}

bool attest_snp(struct attest_case *c, struct err *e)
{
	struct snp_report v;
	memcpy(&v, c->in->evidence.ptr, sizeof v);
	c->out->tee = ATTEST_SNP;
	struct attest_facts f = {
		.tech = ATTEST_TECH_SNP,
		.debug = le64toh(v.policy) & SNP_POLICY_DEBUG,
		.measurement = BYTES_ARRAY(v.measurement),
		.report_data = BYTES_ARRAY(v.report_data),
		.owner = BYTES_ARRAY(v.host_data),
	};
	bool well_formed = check_format(c, &v);
	bool hardware = check_hardware(c, &v, well_formed);
	check_platform(c, &v);
	attest_check_identity(c, &f);
	check_signer(c, &v);
	check_host_data(c, &v);
	c->out->confidential = hardware && !f.debug;
	return attest_check_binding(c, &f, e);
}
