/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/pef.h"

#include <endian.h>

#include "attest/attest.h"
#include "codec/hex.h"
#include "crypto/key.h"

#include "../test.h"
#include "helpers/vectors.h"

struct trial {
	struct crypto_key *key;
	struct buf spki;
	struct pef_evidence v;
	struct attest_policy *policy;
	struct attest_verdict verdict;
};

static void trial_init(struct trial *t)
{
	char hex[65];
	auto_buf sig = { 0 }, toml = { 0 };
	*t = (struct trial){ .v = { .version = htole32(PEF_VERSION) } };
	CHECK(crypto_key_generate(CRYPTO_P256, &t->key, NULL));
	CHECK(crypto_key_spki(t->key, &t->spki, NULL));
	memcpy(t->v.magic, PEF_MAGIC, sizeof t->v.magic);
	memset(t->v.report_data, 7, sizeof t->v.report_data);
	CHECK(crypto_key_fingerprint(t->key, t->v.key, NULL));
	CHECK(crypto_sign(t->key, bytes_of(&t->v, PEF_SIGNED_BYTES), &sig,
		NULL));
	memcpy(t->v.signature, sig.ptr, sizeof t->v.signature);
	hex_encode(BYTES_ARRAY(t->v.key), hex);
	CHECK(buf_fmt(&toml, "[pef]\nkeys = [\"%s\"]\n", hex));
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &t->policy,
		NULL));
}

static void trial_fini(struct trial *t)
{
	attest_policy_free(t->policy);
	crypto_key_free(t->key);
	buf_fini(&t->spki);
}

static const char *judge(struct trial *t, const struct pef_evidence *v,
	size_t len)
{
	static struct buf failed;
	uint8_t want[64];
	memset(want, 7, sizeof want);
	struct attest_input in = { .evidence = bytes_of(v, len),
		.endorsements = buf_bytes(&t->spki),
		.binding = ATTEST_BIND_NOTHING,
		.report_data = BYTES_ARRAY(want) };
	CHECK(attest_verify(&in, t->policy, &t->verdict, NULL));
	vectors_failed(&t->verdict, &failed);
	return buf_cstr(&failed);
}

TEST(pef_owners_know_their_machines_by_a_sealed_key)
{
	static struct trial t;
	trial_init(&t);
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "");
	CHECK_STR(t.verdict.technology, "pef");
	struct attest_policy *none;
	CHECK(attest_policy_default(NULL, 0, &none, NULL));
	attest_policy_free(t.policy);
	t.policy = none;
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "sealed key ");
	trial_fini(&t);
}

TEST(pef_keys_that_are_software_roots_are_never_confidential)
{
	static struct trial t;
	char hex[65];
	auto_buf toml = { 0 };
	trial_init(&t);
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "");
	CHECK(t.verdict.confidential);
	attest_policy_free(t.policy);
	hex_encode(BYTES_ARRAY(t.v.key), hex);
	CHECK(buf_fmt(&toml, "software = [\"%s\"]\n[pef]\n", hex));
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &t.policy,
		NULL));
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "");
	CHECK(t.verdict.accepted && !t.verdict.confidential);
	trial_fini(&t);
}

TEST(pef_evidence_is_refused_at_every_change)
{
	static struct trial t;
	trial_init(&t);
	for (size_t bit = 0; bit < 8 * sizeof t.v; bit++) {
		struct pef_evidence v = t.v;
		((uint8_t *)&v)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(*judge(&t, &v, sizeof v));
	}
	for (size_t n = 0; n < sizeof t.v; n++)
		CHECK(*judge(&t, &t.v, n));
	trial_fini(&t);
}

/* A software root's word for the trial's key, sealed to `image`. */
static void vouch(struct trial *t, const struct crypto_key *root, uint8_t image)
{
	auto_buf m = { 0 };
	uint8_t of[PEF_IMAGE_BYTES];
	memset(of, image, sizeof of);
	CHECK(buf_str(&m, PEF_VOUCH_CONTEXT) &&
		buf_put(&m, buf_bytes(&t->spki)) &&
		buf_put(&m, BYTES_ARRAY(of)));
	CHECK(crypto_key_spki(root, &t->spki, NULL));
	CHECK(buf_put(&t->spki, BYTES_ARRAY(of)));
	CHECK(crypto_sign(root, buf_bytes(&m), &t->spki, NULL));
	CHECK_INT(t->spki.len, PEF_VOUCH_BYTES);
}

static void accept_root(struct trial *t, const struct crypto_key *root)
{
	char hex[65], image[65];
	uint8_t hash[32], of[32];
	auto_buf toml = { 0 };
	memset(of, 9, sizeof of);
	CHECK(crypto_key_fingerprint(root, hash, NULL));
	hex_encode(BYTES_ARRAY(hash), hex);
	hex_encode(BYTES_ARRAY(of), image);
	CHECK(buf_fmt(&toml,
		"software = [\"%s\"]\n[pef]\nmeasurements = [\"%s\"]\n", hex,
		image));
	attest_policy_free(t->policy);
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &t->policy,
		NULL));
}

TEST(pef_keys_that_a_software_root_vouches_for_say_what_they_were_sealed_to)
{
	static struct trial t;
	struct crypto_key *root;
	CHECK(crypto_key_generate(CRYPTO_P256, &root, NULL));
	trial_init(&t);
	accept_root(&t, root);
	vouch(&t, root, 9);
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "");
	CHECK(!t.verdict.confidential);
	/* The root's word for another image, which it did not give. */
	t.spki.ptr[2 * PEF_SPKI_BYTES] ^= 1;
	CHECK_HAS(judge(&t, &t.v, sizeof t.v), "software root");
	trial_fini(&t);
	trial_init(&t);
	accept_root(&t, root);
	vouch(&t, root, 8);
	CHECK_STR(judge(&t, &t.v, sizeof t.v), "measurement ");
	trial_fini(&t);
	crypto_key_free(root);
}

TEST(pef_keys_of_a_root_that_the_policy_does_not_name_are_nobody_s)
{
	static struct trial t;
	struct crypto_key *root, *other;
	CHECK(crypto_key_generate(CRYPTO_P256, &root, NULL));
	CHECK(crypto_key_generate(CRYPTO_P256, &other, NULL));
	trial_init(&t);
	accept_root(&t, other);
	vouch(&t, root, 9);
	CHECK_HAS(judge(&t, &t.v, sizeof t.v), "software root");
	trial_fini(&t);
	crypto_key_free(root);
	crypto_key_free(other);
}
