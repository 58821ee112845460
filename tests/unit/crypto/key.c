/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"
#include "../test.h"
#include "base/err.h"

static struct crypto_key *make(enum crypto_curve c)
{
	struct crypto_key *k = NULL;
	struct err e;
	CHECK(crypto_key_generate(c, &k, &e));
	return k;
}

static const struct {
	enum crypto_curve curve;
	size_t spki_len, sig_len;
} kinds[] = { { CRYPTO_P256, 91, 64 }, { CRYPTO_P384, 120, 96 } };

TEST(a_signature_verifies_with_the_key_read_back_from_its_spki)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct crypto_key *k = make(kinds[i].curve), *pub = NULL;
		auto_buf spki = { 0 }, sig = { 0 }, again = { 0 };
		uint8_t f1[32], f2[32];
		struct err e;
		CHECK(crypto_key_spki(k, &spki, &e));
		CHECK_INT(spki.len, kinds[i].spki_len);
		CHECK(crypto_key_from_spki(buf_bytes(&spki), &pub, &e));
		CHECK(crypto_key_spki(pub, &again, &e));
		CHECK(bytes_equal(buf_bytes(&spki), buf_bytes(&again)));
		CHECK(crypto_key_fingerprint(k, f1, &e));
		CHECK(crypto_key_fingerprint(pub, f2, &e));
		CHECK_MEM(f1, f2, 32);
		CHECK(crypto_sign(k, BYTES_LIT("message"), &sig, &e));
		CHECK_INT(sig.len, kinds[i].sig_len);
		CHECK(crypto_verify(pub, BYTES_LIT("message"), buf_bytes(&sig),
			&e));
		crypto_key_free(k);
		crypto_key_free(pub);
	}
}

TEST(a_signature_appends_to_what_the_buffer_holds)
{
	struct crypto_key *k = make(CRYPTO_P256);
	auto_buf sig = { 0 };
	struct err e;
	CHECK(buf_put(&sig, BYTES_LIT("head")));
	CHECK(crypto_sign(k, BYTES_LIT("m"), &sig, &e));
	CHECK_INT(sig.len, 68);
	CHECK(crypto_verify(k, BYTES_LIT("m"), bytes_from(buf_bytes(&sig), 4),
		&e));
	crypto_key_free(k);
}

TEST(a_changed_message_signature_or_key_is_denied)
{
	struct crypto_key *k = make(CRYPTO_P256), *other = make(CRYPTO_P256);
	auto_buf sig = { 0 };
	struct err e = { 0 };
	CHECK(crypto_sign(k, BYTES_LIT("message"), &sig, &e));
	CHECK(!crypto_verify(k, BYTES_LIT("massage"), buf_bytes(&sig), &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK(!crypto_verify(other, BYTES_LIT("message"), buf_bytes(&sig), &e));
	for (size_t i = 0; i < sig.len; i++) {
		sig.ptr[i] ^= 1;
		CHECK(!crypto_verify(k, BYTES_LIT("message"), buf_bytes(&sig),
			&e));
		CHECK_INT(e.kind, ERR_DENIED);
		sig.ptr[i] ^= 1;
	}
	CHECK(crypto_verify(k, BYTES_LIT("message"), buf_bytes(&sig), &e));
	crypto_key_free(k);
	crypto_key_free(other);
}

TEST(a_signature_of_another_length_or_of_zeros_is_denied)
{
	struct crypto_key *k = make(CRYPTO_P256);
	static const uint8_t zeros[96];
	struct err e = { 0 };
	for (size_t n = 0; n <= sizeof zeros; n++) {
		CHECK(!crypto_verify(k, BYTES_LIT("m"), bytes_of(zeros, n),
			&e));
		CHECK_INT(e.kind, ERR_DENIED);
	}
	crypto_key_free(k);
}

TEST(an_spki_that_is_cut_or_changed_in_its_head_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct crypto_key *k = make(kinds[i].curve), *pub = NULL;
		auto_buf spki = { 0 };
		struct err e = { 0 };
		CHECK(crypto_key_spki(k, &spki, &e));
		crypto_key_free(k);
		for (size_t n = 0; n < spki.len; n++)
			CHECK(!crypto_key_from_spki(bytes_of(spki.ptr, n), &pub,
				&e));
		for (size_t at = 0; at < 24; at++) {
			spki.ptr[at] ^= 0x10;
			CHECK(!crypto_key_from_spki(buf_bytes(&spki), &pub,
				&e));
			CHECK_INT(e.kind, ERR_INPUT);
			spki.ptr[at] ^= 0x10;
		}
		/* Off the curve. */
		spki.ptr[spki.len - 1] ^= 1;
		CHECK(!crypto_key_from_spki(buf_bytes(&spki), &pub, &e));
		spki.ptr[spki.len - 1] ^= 1;
		CHECK(buf_u8(&spki, 0));
		CHECK(!crypto_key_from_spki(buf_bytes(&spki), &pub, &e));
	}
}

TEST(the_empty_key_frees)
{
	crypto_key_free(NULL);
}
