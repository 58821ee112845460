/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_snp.h"

#include <stdio.h>

#include "attest/ovmf.h"
#include "codec/hex.h"
#include "crypto/key.h"

#include "../test.h"
#include "helpers/launch.h"
#include "helpers/vectors.h"

#define DIR "open/snp/measure/"

TEST(snp_launch_digests_are_those_of_the_index)
{
	auto_buf probe = { 0 };
	if (!vectors_read("INDEX.tsv", &probe))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK_INT(launch_check_all(DIR "expected.json"), 10);
}

static json_t *id_block(struct buf *block)
{
	json_t *o = launch_json(DIR "id_block.json");
	if (o)
		CHECK(base64_decode(bytes_str(launch_text(o, "id_block_b64")),
			block, NULL));
	return o;
}

TEST(snp_id_blocks_are_made_and_read)
{
	struct attest_snp_id_block b;
	uint8_t back[SNP_ID_BLOCK_BYTES];
	char hex[97];
	auto_buf raw = { 0 };
	json_t *o = id_block(&raw);
	if (!o)
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(attest_snp_id_block_parse(buf_bytes(&raw), &b, NULL));
	hex_encode(BYTES_ARRAY(b.digest), hex);
	CHECK_STR(hex, launch_text(o, "launch_digest"));
	CHECK_INT(b.policy, 0x30000);
	attest_snp_id_block_encode(&b, back);
	CHECK_MEM(back, raw.ptr, sizeof back);
	for (size_t n = 0; n < raw.len; n++)
		CHECK(!attest_snp_id_block_parse(bytes_of(raw.ptr, n), &b,
			NULL));
	json_decref(o);
}

TEST(snp_key_digests_are_those_of_reports)
{
	static const char *const keys[] = { "id_key", "author_key" };
	auto_buf raw = { 0 };
	json_t *o = id_block(&raw);
	if (!o)
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char name[32];
		uint8_t spki[120], digest[48];
		auto_buf want = { 0 };
		snprintf(name, sizeof name, "%s_spki_der_hex", keys[i]);
		CHECK(hex_decode(bytes_str(launch_text(o, name)), spki,
			sizeof spki, NULL));
		snprintf(name, sizeof name, "%s_digest_b64", keys[i]);
		CHECK(base64_decode(bytes_str(launch_text(o, name)), &want,
			NULL));
		CHECK(attest_snp_key_digest(BYTES_ARRAY(spki), digest, NULL));
		CHECK_MEM(digest, want.ptr, 48);
		spki[3] ^= 1;
		CHECK(!attest_snp_key_digest(BYTES_ARRAY(spki), digest, NULL));
	}
	json_decref(o);
}

TEST(snp_id_authentication_is_checked)
{
	struct attest_snp_id_auth a;
	struct err e = { 0 };
	auto_buf raw = { 0 }, page = { 0 }, want = { 0 };
	json_t *o = id_block(&raw);
	if (!o)
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(vectors_read(DIR "id_auth.bin", &page));
	if (!attest_snp_id_auth_check(buf_bytes(&page), BYTES_NONE, &a, &e))
		fail_msg("%s", e.text);
	CHECK(a.has_author);
	/* It is an example of its own: whose block is not told. */
	if (!attest_snp_id_auth_check(buf_bytes(&page), buf_bytes(&raw), &a,
		    &e))
		CHECK_HAS(e.text, "block");
	for (size_t at = 0; at < page.len; at += 29) {
		page.ptr[at] ^= 0x10;
		bool in_block_sig = at >= 0x40 && at < 0x40 + 144;
		CHECK(attest_snp_id_auth_check(buf_bytes(&page), BYTES_NONE, &a,
			      NULL) == in_block_sig);
		page.ptr[at] ^= 0x10;
	}
	page.len--;
	CHECK(!attest_snp_id_auth_check(buf_bytes(&page), BYTES_NONE, &a, &e));
	json_decref(o);
}

