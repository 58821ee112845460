/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/claims.h"

#include "codec/cbor.h"
#include "crypto/hash.h"

/* Hash algorithms of interoperable RA-TLS. */
enum { ALG_SHA256 = 1, ALG_SHA384 = 7, ALG_SHA512 = 8 };

bool attest_claims_encode(const struct attest_claims *c, struct buf *out)
{
	auto_buf hash = { 0 };
	cbor_put_head(&hash, CBOR_ARRAY, 2);
	cbor_put_uint(&hash, ALG_SHA256);
	cbor_put_bytes(&hash, BYTES_ARRAY(c->spki_hash));
	cbor_put_head(out, CBOR_MAP, 3);
	cbor_put_text(out, "nonce");
	cbor_put_bytes(out, BYTES_ARRAY(c->nonce));
	cbor_put_text(out, "owner");
	cbor_put_bytes(out, BYTES_ARRAY(c->owner));
	cbor_put_text(out, "pubkey-hash");
	cbor_put_bytes(out, buf_bytes(&hash));
	if (!buf_ok(&hash))
		out->failed = true;
	return buf_ok(out);
}

static bool key_is(struct reader *r, const char *name)
{
	return bytes_equal(cbor_text(r), bytes_str(name));
}

static bool take_32(struct reader *r, uint8_t out[32])
{
	struct bytes b = cbor_bytes(r);
	if (b.len != 32)
		return false;
	memcpy(out, b.ptr, 32);
	return true;
}

static bool take_pubkey_hash(struct reader *r, uint8_t out[32])
{
	struct reader in = { .in = cbor_bytes(r) };
	return cbor_head(&in, CBOR_ARRAY) == 2 &&
		cbor_head(&in, CBOR_UINT) == ALG_SHA256 && take_32(&in, out) &&
		reader_done(&in);
}

bool attest_claims_parse(struct bytes in, struct attest_claims *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_claims c;
	if (cbor_head(&r, CBOR_MAP) != 3)
		return err_fail(e, ERR_INPUT, "claims: not a map of three");
	if (!key_is(&r, "nonce") || !take_32(&r, c.nonce))
		return err_fail(e, ERR_INPUT,
			"claims: not a nonce of 32 bytes first");
	if (!key_is(&r, "owner") || !take_32(&r, c.owner))
		return err_fail(e, ERR_INPUT,
			"claims: not an owner of 32 bytes second");
	if (!key_is(&r, "pubkey-hash") || !take_pubkey_hash(&r, c.spki_hash))
		return err_fail(e, ERR_INPUT,
			"claims: not a SHA-256 pubkey-hash third");
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "claims: trailing bytes");
	*out = c;
	return true;
}

static bool digest_of(unsigned alg, enum crypto_alg *out)
{
	switch (alg) {
	case ALG_SHA256:
		*out = CRYPTO_SHA256;
		return true;
	case ALG_SHA384:
		*out = CRYPTO_SHA384;
		return true;
	case ALG_SHA512:
		*out = CRYPTO_SHA512;
		return true;
	default:
		return false;
	}
}

bool attest_claims_hash(unsigned alg, struct bytes spki, uint8_t out[64],
	size_t *len, struct err *e)
{
	enum crypto_alg d;
	if (!digest_of(alg, &d))
		return err_fail(e, ERR_INPUT, "claims: hash algorithm %u", alg);
	*len = crypto_digest_len(d);
	return crypto_digest(d, spki, out, e);
}

static bool foreign_hash(struct bytes in, struct attest_foreign_claims *c)
{
	struct reader r = { .in = in };
	enum crypto_alg d;
	if (cbor_head(&r, CBOR_ARRAY) != 2)
		return false;
	uint64_t alg = cbor_head(&r, CBOR_UINT);
	c->hash = cbor_bytes(&r);
	c->alg = alg > ALG_SHA512 ? 0 : (unsigned)alg;
	return reader_done(&r) && digest_of(c->alg, &d) &&
		c->hash.len == crypto_digest_len(d);
}

bool attest_claims_foreign(struct bytes in, struct attest_foreign_claims *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_foreign_claims c = { 0 };
	uint64_t n = cbor_head(&r, CBOR_MAP);
	bool hash = false;
	for (uint64_t i = 0; i < n && !r.failed; i++) {
		struct bytes key = cbor_text(&r);
		if (bytes_equal(key, BYTES_LIT("pubkey-hash"))) {
			if (hash || !foreign_hash(cbor_bytes(&r), &c))
				return err_fail(e, ERR_INPUT,
					"claims: pubkey-hash");
			hash = true;
		} else if (bytes_equal(key, BYTES_LIT("nonce"))) {
			if (c.nonce.ptr)
				r.failed = true;
			c.nonce = cbor_bytes(&r);
		} else {
			cbor_skip(&r);
		}
	}
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "claims: not a map in CBOR");
	if (!hash)
		return err_fail(e, ERR_INPUT, "claims: no pubkey-hash");
	*out = c;
	return true;
}

bool attest_report_data(struct bytes claims,
	uint8_t out[ATTEST_REPORT_DATA_BYTES], struct err *e)
{
	memset(out, 0, ATTEST_REPORT_DATA_BYTES);
	return crypto_digest(CRYPTO_SHA256, claims, out, e);
}

bool attest_tagged_encode(uint32_t tag, struct bytes evidence,
	struct bytes claims, struct buf *out)
{
	cbor_put_head(out, CBOR_TAG, tag);
	cbor_put_head(out, CBOR_ARRAY, 2);
	cbor_put_bytes(out, evidence);
	cbor_put_bytes(out, claims);
	return buf_ok(out);
}

bool attest_tagged_parse(struct bytes in, uint32_t *tag, struct bytes *evidence,
	struct bytes *claims, struct err *e)
{
	struct reader r = { .in = in };
	uint64_t t = cbor_head(&r, CBOR_TAG);
	if (cbor_head(&r, CBOR_ARRAY) != 2)
		r.failed = true;
	struct bytes ev = cbor_bytes(&r), cl = cbor_bytes(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT,
			"tagged evidence: not a tag over two byte strings");
	if (t > UINT32_MAX)
		return err_fail(e, ERR_INPUT, "tagged evidence: unknown tag");
	*tag = (uint32_t)t;
	*evidence = ev;
	*claims = cl;
	return true;
}
