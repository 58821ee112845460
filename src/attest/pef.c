/* SPDX-License-Identifier: Apache-2.0 */
/* PEF: possession of a key that its owner sealed to machine and VM. */
#include <endian.h>

#include "attest/check.h"
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

/* False: a software root, which anybody who has that machine can use. */
static bool check_key(struct attest_case *c, const struct pef_evidence *v)
{
	const struct attest_digests *want = &c->policy->pef_keys;
	const struct attest_digests *roots = &c->policy->roots;
	uint8_t hash[CRYPTO_SHA256_BYTES] = { 0 };
	struct bytes spki = c->in->endorsements, key = BYTES_ARRAY(v->key);
	bool same = crypto_digest(CRYPTO_SHA256, spki, hash, NULL) &&
		!memcmp(hash, v->key, sizeof hash);
	struct attest_check *k = attest_check(c->out, "endorsements", same);
	attest_check_hex(k->observed, BYTES_ARRAY(hash));
	attest_check_hex(k->required, key);
	bool software = attest_digests_has(roots, key);
	k = attest_check(c->out, "sealed key",
		software || attest_digests_has(want, key));
	attest_check_hex(k->observed, key);
	if (software)
		fmt(k->required, TEXT, "a software root that the policy names");
	else
		attest_check_list(k->required, want);
	bool ok = attest_seen_p256(NULL, spki, bytes_of(v, PEF_SIGNED_BYTES),
		BYTES_ARRAY(v->signature), NULL);
	k = attest_check(c->out, "signature", ok);
	fmt(k->observed, TEXT, ok ? "of that key" : "not of that key");
	fmt(k->required, TEXT, "ECDSA P-256 of the sealed key");
	return !software;
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
	/* Nothing is measured: the blob's digests were compared before the
	 * key came free, and its owner knows which she wrote into it. */
	struct attest_facts f = {
		.tech = ATTEST_TECH_PEF,
		.vouched = true,
		.measurement = BYTES_ARRAY(v.key),
		.report_data = BYTES_ARRAY(v.report_data),
	};
	bool hardware = check_key(c, &v);
	attest_check_identity(c, &f);
	c->out->confidential = hardware;
	return attest_check_binding(c, &f, e);
}