TEST(snp_id_authentication_that_is_made_is_one_that_is_read)
{
	const struct attest_snp_id_block b = { .digest = { 1 },
		.guest_svn = 3,
		.policy = 0x30000 };
	uint8_t block[SNP_ID_BLOCK_BYTES];
	struct attest_snp_id_auth a;
	struct crypto_key *id = NULL, *author = NULL, *p256 = NULL;
	struct err e = { 0 };
	auto_buf page = { 0 }, alone = { 0 }, spki = { 0 };
	uint8_t digest[48];
	attest_snp_id_block_encode(&b, block);
	CHECK(crypto_key_generate(CRYPTO_P384, &id, &e) &&
		crypto_key_generate(CRYPTO_P384, &author, &e) &&
		crypto_key_generate(CRYPTO_P256, &p256, &e));
	CHECK(attest_snp_id_auth_make(block, id, author, &page, &e));
	CHECK_INT(page.len, 4096);
	if (!attest_snp_id_auth_check(buf_bytes(&page), BYTES_ARRAY(block), &a,
		    &e))
		fail_msg("%s", e.text);
	CHECK(a.has_author && crypto_key_spki(author, &spki, &e));
	CHECK(attest_snp_key_digest(buf_bytes(&spki), digest, &e));
	CHECK_MEM(digest, a.author_key_digest, sizeof digest);
	block[50] ^= 1;
	CHECK(!attest_snp_id_auth_check(buf_bytes(&page), BYTES_ARRAY(block),
		&a, &e));
	CHECK_HAS(e.text, "block");
	block[50] ^= 1;
	CHECK(attest_snp_id_auth_make(block, id, NULL, &alone, &e));
	CHECK(attest_snp_id_auth_check(buf_bytes(&alone), BYTES_ARRAY(block),
		&a, &e));
	CHECK(!a.has_author);
	alone.ptr[4] = 2; /* an algorithm that nobody knows */
	CHECK(!attest_snp_id_auth_check(buf_bytes(&alone), BYTES_ARRAY(block),
		&a, &e));
	CHECK(!attest_snp_id_auth_make(block, p256, NULL, &alone, &e));
	crypto_key_free(id);
	crypto_key_free(author);
	crypto_key_free(p256);
}

TEST(snp_launches_depend_on_order_kind_and_place)
{
	static const uint8_t page[4096] = { 1 };
	struct attest_snp_launch a = { 0 }, b = { 0 };
	struct err e = { 0 };
	CHECK(attest_snp_launch_page(&a, ATTEST_SNP_NORMAL, 0x1000,
		BYTES_ARRAY(page), &e));
	CHECK(attest_snp_launch_page(&a, ATTEST_SNP_ZERO, 0x2000, BYTES_NONE,
		&e));
	CHECK(attest_snp_launch_page(&b, ATTEST_SNP_ZERO, 0x2000, BYTES_NONE,
		&e));
	CHECK(attest_snp_launch_page(&b, ATTEST_SNP_NORMAL, 0x1000,
		BYTES_ARRAY(page), &e));
	CHECK(memcmp(a.digest, b.digest, 48) != 0);
	CHECK(!attest_snp_launch_page(&a, ATTEST_SNP_NORMAL, 0x1001,
		BYTES_ARRAY(page), &e));
	CHECK(!attest_snp_launch_page(&a, ATTEST_SNP_ZERO, 0x1000,
		BYTES_ARRAY(page), &e));
	CHECK(!attest_snp_launch_page(&a, ATTEST_SNP_NORMAL, 0x1000, BYTES_NONE,
		&e));
}

TEST(firmware_images_are_refused_when_cut_or_changed)
{
	struct attest_ovmf o;
	auto_buf image = { 0 };
	if (!vectors_read(DIR "ovmf_AmdSev_suffix.bin", &image))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(attest_ovmf_parse(buf_bytes(&image), &o, NULL));
	CHECK(o.sections == 7 && o.reset_eip && o.hashes_gpa);
	for (size_t n = 0; n < image.len; n += 13)
		CHECK(!attest_ovmf_parse(bytes_of(image.ptr, n), &o, NULL));
	image.ptr[image.len - 33] ^= 1; /* the table's GUID */
	CHECK(!attest_ovmf_parse(buf_bytes(&image), &o, NULL));
}
