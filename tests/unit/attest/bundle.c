/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include "codec/hex.h"
#include "crypto/x509.h"

#include "../test.h"
#include "helpers/evidence.h"

/* The certificate that a Keep would make. */
static void make_cert(const struct sample *s, uint32_t tag, struct buf *der)
{
	auto_buf tagged = { 0 };
	CHECK(attest_tagged_encode(tag, s->in.evidence, s->in.claims, &tagged));
	struct crypto_ext exts[] = {
		{ ATTEST_OID_EVIDENCE, buf_bytes(&tagged) },
		{ ATTEST_OID_ENDORSEMENTS, s->in.endorsements },
	};
	CHECK(crypto_cert_make(s->key, "keep", 1700000000, 1800000000, exts,
		ARRAY_LEN(exts), der, NULL));
}

static void put_member(struct buf *json, const char *name, struct bytes v)
{
	CHECK(buf_fmt(json, "%s\"%s\":\"", json->len > 1 ? "," : "", name));
	CHECK(base64_encode(v, json));
	CHECK(buf_str(json, "\""));
}

static void check_parts(const struct sample *s, const struct attest_bundle *b)
{
	CHECK(bytes_equal(buf_bytes(&b->evidence), s->in.evidence));
	CHECK(bytes_equal(buf_bytes(&b->claims), s->in.claims));
	CHECK(bytes_equal(buf_bytes(&b->endorsements), s->in.endorsements));
}

TEST(bundle_reads_a_certificate_in_der_and_in_pem)
{
	struct sample s;
	struct attest_bundle b;
	struct err e = { 0 };
	auto_buf der = { 0 }, text = { 0 }, pem = { 0 };
	sample_init(&s);
	make_cert(&s, ATTEST_TAG_SOFTWARE, &der);
	CHECK(attest_bundle_read(buf_bytes(&der), &b, &e));
	check_parts(&s, &b);
	CHECK(bytes_equal(buf_bytes(&b.spki), s.in.spki));
	CHECK(bytes_equal(buf_bytes(&b.certificate), buf_bytes(&der)));
	attest_bundle_fini(&b);
	CHECK(base64_encode(buf_bytes(&der), &text));
	CHECK(buf_str(&pem, "\n-----BEGIN CERTIFICATE-----\r\n"));
	for (size_t i = 0; i < text.len; i += 64) {
		CHECK(buf_put(&pem,
			bytes_of(text.ptr + i, size_min(64, text.len - i))));
		CHECK(buf_str(&pem, "\r\n"));
	}
	CHECK(buf_str(&pem, "-----END CERTIFICATE-----\n"));
	CHECK(attest_bundle_read(buf_bytes(&pem), &b, &e));
	check_parts(&s, &b);
	attest_bundle_fini(&b);
	auto_buf two = { 0 };
	CHECK(buf_put(&two, buf_bytes(&pem)) && buf_put(&two, buf_bytes(&pem)));
	CHECK(!attest_bundle_read(buf_bytes(&two), &b, &e));
	CHECK_HAS(e.text, "not one PEM block");
	sample_fini(&s);
}

TEST(bundle_reads_a_keep_as_the_host_agent_describes_it)
{
	struct sample s;
	struct attest_bundle b;
	static struct attest_verdict v;
	struct err e = { 0 };
	auto_buf der = { 0 }, json = { 0 };
	sample_init(&s);
	make_cert(&s, ATTEST_TAG_SOFTWARE, &der);
	CHECK(buf_str(&json, "{"));
	put_member(&json, "claims", s.in.claims);
	put_member(&json, "evidence", s.in.evidence);
	put_member(&json, "endorsements", s.in.endorsements);
	auto_buf bare = { 0 };
	CHECK(buf_put(&bare, buf_bytes(&json)) && buf_str(&bare, "}\n"));
	put_member(&json, "certificate", buf_bytes(&der));
	CHECK(buf_str(&json, ",\"id\":\"4f2a\",\"software\":true}\n"));
	CHECK(attest_bundle_read(buf_bytes(&bare), &b, &e));
	check_parts(&s, &b);
	CHECK_INT(b.spki.len, 0);
	attest_bundle_fini(&b);
	CHECK(attest_bundle_read(buf_bytes(&json), &b, &e));
	check_parts(&s, &b);
	s.in = (struct attest_input){ .evidence = buf_bytes(&b.evidence),
		.claims = buf_bytes(&b.claims),
		.endorsements = buf_bytes(&b.endorsements),
		.spki = buf_bytes(&b.spki) };
	CHECK_STR(sample_failed(&s, &v), "");
	attest_bundle_fini(&b);
	sample_fini(&s);
}

TEST(bundle_refuses_every_truncation)
{
	struct sample s;
	struct attest_bundle b;
	struct err e = { 0 };
	auto_buf der = { 0 }, json = { 0 };
	sample_init(&s);
	make_cert(&s, ATTEST_TAG_SOFTWARE, &der);
	CHECK(buf_str(&json, "{"));
	put_member(&json, "claims", s.in.claims);
	put_member(&json, "evidence", s.in.evidence);
	put_member(&json, "endorsements", s.in.endorsements);
	CHECK(buf_str(&json, "}"));
	for (size_t n = 0; n < der.len; n++) {
		bool read = attest_bundle_read(bytes_of(der.ptr, n), &b, &e);
		/* Of these lengths are a monitor's keys, with no mark. */
		CHECK(read == (n == 320 || n == 576 || n == 1352));
		if (read) {
			CHECK(b.binding == ATTEST_BIND_NOTHING);
			attest_bundle_fini(&b);
		}
	}
	for (size_t n = 0; n < json.len; n++)
		CHECK(!attest_bundle_read(bytes_of(json.ptr, n), &b, &e));
	sample_fini(&s);
}

TEST(bundle_says_what_a_file_lacks)
{
	struct sample s;
	struct attest_bundle b;
	struct err e = { 0 };
	auto_buf der = { 0 }, plain = { 0 };
	sample_init(&s);
	make_cert(&s, 60001, &der);
	CHECK(!attest_bundle_read(buf_bytes(&der), &b, &e));
	CHECK_HAS(e.text, "unknown kind, tag 60001");
	CHECK(crypto_cert_make(s.key, "x", 1700000000, 1800000000, NULL, 0,
		&plain, NULL));
	CHECK(!attest_bundle_read(buf_bytes(&plain), &b, &e));
	CHECK_HAS(e.text, "evidence: none in it: certificate: no extension ");
	CHECK(!attest_bundle_read(BYTES_LIT("hello"), &b, &e));
	CHECK_HAS(e.text, "neither JSON nor a certificate");
	CHECK(!attest_bundle_read(BYTES_LIT(" \n"), &b, &e));
	CHECK_HAS(e.text, "empty");
	CHECK(!attest_bundle_read(BYTES_LIT("{\"claims\":\"\"}"), &b, &e));
	CHECK_HAS(e.text, "evidence: missing");
	sample_fini(&s);
}
