/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates behind an SNP report: leaf (VCEK or VLEK), intermediate
 * (ASK or ASVK), root (ARK).  Endorsements are deterministic CBOR:
 * [[leaf, intermediate, root], [revocation list, ...]], all DER.
 */
#include "attest/snp.h"
#include "attest/time.h"
#include "base/fmt.h"
#include "codec/cbor.h"
#include "crypto/hash.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };

/* SHA-256 of the roots' public keys; the only thing that makes a root. */
static const struct {
	const char *name, *cek, *vlek; /* common names of intermediates */
	uint8_t root[CRYPTO_SHA256_BYTES];
} products[SNP_PRODUCTS] = {
	[SNP_MILAN] = { "milan", "SEV-Milan", "SEV-VLEK-Milan",
		{ 0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c,
			0xb5, 0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88,
			0x81, 0xfa, 0x6b, 0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02,
			0x04, 0x08, 0x9c, 0xb9 } },
	[SNP_GENOA] = { "genoa", "SEV-Genoa", "SEV-VLEK-Genoa",
		{ 0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d,
			0x8d, 0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15,
			0xf8, 0xcd, 0x5a, 0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9,
			0x0b, 0x86, 0x38, 0x31 } },
	[SNP_TURIN] = { "turin", "SEV-Turin", "SEV-VLEK-Turin",
		{ 0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03,
			0x56, 0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d,
			0xe9, 0x86, 0x03, 0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70,
			0xe9, 0xd7, 0xad, 0x08 } },
};

const char *attest_snp_name(enum attest_snp_product p)
{
	return p < SNP_PRODUCTS ? products[p].name : "unknown";
}

