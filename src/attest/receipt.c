/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/receipt.h"

#include "codec/cbor.h"
#include "crypto/key.h"

enum { MEMBERS = 15, DIGEST = 32 };

static void put_digest(struct buf *b, const char *key, const uint8_t digest[32],
	bool there)
{
	cbor_put_text(b, key);
	cbor_put_bytes(b, bytes_of(digest, there ? DIGEST : 0));
}

static void put_number(struct buf *b, const char *key, uint64_t n)
{
	cbor_put_text(b, key);
	cbor_put_uint(b, n);
}

/* Keys in the order of RFC 8949 §4.2.1: shorter ones first. */
bool attest_receipt_encode(const struct attest_receipt *r, struct buf *b)
{
	cbor_put_head(b, CBOR_MAP, MEMBERS);
	put_number(b, "v", ATTEST_RECEIPT_VERSION);
	put_number(b, "end", r->end);
	put_digest(b, "toml", r->toml, r->has_toml);
	put_number(b, "ended", r->ended_ns);
	put_digest(b, "files", r->files, true);
	put_number(b, "stdin", r->stdin_bytes);
	put_digest(b, "claims", r->claims, true);
	put_digest(b, "module", r->module, true);
	put_digest(b, "policy", r->policy, r->has_policy);
	put_number(b, "status", r->status);
	put_number(b, "stderr", r->stderr_bytes);
	put_number(b, "stdout", r->stdout_bytes);
	put_digest(b, "package", r->package, r->has_package);
	put_number(b, "started", r->started_ns);
	put_digest(b, "settings", r->settings, true);
	return buf_ok(b);
}

static void take_key(struct reader *r, const char *key)
{
	if (!bytes_equal(cbor_text(r), bytes_str(key)))
		r->failed = true;
}

static uint64_t take_number(struct reader *r, const char *key)
{
	take_key(r, key);
	return cbor_head(r, CBOR_UINT);
}

static bool take_digest(struct reader *r, const char *key, uint8_t out[32],
	bool optional)
{
	take_key(r, key);
	struct bytes b = cbor_bytes(r);
	if (b.len == DIGEST && b.ptr)
		memcpy(out, b.ptr, DIGEST);
	else if (b.len || !optional)
		r->failed = true;
	return b.len == DIGEST;
}

static uint32_t take_small(struct reader *r, const char *key)
{
	uint64_t n = take_number(r, key);
	if (n > UINT32_MAX)
		r->failed = true;
	return (uint32_t)n;
}

bool attest_receipt_parse(struct bytes in, struct attest_receipt *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_receipt x = { 0 };
	if (cbor_head(&r, CBOR_MAP) != MEMBERS ||
		take_number(&r, "v") != ATTEST_RECEIPT_VERSION)
		return err_fail(e, ERR_INPUT, "receipt: not of version %d",
			ATTEST_RECEIPT_VERSION);
	x.end = take_small(&r, "end");
	x.has_toml = take_digest(&r, "toml", x.toml, true);
	x.ended_ns = take_number(&r, "ended");
	take_digest(&r, "files", x.files, false);
	x.stdin_bytes = take_number(&r, "stdin");
	take_digest(&r, "claims", x.claims, false);
	take_digest(&r, "module", x.module, false);
	x.has_policy = take_digest(&r, "policy", x.policy, true);
	x.status = take_small(&r, "status");
	x.stderr_bytes = take_number(&r, "stderr");
	x.stdout_bytes = take_number(&r, "stdout");
	x.has_package = take_digest(&r, "package", x.package, true);
	x.started_ns = take_number(&r, "started");
	take_digest(&r, "settings", x.settings, false);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT,
			"receipt: %zu bytes that are none", in.len);
	*out = x;
	return true;
}

static bool message(struct bytes statement, struct buf *out, struct err *e)
{
	static const char context[] = ATTEST_RECEIPT_CONTEXT;
	return (buf_put(out, BYTES_ARRAY(context)) &&
		       buf_put(out, statement)) ||
		err_fail(e, ERR_LIMIT, "receipt: no memory");
}

bool attest_receipt_sign(const struct crypto_key *k, struct bytes statement,
	struct buf *sig, struct err *e)
{
	auto_buf m = { 0 };
	return message(statement, &m, e) &&
		crypto_sign(k, buf_bytes(&m), sig, e);
}

bool attest_receipt_verify(const struct crypto_key *k, struct bytes statement,
	struct bytes sig, struct err *e)
{
	auto_buf m = { 0 };
	return message(statement, &m, e) &&
		(crypto_verify(k, buf_bytes(&m), sig, e) ||
			err_wrap(e, "receipt"));
}
