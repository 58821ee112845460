/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../test.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"

static const int64_t from = 1700000000, to = 4102444800; /* 2100 */
static const struct crypto_ext exts[] = {
	{ "2.23.133.5.4.9", { (const uint8_t *)"evidence", 8 } },
	{ "2.23.133.5.4.2", { (const uint8_t *)"endorse", 7 } },
};

static struct crypto_key *key_make(void)
{
	struct crypto_key *k = NULL;
	struct err e;
	CHECK(crypto_key_generate(CRYPTO_P256, &k, &e));
	return k;
}

static void cert_make(const struct crypto_ext *x, size_t n, struct buf *der,
	struct crypto_key *k)
{
	struct err e;
	CHECK(crypto_cert_make(k, "donjon keep", from, to, x, n, der, &e));
}

TEST(a_certificate_is_a_self_signed_v3_leaf_with_what_was_asked)
{
	struct crypto_key *k = key_make();
	auto_buf der = { 0 };
	cert_make(exts, 2, &der, k);
	const uint8_t *p = der.ptr;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);
	CHECK(x != NULL);
	CHECK(p == der.ptr + der.len);
	CHECK_INT(X509_get_version(x), 2);
	CHECK_INT(X509_verify(x, crypto_key_evp(k)), 1);
	CHECK_INT(X509_get_ext_count(x), 2);
	CHECK_INT(X509_EXTENSION_get_critical(X509_get_ext(x, 0)), 0);
	char name[64];
	X509_NAME_oneline(X509_get_subject_name(x), name, sizeof name);
	CHECK_STR(name, "/CN=donjon keep");
	X509_NAME_oneline(X509_get_issuer_name(x), name, sizeof name);
	CHECK_STR(name, "/CN=donjon keep");
	time_t t = from;
	CHECK_INT(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), t), 0);
	t = to;
	CHECK_INT(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), t), 0);
	X509_free(x);
	crypto_key_free(k);
}

TEST(spki_and_extensions_come_back)
{
	struct crypto_key *k = key_make();
	auto_buf der = { 0 }, a = { 0 }, b = { 0 }, v = { 0 };
	struct err e;
	cert_make(exts, 2, &der, k);
	CHECK(crypto_key_spki(k, &a, &e));
	CHECK(crypto_cert_spki(buf_bytes(&der), &b, &e));
	CHECK(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
	CHECK(crypto_cert_ext(buf_bytes(&der), "2.23.133.5.4.9", &v, &e));
	CHECK(bytes_equal(buf_bytes(&v), BYTES_LIT("evidence")));
	crypto_key_free(k);
}

TEST(dates_are_those_that_libc_counts)
{
	static const int64_t times[] = { 0, 1, 951782399, 951782400, 951868800,
		1709164800, 1709251199, 2524607999, 2524608000, 4107542400,
		4107456000, 13574563200, 253402300799 };
	struct crypto_key *k = key_make();
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		auto_buf der = { 0 };
		struct err e;
		CHECK(crypto_cert_make(k, "x", times[i], times[i], NULL, 0,
			&der, &e));
		const uint8_t *p = der.ptr;
		X509 *x = d2i_X509(NULL, &p, (long)der.len);
		CHECK(x != NULL);
		const ASN1_TIME *t = X509_get0_notAfter(x);
		CHECK_INT(ASN1_TIME_cmp_time_t(t, (time_t)times[i]), 0);
		/* RFC 5280 §4.1.2.5: UTCTime through 2049. */
		CHECK_INT(ASN1_STRING_type(t),
			times[i] < 2524608000 ? V_ASN1_UTCTIME :
						V_ASN1_GENERALIZEDTIME);
		X509_free(x);
	}
	crypto_key_free(k);
}

TEST(serials_differ)
{
	struct crypto_key *k = key_make();
	auto_buf a = { 0 }, b = { 0 };
	cert_make(NULL, 0, &a, k);
	cert_make(NULL, 0, &b, k);
	const uint8_t *p = a.ptr, *q = b.ptr;
	X509 *x = d2i_X509(NULL, &p, (long)a.len);
	X509 *y = d2i_X509(NULL, &q, (long)b.len);
	CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(x),
		      X509_get0_serialNumber(y)) != 0);
	X509_free(x);
	X509_free(y);
	crypto_key_free(k);
}

TEST(an_extension_that_is_absent_or_there_twice_is_refused)
{
	const struct crypto_ext twice[] = { exts[0], exts[1], exts[0] };
	struct crypto_key *k = key_make();
	auto_buf der = { 0 }, v = { 0 };
	struct err e = { 0 };
	cert_make(twice, 3, &der, k);
	CHECK(!crypto_cert_ext(buf_bytes(&der), "1.2.3.4", &v, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_STR(e.text, "certificate: no extension 1.2.3.4");
	CHECK(!crypto_cert_ext(buf_bytes(&der), "2.23.133.5.4.9", &v, &e));
	CHECK_STR(e.text, "certificate: extension 2.23.133.5.4.9 twice");
	CHECK_INT(v.len, 0);
	CHECK(crypto_cert_ext(buf_bytes(&der), "2.23.133.5.4.2", &v, &e));
	crypto_key_free(k);
}

TEST(a_certificate_cut_anywhere_or_with_trailing_bytes_is_refused)
{
	struct crypto_key *k = key_make();
	auto_buf der = { 0 }, v = { 0 };
	struct err e = { 0 };
	cert_make(exts, 2, &der, k);
	for (size_t n = 0; n < der.len; n++) {
		CHECK(!crypto_cert_spki(bytes_of(der.ptr, n), &v, &e));
		CHECK_INT(e.kind, ERR_INPUT);
	}
	CHECK(buf_u8(&der, 0));
	CHECK(!crypto_cert_spki(buf_bytes(&der), &v, &e));
	CHECK_STR(e.text, "certificate: trailing bytes");
	crypto_key_free(k);
}

TEST(a_validity_that_x509_cannot_say_is_refused)
{
	static const struct {
		int64_t from, to;
	} bad[] = { { -1, 1 }, { 2, 1 }, { 0, INT64_MAX }, { 0, 253402300800 },
		{ INT64_MIN, 0 } };
	struct crypto_key *k = key_make();
	auto_buf der = { 0 };
	struct err e = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(!crypto_cert_make(k, "x", bad[i].from, bad[i].to, NULL, 0,
			&der, &e));
		CHECK_HAS(e.text, "validity");
	}
	CHECK_INT(der.len, 0);
	crypto_key_free(k);
}

TEST(a_name_longer_than_x509_allows_is_refused)
{
	char name[80];
	struct crypto_key *k = key_make();
	auto_buf der = { 0 };
	struct err e = { 0 };
	memset(name, 'a', sizeof name);
	name[65] = 0;
	CHECK(!crypto_cert_make(k, name, from, to, NULL, 0, &der, &e));
	CHECK_HAS(e.text, "subject");
	name[64] = 0;
	CHECK(crypto_cert_make(k, name, from, to, NULL, 0, &der, &e));
	crypto_key_free(k);
}