static bool split(struct bytes in, struct bytes certs[3],
	struct attest_snp_chain *out)
{
	struct reader r = { .in = in };
	if (cbor_head(&r, CBOR_ARRAY) != 2 || cbor_head(&r, CBOR_ARRAY) != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		certs[i] = cbor_bytes(&r);
	uint64_t n = cbor_head(&r, CBOR_ARRAY);
	if (n > ARRAY_LEN(out->crls))
		return false;
	for (size_t i = 0; i < n; i++)
		out->crls[i] = cbor_bytes(&r);
	out->crl_count = (size_t)n;
	return reader_done(&r);
}

static bool read_chain(struct bytes in, struct attest_snp_chain *out,
	struct err *e)
{
	struct bytes der[3];
	if (!split(in, der, out))
		return err_fail(e, ERR_INPUT,
			"%zu bytes that are no chain of three", in.len);
	return attest_cert_parse(der[0], &out->leaf, e) &&
		attest_cert_parse(der[1], &out->mid, e) &&
		attest_cert_parse(der[2], &out->root, e);
}

static bool cn_is(struct bytes name, const char *cn)
{
	return bytes_equal(attest_cert_cn(name), bytes_str(cn));
}

/* A product by its intermediate's name: a software root has all three. */
static enum attest_snp_product named(const struct attest_snp_chain *s)
{
	unsigned p = 0;
	while (p < SNP_PRODUCTS &&
		!cn_is(s->mid.subject,
			s->vlek ? products[p].vlek : products[p].cek))
		p++;
	return (enum attest_snp_product)p;
}

static void check_root(struct attest_case *c, struct attest_snp_chain *s)
{
	uint8_t pinned[SNP_PRODUCTS][32], hash[32];
	for (size_t p = 0; p < SNP_PRODUCTS; p++)
		memcpy(pinned[p], products[p].root, sizeof pinned[p]);
	enum attest_root root = attest_check_root(c, s->root.spki, pinned,
		SNP_PRODUCTS, "AMD's root key of Milan, Genoa or Turin", hash);
	s->product = SNP_PRODUCTS;
	s->software = root == ATTEST_ROOT_SOFTWARE;
	if (s->software)
		s->product = named(s);
	for (unsigned p = 0; p < SNP_PRODUCTS; p++)
		if (!memcmp(hash, products[p].root, sizeof hash))
			s->product = (enum attest_snp_product)p;
}

static bool chain_ok(const struct attest_snp_chain *s, struct attest_seen *seen,
	struct err *e)
{
	const char *mid = s->product == SNP_PRODUCTS ? "" :
		s->vlek ? products[s->product].vlek :
			  products[s->product].cek;
	if (!cn_is(s->mid.subject, mid))
		return err_fail(e, ERR_DENIED,
			"intermediate of another product or kind");
	if (s->leaf.ca)
		return err_fail(e, ERR_DENIED, "leaf is an authority");
	if (!s->vlek && !cn_is(s->leaf.subject, "SEV-VCEK"))
		return err_fail(e, ERR_DENIED, "leaf of another kind");
	if (!attest_cert_signed_by(&s->root, &s->root, seen, e))
		return err_wrap(e, "root");
	if (!attest_cert_signed_by(&s->mid, &s->root, seen, e))
		return err_wrap(e, "intermediate");
	if (!attest_cert_signed_by(&s->leaf, &s->mid, seen, e))
		return err_wrap(e, "leaf");
	return true;
}

static void check_links(struct attest_case *c, const struct attest_snp_chain *s)
{
	struct err why = { 0 };
	bool ok = chain_ok(s, c->in->seen, &why);
	struct attest_check *k = attest_check(c->out, "chain", ok);
	fmt(k->observed, TEXT, "%s",
		ok ? s->vlek ? "VLEK, ASVK, ARK" : "VCEK, ASK, ARK" : why.text);
	fmt(k->required, TEXT, "each signed by the next, the root by itself");
}

static void check_dates(struct attest_case *c, const struct attest_snp_chain *s)
{
	int64_t from = s->leaf.from, to = s->leaf.to;
	const struct attest_cert *up[] = { &s->mid, &s->root };
	for (size_t i = 0; i < ARRAY_LEN(up); i++) {
		from = up[i]->from > from ? up[i]->from : from;
		to = up[i]->to < to ? up[i]->to : to;
	}
	struct attest_check *k = attest_check(c->out, "validity",
		from <= c->in->now && c->in->now <= to);
	char now_text[ATTEST_TIME_TEXT], from_text[ATTEST_TIME_TEXT],
		to_text[ATTEST_TIME_TEXT];
	attest_time_print(c->in->now, now_text);
	attest_time_print(from, from_text);
	attest_time_print(to, to_text);
	fmt(k->observed, TEXT, "now is %s", now_text);
	fmt(k->required, TEXT, "%s to %s", from_text, to_text);
	attest_check_expires(c->out, to);
}

static bool crl_ok(struct attest_case *c, const struct attest_snp_chain *s,
	const struct attest_crl *l, struct err *e)
{
	if (!attest_crl_signed_by(l, &s->root, c->in->seen, e))
		return err_wrap(e, "revocation list");
	if (c->in->now < l->from || c->in->now > l->to)
		return attest_time_outside("revocation list", l->from, l->to,
			c->in->now, e);
	int64_t age = c->in->now - l->from,
		most = c->policy->max_collateral_age;
	if (most && age > most)
		return err_fail(e, ERR_DENIED,
			"revocation list %lld days old, at most %lld",
			(long long)(age / 86400), (long long)(most / 86400));
	if (attest_crl_has(l, s->mid.serial))
		return err_fail(e, ERR_DENIED, "intermediate is revoked");
	attest_check_expires(c->out, l->to);
	return true;
}

/* One list for a product, by its root: it covers intermediates only. */
static void check_revocation(struct attest_case *c,
	const struct attest_snp_chain *s)
{
	struct err why = { .text = "no list of this root" };
	struct attest_crl l;
	bool given = false, ok = false;
	/* Of several the first that is of now, else the first at all. */
	for (size_t i = 0; i < s->crl_count; i++) {
		struct attest_crl one;
		if (!attest_crl_parse(s->crls[i], &one, &why) ||
			!bytes_equal(one.issuer, s->root.subject) ||
			(given &&
				(c->in->now < one.from || c->in->now > one.to)))
			continue;
		bool current = c->in->now >= one.from && c->in->now <= one.to;
		l = one;
		given = true;
		if (current)
			break;
	}
	if (given)
		ok = crl_ok(c, s, &l, &why);
	else if (!s->crl_count && c->policy->snp.crl_optional) {
		attest_check_skip(c->out, "revocation", "no list was given");
		return;
	}
	struct attest_check *k = attest_check(c->out, "revocation", ok);
	fmt(k->observed, TEXT, "%s", ok ? "not revoked" : why.text);
	fmt(k->required, TEXT,
		"a current list of the root without the intermediate");
}

bool attest_snp_check_chain(struct attest_case *c, struct attest_snp_chain *out)
{
	static const char *const rest[] = { "vendor root", "chain", "validity",
		"revocation" };
	struct err why = { 0 };
	*out = (struct attest_snp_chain){ .product = SNP_PRODUCTS };
	bool ok = read_chain(c->in->endorsements, out, &why);
	struct attest_check *k = attest_check(c->out, "endorsements", ok);
	fmt(k->observed, TEXT, "%s", ok ? "three certificates" : why.text);
	fmt(k->required, TEXT, "leaf, intermediate and root, lists, no more");
	if (!ok) {
		for (size_t i = 0; i < ARRAY_LEN(rest); i++)
			attest_check_unmade(c->out, rest[i], "no chain");
		return false;
	}
	out->vlek = cn_is(out->leaf.subject, "SEV-VLEK");
	check_root(c, out);
	check_links(c, out);
	check_dates(c, out);
	check_revocation(c, out);
	return true;
}
