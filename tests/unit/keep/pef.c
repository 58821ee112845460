/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/pef.h"

#include "../test.h"
#include "crypto/key.h"
#include "spec/pef.h"

static const uint8_t data[64] = { 1, 2, 3 };

static void sign(struct buf *out, struct crypto_key **k)
{
	struct gate_shim s = { 0 };
	CHECK(crypto_key_generate(CRYPTO_P256, k, NULL));
	CHECK(crypto_key_scalar(*k, s.key, NULL));
	CHECK(keep_pef_sign(&s, data, out, NULL));
}

TEST(pef_evidence_is_the_owner_s_key_s_word)
{
	struct crypto_key *k;
	struct pef_evidence v;
	auto_buf out = { .len = 0 }, spki = { .len = 0 };
	sign(&out, &k);
	CHECK_INT(out.len, PEF_BYTES + PEF_SPKI_BYTES);
	memcpy(&v, out.ptr, sizeof v);
	CHECK_MEM(v.report_data, data, sizeof data);
	CHECK(crypto_verify(k, bytes_of(&v, PEF_SIGNED_BYTES),
		BYTES_ARRAY(v.signature), NULL));
	CHECK(crypto_key_spki(k, &spki, NULL));
	CHECK_MEM(out.ptr + PEF_BYTES, spki.ptr, spki.len);
	crypto_key_free(k);
}

TEST(pef_without_a_key_there_is_no_evidence)
{
	const struct gate_shim s = { 0 };
	auto_buf out = { .len = 0 };
	struct err e = { 0 };
	CHECK(!keep_pef_sign(&s, data, &out, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "no key of the owner's");
}

TEST(pef_a_host_that_gives_back_something_else_is_told)
{
	struct crypto_key *k, *l;
	auto_buf one = { .len = 0 }, two = { .len = 0 };
	struct err e = { 0 };
	sign(&one, &k);
	sign(&two, &l);
	struct bytes v = bytes_of(one.ptr, PEF_BYTES);
	struct bytes spki = bytes_from(buf_bytes(&one), PEF_BYTES);
	struct bytes other = bytes_from(buf_bytes(&two), PEF_BYTES);
	CHECK(keep_pef_check(buf_bytes(&one), v, spki, &e));
	CHECK(!keep_pef_check(buf_bytes(&one), v, other, &e));
	CHECK(!keep_pef_check(buf_bytes(&one), v, bytes_of(spki.ptr, 90), &e));
	CHECK(!keep_pef_check(buf_bytes(&one), bytes_of(two.ptr, PEF_BYTES),
		spki, &e));
	CHECK(!keep_pef_check(buf_bytes(&one), bytes_of(one.ptr, 10), spki,
		&e));
	crypto_key_free(k);
	crypto_key_free(l);
}
