/* SPDX-License-Identifier: Apache-2.0 */
/* PEF: possession of a key that its owner sealed to machine and VM. */
#include <endian.h>

#include "attest/check.h"
#include "base/buf.h"
#include "base/fmt.h"
#include "base/reader.h"
#include "crypto/hash.h"
#include "spec/pef.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };

bool attest_pef_is(struct bytes evidence)
{
	struct reader r = { .in = evidence };
	return bytes_equal(reader_take(&r, 8), BYTES_LIT(PEF_MAGIC));
}

struct sealed {
	bool software; /* a root's, which anybody who has that machine can use
			*/
	bool vouched;  /* and which says what it was sealed to: */
	uint8_t image[PEF_IMAGE_BYTES];
};

/* A key that is none of an owner's: a software root made it, for a Keep of the
 * software platform, and vouches for it. */
static void check_root(struct attest_case *c, struct bytes spki,
	struct sealed *s)
{
	const struct attest_digests *roots = &c->policy->roots;
	struct reader r = { .in = bytes_from(c->in->endorsements,
				    PEF_SPKI_BYTES) };
	struct bytes root = reader_take(&r, PEF_SPKI_BYTES);
	struct bytes of = reader_take(&r, PEF_IMAGE_BYTES);
	struct bytes sig = reader_take(&r, 64);
	uint8_t hash[CRYPTO_SHA256_BYTES] = { 0 };
	auto_buf m = { .len = 0 };
	bool known = reader_done(&r) &&
		crypto_digest(CRYPTO_SHA256, root, hash, NULL) &&
		attest_digests_has(roots, BYTES_ARRAY(hash));
	bool ok = known && buf_str(&m, PEF_VOUCH_CONTEXT) &&
		buf_put(&m, spki) && buf_put(&m, of) &&
		attest_seen_p256(NULL, root, buf_bytes(&m), sig, NULL);
	struct attest_check *k = attest_check(c->out, "software root", ok);
	attest_check_hex(k->observed, BYTES_ARRAY(hash));
	attest_check_list(k->required, roots);
	if (known && !ok)
		fmt(k->required, TEXT, "that root's word for that key");
	s->software = s->vouched = true;
	if (of.len == sizeof s->image)
		memcpy(s->image, of.ptr, of.len);
}

static void check_sealed(struct attest_case *c, struct bytes key,
	struct sealed *s)
{
	const struct attest_digests *want = &c->policy->pef_keys;
	s->software = attest_digests_has(&c->policy->roots, key);
	struct attest_check *k = attest_check(c->out, "sealed key",
		s->software || attest_digests_has(want, key));
	attest_check_hex(k->observed, key);
	if (s->software)
		fmt(k->required, TEXT, "a software root that the policy names");
	else
		attest_check_list(k->required, want);
}

static void check_key(struct attest_case *c, const struct pef_evidence *v,
	struct sealed *s)
{
	uint8_t hash[CRYPTO_SHA256_BYTES] = { 0 };
	struct bytes spki = c->in->endorsements, key = BYTES_ARRAY(v->key);
	bool vouched = spki.len == PEF_VOUCH_BYTES;
	if (vouched)
		spki.len = PEF_SPKI_BYTES;
	bool same = crypto_digest(CRYPTO_SHA256, spki, hash, NULL) &&
		!memcmp(hash, v->key, sizeof hash);
	struct attest_check *k = attest_check(c->out, "endorsements", same);
	attest_check_hex(k->observed, BYTES_ARRAY(hash));
	attest_check_hex(k->required, key);
	if (vouched)
		check_root(c, spki, s);
	else
		check_sealed(c, key, s);
	bool ok = attest_seen_p256(NULL, spki, bytes_of(v, PEF_SIGNED_BYTES),
		BYTES_ARRAY(v->signature), NULL);
	k = attest_check(c->out, "signature", ok);
	fmt(k->observed, TEXT, ok ? "of that key" : "not of that key");
	fmt(k->required, TEXT, "ECDSA P-256 of the sealed key");
}

bool attest_pef(struct attest_case *c, struct err *e)
{
	static const char *const names[] = { "endorsements", "sealed key",
		"signature" };
	struct pef_evidence v = { 0 };
	struct bytes in = c->in->evidence;
	c->out->tee = ATTEST_PEF;
	memcpy(&v, in.ptr, size_min(in.len, sizeof v));
	bool ok = in.len == sizeof v && le32toh(v.version) == PEF_VERSION &&
		!v.reserved_00c;
	struct attest_check *k = attest_check(c->out, "evidence format", ok);
	fmt(k->observed, TEXT, "%zu bytes, version %u", in.len,
		le32toh(v.version));
	fmt(k->required, TEXT, "%zu bytes, version %u", sizeof v, PEF_VERSION);
	if (in.len != sizeof v) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			attest_check_unmade(c->out, names[i], "no evidence");
		attest_check_common_unmade(c->out, "no evidence");
		return true;
	}
	struct sealed s = { 0 };
	check_key(c, &v, &s);
	/* Nothing is measured: the blob's digests were compared before the
	 * key came free, and its owner knows which she wrote into it.  Of its
	 * own key a software root says it. */
	struct attest_facts f = {
		.tech = ATTEST_TECH_PEF,
		.vouched = true,
		.measurement =
			s.vouched ? BYTES_ARRAY(s.image) : BYTES_ARRAY(v.key),
		.report_data = BYTES_ARRAY(v.report_data),
	};
	attest_check_identity(c, &f);
	c->out->confidential = !s.software;
	return attest_check_binding(c, &f, e);
}
