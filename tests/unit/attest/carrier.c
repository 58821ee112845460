/* SPDX-License-Identifier: Apache-2.0 */
/* Attested TLS certificates (RA-TLS), made here and judged: each technology's
 * tag, and the older form that Gramine has. */
#include <endian.h>
#include <stdlib.h>

#include "attest/bundle.h"
#include "attest/quote.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "soft/quoting.h"

#include "../test.h"
#include "helpers/evidence.h"
#include "helpers/vectors.h"

enum { FROM = 1789000000, NOW = 1790000000, TO = 1791000000 };

struct trial {
	struct sample s; /* its root, key and claims */
	struct soft_quoting *q;
	struct buf evidence, endorsements, claims, der, failed;
	struct attest_verdict v;
};

static struct trial *trial_new(void)
{
	struct trial *t = calloc(1, sizeof *t);
	struct attest_claims c = { .nonce = { 1 } };
	CHECK(t != NULL);
	sample_init(&t->s);
	memcpy(c.spki_hash, t->s.claims.spki_hash, sizeof c.spki_hash);
	CHECK(attest_claims_encode(&c, &t->claims));
	CHECK(soft_quoting_open(t->s.root, NOW, &t->q, NULL));
	return t;
}

static void trial_free(struct trial *t)
{
	sample_fini(&t->s);
	soft_quoting_close(t->q);
	buf_fini(&t->evidence);
	buf_fini(&t->endorsements);
	buf_fini(&t->claims);
	buf_fini(&t->der);
	buf_fini(&t->failed);
	free(t);
}

/* Evidence of an enclave, or of a trust domain, that binds this. */
static void make_evidence(struct trial *t, bool tdx, const uint8_t data[64])
{
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	struct tdx_report td = { .td_attributes =
					 htole64(TDX_ATTR_SEPT_VE_OFF) };
	buf_clear(&t->evidence);
	buf_clear(&t->endorsements);
	memset(r.mrenclave, 0xab, sizeof r.mrenclave);
	memset(td.mrtd, 0xab, sizeof td.mrtd);
	memcpy(r.report_data, data, 64);
	memcpy(td.report_data, data, 64);
	CHECK(tdx ? soft_quoting_tdx(t->q, &td, true, &t->evidence, NULL) :
		    soft_quoting_sgx(t->q, &r, &t->evidence, NULL));
	CHECK(soft_quoting_endorsements(t->q, tdx, &t->endorsements, NULL));
}

static void make_certificate(struct trial *t, const struct crypto_key *key,
	const struct crypto_ext *exts, size_t n)
{
	buf_clear(&t->der);
	CHECK(crypto_cert_make(key, "keep", FROM, TO, exts, n, &t->der, NULL));
}

/* Interoperable RA-TLS, as a Keep makes it. */
static void make_tagged(struct trial *t, uint32_t tag,
	const struct crypto_key *key)
{
	auto_buf tagged = { 0 };
	CHECK(attest_tagged_encode(tag, buf_bytes(&t->evidence),
		buf_bytes(&t->claims), &tagged));
	const struct crypto_ext exts[] = {
		{ ATTEST_OID_EVIDENCE, buf_bytes(&tagged) },
		{ ATTEST_OID_ENDORSEMENTS, buf_bytes(&t->endorsements) },
	};
	make_certificate(t, key, exts, ARRAY_LEN(exts));
}

/* What failed; the measurement is 0xab throughout. */
static const char *judge(struct trial *t, const struct attest_bundle *b,
	int64_t now)
{
	char root[65];
	struct attest_policy *p;
	auto_buf toml = { 0 };
	hex_encode(BYTES_ARRAY(t->s.fingerprint), root);
	buf_fmt(&toml, "software = [\"%s\"]\n", root);
	for (size_t k = 0; k < 2; k++) {
		buf_fmt(&toml, "[%s]\nmeasurements = [\"", k ? "tdx" : "sgx");
		for (size_t i = 0; i < (k ? 48 : 32); i++)
			buf_str(&toml, "ab");
		CHECK(buf_str(&toml, "\"]\n"));
	}
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &p, NULL));
	struct attest_input in = attest_bundle_input(b);
	in.now = now;
	CHECK(attest_verify(&in, p, &t->v, NULL));
	vectors_failed(&t->v, &t->failed);
	attest_policy_free(p);
	return buf_cstr(&t->failed);
}

