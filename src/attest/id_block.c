/* SPDX-License-Identifier: Apache-2.0 */
/* The ID block of an SNP launch, and who signed it (AMD 56860, "ID block",
 * "ID authentication information structure"). */
#include "attest/measure_snp.h"
#include "base/buf.h"
#include "base/reader.h"
#include "crypto/hash.h"
#include "crypto/key.h"

enum {
	VERSION = 1,
	ALGO_P384_SHA384 = 1,
	CURVE_P384 = 2,
	COORDINATE = 48, /* of which a field has 72 bytes */
	FIELD = 72,
	SIGNATURE = 512,
	PAGE = 4096,
};

void attest_snp_id_block_encode(const struct attest_snp_id_block *b,
	uint8_t out[SNP_ID_BLOCK_BYTES])
{
	uint8_t *p = out;
	const uint64_t tail[] = { VERSION | (uint64_t)b->guest_svn << 32,
		b->policy };
	memcpy(p, b->digest, sizeof b->digest);
	memcpy(p + 48, b->family_id, sizeof b->family_id);
	memcpy(p + 64, b->image_id, sizeof b->image_id);
	for (size_t i = 0; i < 16; i++)
		p[80 + i] = (uint8_t)(tail[i / 8] >> 8 * (i % 8));
}

bool attest_snp_id_block_parse(struct bytes in, struct attest_snp_id_block *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_snp_id_block b;
	reader_copy(&r, b.digest, sizeof b.digest);
	reader_copy(&r, b.family_id, sizeof b.family_id);
	reader_copy(&r, b.image_id, sizeof b.image_id);
	uint32_t version = reader_u32le(&r);
	b.guest_svn = reader_u32le(&r);
	b.policy = reader_u64le(&r);
	if (!reader_done(&r) || version != VERSION)
		return err_fail(e, ERR_INPUT,
			"id block: not 96 bytes of version 1");
	*out = b;
	return true;
}

static const uint8_t p384_spki[] = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
	0x22, 0x03, 0x62, 0x00, 0x04 };

static void turn(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < COORDINATE; i++)
		to[i] = from[COORDINATE - 1 - i];
}

bool attest_snp_key_digest(struct bytes spki, uint8_t out[48], struct err *e)
{
	uint8_t key[SNP_ID_KEY_BYTES] = { CURVE_P384 };
	size_t n = sizeof p384_spki;
	if (spki.len != n + 2 * COORDINATE ||
		memcmp(spki.ptr, p384_spki, n) != 0)
		return err_fail(e, ERR_INPUT, "id key: not a P-384 key");
	turn(key + 4, spki.ptr + n);
	turn(key + 4 + FIELD, spki.ptr + n + COORDINATE);
	return crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(key), out, e);
}

/* A key in the firmware's form as SubjectPublicKeyInfo. */
static bool key_of(struct bytes key, struct crypto_key **out, struct err *e)
{
	struct reader r = { .in = key };
	uint8_t spki[sizeof p384_spki + 2 * COORDINATE];
	bool ok = reader_u32le(&r) == CURVE_P384;
	memcpy(spki, p384_spki, sizeof p384_spki);
	for (size_t i = 0; i < 2; i++) {
		struct bytes c = reader_take(&r, FIELD);
		ok = ok && c.len == FIELD &&
			bytes_all_zero(bytes_from(c, COORDINATE));
		if (ok)
			turn(spki + sizeof p384_spki + i * COORDINATE, c.ptr);
	}
	if (!ok || !bytes_all_zero(bytes_from(key, r.at)))
		return err_fail(e, ERR_INPUT, "id key: not a P-384 key");
	return crypto_key_from_spki(BYTES_ARRAY(spki), out, e);
}

static bool signed_by(struct bytes key, struct bytes message, struct bytes sig,
	struct err *e)
{
	uint8_t raw[2 * COORDINATE];
	struct crypto_key *k;
	for (size_t i = 0; i < 2; i++) {
		struct bytes half = bytes_from(sig, i * FIELD);
		half.len = FIELD;
		turn(raw + i * COORDINATE, half.ptr);
		if (!bytes_all_zero(bytes_from(half, COORDINATE)))
			return err_fail(e, ERR_INPUT, "id block: signature");
	}
	if (!bytes_all_zero(bytes_from(sig, 2 * FIELD)))
		return err_fail(e, ERR_INPUT, "id block: signature");
	if (!key_of(key, &k, e))
		return false;
	bool ok = crypto_verify(k, message, BYTES_ARRAY(raw), e);
	crypto_key_free(k);
	return ok;
}

