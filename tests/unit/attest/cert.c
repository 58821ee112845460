/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/cert.h"

#include <stdlib.h>

#include "base/fmt.h"
#include "codec/der.h"
#include "crypto/x509.h"

#include "../test.h"
#include "helpers/vectors.h"

static struct buf made(struct crypto_key *k)
{
	static const uint8_t value[] = { 5, 0 };
	struct crypto_ext ext = { "1.2.3.4", BYTES_ARRAY(value) };
	struct buf der = { 0 };
	CHECK(crypto_cert_make(k, "keep", 1700000000, 1800000000, &ext, 1, &der,
		NULL));
	return der;
}

TEST(certificates_are_read_field_by_field)
{
	struct crypto_key *k = NULL;
	struct attest_cert c;
	struct err e = { 0 };
	struct bytes v;
	auto_buf spki = { 0 };
	CHECK(crypto_key_generate(CRYPTO_P256, &k, NULL));
	CHECK(crypto_key_spki(k, &spki, NULL));
	auto_buf der = made(k);
	CHECK(attest_cert_parse(buf_bytes(&der), &c, &e));
	CHECK(c.from == 1700000000 && c.to == 1800000000);
	CHECK(c.alg == ATTEST_SIG_P256_SHA256 && !c.ca);
	CHECK(bytes_equal(c.spki, buf_bytes(&spki)));
	CHECK(bytes_equal(attest_cert_cn(c.subject), BYTES_LIT("keep")));
	CHECK(attest_cert_ext(&c, BYTES_LIT("\x2a\x03\x04"), &v));
	CHECK(bytes_equal(v, BYTES_LIT("\x05\x00")));
	CHECK(!attest_cert_ext(&c, BYTES_LIT("\x2a\x03\x05"), &v));
	/* It signed itself, but is no authority. */
	CHECK(!attest_cert_signed_by(&c, &c, NULL, &e));
	CHECK_HAS(e.text, "no authority");
	c.ca = true;
	CHECK(attest_cert_signed_by(&c, &c, NULL, &e));
	crypto_key_free(k);
}

TEST(certificates_are_refused_at_every_truncation)
{
	struct crypto_key *k = NULL;
	struct attest_cert c;
	CHECK(crypto_key_generate(CRYPTO_P256, &k, NULL));
	auto_buf der = made(k);
	CHECK(buf_u8(&der, 0));
	for (size_t n = 0; n <= der.len; n++)
		CHECK(attest_cert_parse(bytes_of(der.ptr, n), &c, NULL) ==
			(n == der.len - 1));
	crypto_key_free(k);
}

TEST(certificates_in_ber_are_refused)
{
	/* The same bytes with the outer length spelled longer, then left
	 * open (X.690 §8.1.3.6). */
	struct crypto_key *k = NULL;
	struct attest_cert c;
	CHECK(crypto_key_generate(CRYPTO_P256, &k, NULL));
	auto_buf der = made(k), longer = { 0 }, open = { 0 };
	CHECK_INT(der.ptr[1], 0x82);
	CHECK(buf_put(&longer, BYTES_LIT("\x30\x83\x00")) &&
		buf_put(&longer, bytes_from(buf_bytes(&der), 2)));
	CHECK(buf_put(&open, BYTES_LIT("\x30\x80")) &&
		buf_put(&open, bytes_from(buf_bytes(&der), 4)) &&
		buf_put(&open, BYTES_LIT("\0\0")));
	CHECK(!attest_cert_parse(buf_bytes(&longer), &c, NULL));
	CHECK(!attest_cert_parse(buf_bytes(&open), &c, NULL));
	crypto_key_free(k);
}

/* One with so many extensions. */
static struct buf with_exts(struct crypto_key *k, size_t n)
{
	static const uint8_t value[] = { 5, 0 };
	struct crypto_ext *ext = calloc(n, sizeof *ext);
	char(*oid)[24] = calloc(n, sizeof *oid);
	struct buf der = { 0 };
	for (size_t i = 0; i < n; i++) {
		fmt(oid[i], sizeof oid[i], "1.2.3.%zu", i);
		ext[i] = (struct crypto_ext){ oid[i], BYTES_ARRAY(value) };
	}
	CHECK(crypto_cert_make(k, "keep", 1700000000, 1800000000, ext, n, &der,
		NULL));
	free(oid);
	free(ext);
	return der;
}

TEST(a_certificate_of_more_extensions_than_any_has_is_refused)
{
	/* Each is compared with all others: who could send thousands would
	 * have a verifier work for minutes. */
	struct crypto_key *k = NULL;
	struct attest_cert c;
	CHECK(crypto_key_generate(CRYPTO_P256, &k, NULL));
	auto_buf few = with_exts(k, 64), many = with_exts(k, 65);
	CHECK(attest_cert_parse(buf_bytes(&few), &c, NULL));
	CHECK(!attest_cert_parse(buf_bytes(&many), &c, NULL));
	crypto_key_free(k);
}

TEST(a_certificate_of_another_key_is_refused)
{
	struct crypto_key *a = NULL, *b = NULL;
	struct attest_cert ca, cb;
	struct err e = { 0 };
	CHECK(crypto_key_generate(CRYPTO_P256, &a, NULL));
	CHECK(crypto_key_generate(CRYPTO_P256, &b, NULL));
	auto_buf da = made(a), db = made(b);
	CHECK(attest_cert_parse(buf_bytes(&da), &ca, &e));
	CHECK(attest_cert_parse(buf_bytes(&db), &cb, &e));
	cb.ca = true;
	CHECK(!attest_cert_signed_by(&ca, &cb, NULL, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	crypto_key_free(a);
	crypto_key_free(b);
}

TEST(real_revocation_lists_are_read)
{
	auto_buf list = { 0 }, root = { 0 }, other = { 0 };
	struct attest_crl l;
	struct attest_cert genoa, milan;
	struct err e = { 0 };
	if (!vectors_read("open/roots/ark_genoa.crl.der", &list))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(vectors_read("open/roots/ark_genoa.der", &root));
	CHECK(vectors_read("open/roots/ark_milan.der", &other));
	CHECK(attest_crl_parse(buf_bytes(&list), &l, &e));
	CHECK(attest_cert_parse(buf_bytes(&root), &genoa, &e));
	CHECK(attest_cert_parse(buf_bytes(&other), &milan, &e));
	CHECK(genoa.ca && genoa.alg == ATTEST_SIG_PSS_SHA384);
	CHECK(attest_cert_signed_by(&genoa, &genoa, NULL, &e));
	CHECK(attest_crl_signed_by(&l, &genoa, NULL, &e));
	CHECK(!attest_crl_signed_by(&l, &milan, NULL, &e));
	CHECK_HAS(e.text, "another name");
	milan.subject = genoa.subject;
	CHECK(!attest_crl_signed_by(&l, &milan, NULL, &e));
	CHECK(attest_crl_has(&l, BYTES_LIT("\x02\x00\x01")));
	CHECK(!attest_crl_has(&l, BYTES_LIT("\x02\x00\x02")));
	CHECK(l.from == 1667223286 && l.to == 1698793200);
	for (size_t n = 0; n < list.len; n++)
		CHECK(!attest_crl_parse(bytes_of(list.ptr, n), &l, NULL));
}