static const char *judge_file(struct trial *t, int64_t now)
{
	struct attest_bundle b;
	struct err e = { 0 };
	if (!attest_bundle_read(buf_bytes(&t->der), &b, &e))
		fail_msg("%s", e.text);
	const char *failed = judge(t, &b, now);
	attest_bundle_fini(&b);
	return failed;
}

TEST(certificates_with_tagged_quotes_are_accepted_with_what_they_carry)
{
	struct trial *t = trial_new();
	uint8_t data[64];
	CHECK(attest_report_data(buf_bytes(&t->claims), data, NULL));
	for (unsigned tdx = 0; tdx < 2; tdx++) {
		make_evidence(t, tdx, data);
		make_tagged(t, ATTEST_TAG_INTEL, t->s.key);
		CHECK_STR(judge_file(t, NOW), "");
		CHECK_STR(t->v.technology, tdx ? "tdx" : "sgx");
		/* The claims' key is another's than the certificate's. */
		struct crypto_key *other = NULL;
		CHECK(crypto_key_generate(CRYPTO_P256, &other, NULL));
		make_tagged(t, ATTEST_TAG_INTEL, other);
		CHECK_STR(judge_file(t, NOW), "key binding ");
		crypto_key_free(other);
	}
	trial_free(t);
}

TEST(tags_over_evidence_of_another_kind_are_refused)
{
	static const uint32_t tags[] = { ATTEST_TAG_SNP, ATTEST_TAG_SOFTWARE,
		ATTEST_TAG_KEYSTONE, ATTEST_TAG_SANCTUM, ATTEST_TAG_PEF,
		ATTEST_TAG_INTEL + 1 };
	struct trial *t = trial_new();
	struct attest_bundle b;
	struct err e = { 0 };
	uint8_t data[64];
	CHECK(attest_report_data(buf_bytes(&t->claims), data, NULL));
	make_evidence(t, false, data);
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		make_tagged(t, tags[i], t->s.key);
		CHECK(!attest_bundle_read(buf_bytes(&t->der), &b, &e));
		CHECK_HAS(e.text, "unknown kind");
	}
	trial_free(t);
}

TEST(each_technology_has_a_tag_that_is_read_again)
{
	static const struct {
		uint32_t tag;
		size_t len;
		const char *begin;
	} c[] = {
		{ ATTEST_TAG_SNP, 1184, "\x03\0\0" },
		{ ATTEST_TAG_KEYSTONE, 1352, "" },
		{ ATTEST_TAG_SANCTUM, 320, "" },
		{ ATTEST_TAG_SANCTUM, 576, "" },
		{ ATTEST_TAG_PEF, 176, "DJPEFKEY" },
	};
	static const uint8_t zeros[1352] = { 0 };
	struct trial *t = trial_new();
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct attest_bundle b;
		buf_clear(&t->evidence);
		CHECK(buf_put(&t->evidence, bytes_of(zeros, c[i].len)));
		memcpy(t->evidence.ptr, c[i].begin, strlen(c[i].begin));
		make_tagged(t, c[i].tag, t->s.key);
		CHECK(attest_bundle_read(buf_bytes(&t->der), &b, NULL));
		CHECK(bytes_equal(buf_bytes(&b.evidence),
			buf_bytes(&t->evidence)));
		CHECK(bytes_equal(buf_bytes(&b.claims), buf_bytes(&t->claims)));
		CHECK_INT(b.binding, ATTEST_BIND_KEEP);
		attest_bundle_fini(&b);
	}
	trial_free(t);
}