bool attest_snp_id_auth_check(struct bytes page, struct bytes block,
	struct attest_snp_id_auth *out, struct err *e)
{
	struct reader r = { .in = page };
	struct attest_snp_id_auth a = { 0 };
	uint32_t id_algo = reader_u32le(&r), author_algo = reader_u32le(&r);
	struct bytes reserved = reader_take(&r, 0x38);
	struct bytes block_sig = reader_take(&r, SIGNATURE);
	struct bytes id_key = reader_take(&r, SNP_ID_KEY_BYTES);
	struct bytes gap = reader_take(&r, 0x3c);
	struct bytes key_sig = reader_take(&r, SIGNATURE);
	struct bytes author_key = reader_take(&r, SNP_ID_KEY_BYTES);
	if (r.failed || page.len != PAGE || !bytes_all_zero(reserved) ||
		!bytes_all_zero(gap) ||
		!bytes_all_zero(bytes_from(block_sig, 2 * FIELD)) ||
		!bytes_all_zero(bytes_from(page, r.at)))
		return err_fail(e, ERR_INPUT,
			"id authentication: not 4096 bytes with zeros between");
	if (id_algo != ALGO_P384_SHA384 || author_algo > ALGO_P384_SHA384)
		return err_fail(e, ERR_INPUT,
			"id authentication: unknown algorithm");
	a.has_author = author_algo == ALGO_P384_SHA384;
	if (!crypto_digest(CRYPTO_SHA384, id_key, a.id_key_digest, e))
		return false;
	if (a.has_author &&
		(!crypto_digest(CRYPTO_SHA384, author_key, a.author_key_digest,
			 e) ||
			!signed_by(author_key, id_key, key_sig, e)))
		return err_wrap(e, "id authentication: author");
	if (block.len && !signed_by(id_key, block, block_sig, e))
		return err_wrap(e, "id authentication: block");
	*out = a;
	return true;
}

static bool put_key(const struct crypto_key *k, struct buf *out, struct err *e)
{
	uint8_t key[SNP_ID_KEY_BYTES] = { CURVE_P384 };
	size_t n = sizeof p384_spki;
	auto_buf spki = { 0 };
	if (!crypto_key_spki(k, &spki, e))
		return false;
	if (spki.len != n + 2 * COORDINATE)
		return err_fail(e, ERR_INPUT, "id key: not a P-384 key");
	turn(key + 4, spki.ptr + n);
	turn(key + 4 + FIELD, spki.ptr + n + COORDINATE);
	return buf_put(out, BYTES_ARRAY(key)) ||
		err_fail(e, ERR_LIMIT, "id block: out of memory");
}

static bool put_signature(const struct crypto_key *k, struct bytes message,
	struct buf *out, struct err *e)
{
	uint8_t sig[SIGNATURE] = { 0 };
	auto_buf raw = { 0 };
	if (!crypto_sign(k, message, &raw, e))
		return false;
	turn(sig, raw.ptr);
	turn(sig + FIELD, raw.ptr + COORDINATE);
	return buf_put(out, BYTES_ARRAY(sig)) ||
		err_fail(e, ERR_LIMIT, "id block: out of memory");
}

bool attest_snp_id_auth_make(const uint8_t block[SNP_ID_BLOCK_BYTES],
	const struct crypto_key *id_key, const struct crypto_key *author_key,
	struct buf *page, struct err *e)
{
	static const uint8_t zeros[PAGE] = { 0 };
	auto_buf key = { 0 }, p = { 0 };
	if (!put_key(id_key, &key, e))
		return false;
	buf_u32le(&p, ALGO_P384_SHA384);
	buf_u32le(&p, author_key ? ALGO_P384_SHA384 : 0);
	buf_put(&p, bytes_of(zeros, 0x38));
	if (!put_signature(id_key, bytes_of(block, SNP_ID_BLOCK_BYTES), &p, e))
		return false;
	buf_put(&p, buf_bytes(&key));
	buf_put(&p, bytes_of(zeros, 0x3c));
	if (author_key &&
		(!put_signature(author_key, buf_bytes(&key), &p, e) ||
			!put_key(author_key, &p, e)))
		return false;
	buf_put(&p, bytes_of(zeros, size_min(PAGE - p.len, PAGE)));
	return (buf_ok(&p) && buf_put(page, buf_bytes(&p))) ||
		err_fail(e, ERR_LIMIT, "id block: out of memory");
}