TEST(certificates_of_gramines_older_form_are_bound_to_their_key)
{
	static const char *const oids[] = { ATTEST_OID_GRAMINE,
		ATTEST_OID_GRAMINE_OLD };
	struct trial *t = trial_new();
	uint8_t data[64] = { 0 };
	CHECK(crypto_digest(CRYPTO_SHA256, t->s.in.spki, data, NULL));
	for (size_t i = 0; i < ARRAY_LEN(oids); i++) {
		struct attest_bundle b;
		make_evidence(t, false, data);
		const struct crypto_ext ext = { oids[i],
			buf_bytes(&t->evidence) };
		make_certificate(t, t->s.key, &ext, 1);
		CHECK(attest_bundle_read(buf_bytes(&t->der), &b, NULL));
		CHECK_INT(b.binding, ATTEST_BIND_SHA256);
		CHECK_HAS(judge(t, &b, NOW), "endorsements "); /* it has none */
		CHECK(buf_put(&b.endorsements, buf_bytes(&t->endorsements)));
		CHECK_STR(judge(t, &b, NOW), "");
		b.spki.ptr[b.spki.len - 1] ^= 1;
		CHECK_STR(judge(t, &b, NOW), "report_data ");
		b.spki.ptr[b.spki.len - 1] ^= 1;
		attest_bundle_fini(&b);
		/* Bytes behind the hash are not of that form. */
		data[63] = 1;
		make_evidence(t, false, data);
		data[63] = 0;
		make_certificate(t, t->s.key, &ext, 1);
		CHECK_HAS(judge_file(t, NOW), "report_data ");
	}
	trial_free(t);
}

TEST(certificates_hold_between_their_dates_only)
{
	static const int64_t times[] = { FROM - 1, TO + 1, 0, INT64_MAX };
	struct trial *t = trial_new();
	uint8_t data[64];
	CHECK(attest_report_data(buf_bytes(&t->claims), data, NULL));
	make_evidence(t, false, data);
	make_tagged(t, ATTEST_TAG_INTEL, t->s.key);
	CHECK_STR(judge_file(t, NOW), "");
	CHECK(t->v.expires <= TO);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		CHECK_HAS(judge_file(t, times[i]), "certificate ");
	trial_free(t);
}

TEST(certificates_that_claim_to_have_signed_themselves_must_have)
{
	struct trial *t = trial_new();
	struct attest_bundle b;
	uint8_t data[64];
	CHECK(attest_report_data(buf_bytes(&t->claims), data, NULL));
	make_evidence(t, false, data);
	make_tagged(t, ATTEST_TAG_INTEL, t->s.key);
	CHECK(attest_bundle_read(buf_bytes(&t->der), &b, NULL));
	CHECK_STR(judge(t, &b, NOW), "");
	b.certificate.ptr[b.certificate.len - 1] ^= 1; /* in its signature */
	CHECK_STR(judge(t, &b, NOW), "certificate ");
	CHECK_HAS(attest_failed(&t->v)->observed, "not signed by its own key");
	b.certificate.len -= 9;
	CHECK_STR(judge(t, &b, NOW), "certificate ");
	attest_bundle_fini(&b);
	trial_free(t);
}

static void judge_request(const char *name, enum attest_binding binding,
	const char *want, const char *observed)
{
	static struct attest_verdict v;
	struct attest_bundle b;
	struct attest_policy *p;
	auto_buf csr = { 0 };
	CHECK(vectors_read(name, &csr));
	CHECK(attest_bundle_read(buf_bytes(&csr), &b, NULL));
	CHECK(attest_policy_default(NULL, 0, &p, NULL));
	struct attest_input in = attest_bundle_input(&b);
	in.binding = binding;
	CHECK(attest_verify(&in, p, &v, NULL));
	const struct attest_check *k = &v.checks[v.count - 1];
	CHECK_STR(k->name, "certificate");
	CHECK_STR(k->passed ? "passed" : "failed", want);
	CHECK_HAS(k->observed, observed);
	attest_policy_free(p);
	attest_bundle_fini(&b);
}

TEST(requests_are_of_the_kind_of_key_that_the_technology_has)
{
	static const char sgx[] = "open/sgx/steward-icx-xeon.csr.der",
			  snp[] = "open/snp/steward-milan-v2-authorkey.csr.der";
	auto_buf probe = { 0 };
	if (!vectors_read(sgx, &probe))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	judge_request(sgx, ATTEST_BIND_SHA256, "passed", "its own key");
	judge_request(snp, ATTEST_BIND_SHA384, "passed", "its own key");
	judge_request(sgx, ATTEST_BIND_SHA384, "failed", "another kind");
	judge_request(snp, ATTEST_BIND_SHA256, "failed", "another kind");
}
