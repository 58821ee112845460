/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sgx.h"

#include <endian.h>

#include "base/buf.h"
#include "base/reader.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "spec/sgx_enclave.h"

enum {
	KEY = CRYPTO_RSA3_BYTES,
	SIGNED_HEAD = 128, /* is signed, as are 128 bytes behind the key */
	BODY_AT = 900,
	BODY = 128,
	EXPONENT = 3,
};

static const uint8_t header1[12] = { 0x06, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1, 0 };
static const uint8_t header2[16] = { 0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0,
	0, 0, 0x01, 0, 0, 0 };
static const uint32_t type_debug = 0x80000000u;

/* All numbers of the key stand the lowest byte first. */
static void turn(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < KEY; i++)
		to[i] = from[KEY - 1 - i];
}

static bool read_head(struct reader *r, struct attest_sigstruct *s,
	struct err *e)
{
	bool ok = bytes_equal(reader_take(r, sizeof header1),
		BYTES_ARRAY(header1));
	uint32_t type = reader_u32le(r);
	s->debug = type == type_debug;
	s->vendor = reader_u32le(r);
	s->date = reader_u32le(r);
	ok = ok &&
		bytes_equal(reader_take(r, sizeof header2),
			BYTES_ARRAY(header2));
	s->swdefined = reader_u32le(r);
	ok = bytes_all_zero(reader_take(r, 84)) && ok;
	if (r->failed || !ok || (type && !s->debug))
		return err_fail(e, ERR_INPUT, "sigstruct: header");
	return true;
}

static bool read_body(struct bytes in, struct attest_sigstruct *s,
	struct err *e)
{
	struct reader r = { .in = in };
	s->miscselect = reader_u32le(&r);
	s->miscmask = reader_u32le(&r);
	bool zeros = bytes_all_zero(reader_take(&r, 4));
	reader_copy(&r, s->isvfamilyid, sizeof s->isvfamilyid);
	reader_copy(&r, s->attributes, sizeof s->attributes);
	reader_copy(&r, s->attribute_mask, sizeof s->attribute_mask);
	reader_copy(&r, s->mrenclave, sizeof s->mrenclave);
	zeros = bytes_all_zero(reader_take(&r, 16)) && zeros;
	reader_copy(&r, s->isvextprodid, sizeof s->isvextprodid);
	s->isvprodid = reader_u16le(&r);
	s->isvsvn = reader_u16le(&r);
	if (!reader_done(&r) || !zeros)
		return err_fail(e, ERR_INPUT, "sigstruct: body");
	return true;
}

static bool check_key(const uint8_t modulus[KEY], const uint8_t sig[KEY],
	struct bytes message, struct bytes q1, struct bytes q2, struct err *e)
{
	uint8_t want1[KEY], want2[KEY], have[KEY];
	if (!crypto_rsa3_verify(modulus, message, sig, e) ||
		!crypto_rsa3_quotients(modulus, sig, want1, want2, e))
		return err_wrap(e, "sigstruct");
	turn(have, q1.ptr);
	bool ok = !memcmp(have, want1, KEY);
	turn(have, q2.ptr);
	if (!ok || memcmp(have, want2, KEY) != 0)
		return err_fail(e, ERR_DENIED, "sigstruct: quotients");
	return true;
}

bool attest_sigstruct_check(struct bytes in, struct attest_sigstruct *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct attest_sigstruct s = { 0 };
	uint8_t modulus[KEY], sig[KEY], message[SIGNED_HEAD + BODY];
	if (in.len != ATTEST_SIGSTRUCT_BYTES)
		return err_fail(e, ERR_INPUT, "sigstruct: %zu bytes", in.len);
	if (!read_head(&r, &s, e))
		return false;
	struct bytes n = reader_take(&r, KEY);
	uint32_t exponent = reader_u32le(&r);
	struct bytes signature = reader_take(&r, KEY);
	struct bytes body = reader_take(&r, BODY);
	bool zeros = bytes_all_zero(reader_take(&r, 12));
	struct bytes q1 = reader_take(&r, KEY), q2 = reader_take(&r, KEY);
	if (!reader_done(&r) || !zeros || exponent != EXPONENT)
		return err_fail(e, ERR_INPUT, "sigstruct: not of exponent 3");
	if (!read_body(body, &s, e) ||
		!crypto_digest(CRYPTO_SHA256, n, s.mrsigner, e))
		return false;
	turn(modulus, n.ptr);
	turn(sig, signature.ptr);
	memcpy(message, in.ptr, SIGNED_HEAD);
	memcpy(message + SIGNED_HEAD, body.ptr, BODY);
	if (!check_key(modulus, sig, BYTES_ARRAY(message), q1, q2, e))
		return false;
	*out = s;
	return true;
}

static void put_head(const struct attest_sigstruct *s, struct buf *b)
{
	static const uint8_t zeros[84] = { 0 };
	buf_put(b, BYTES_ARRAY(header1));
	buf_u32le(b, s->debug ? type_debug : 0);
	buf_u32le(b, s->vendor);
	buf_u32le(b, s->date);
	buf_put(b, BYTES_ARRAY(header2));
	buf_u32le(b, s->swdefined);
	buf_put(b, BYTES_ARRAY(zeros));
}

static void put_body(const struct attest_sigstruct *s, struct buf *b)
{
	static const uint8_t zeros[16] = { 0 };
	buf_u32le(b, s->miscselect);
	buf_u32le(b, s->miscmask);
	buf_u32le(b, 0);
	buf_put(b, BYTES_ARRAY(s->isvfamilyid));
	buf_put(b, BYTES_ARRAY(s->attributes));
	buf_put(b, BYTES_ARRAY(s->attribute_mask));
	buf_put(b, BYTES_ARRAY(s->mrenclave));
	buf_put(b, BYTES_ARRAY(zeros));
	buf_put(b, BYTES_ARRAY(s->isvextprodid));
	buf_u16le(b, s->isvprodid);
	buf_u16le(b, s->isvsvn);
}

static void put_pair(uint8_t out[16], uint64_t low, uint64_t high)
{
	low = htole64(low);
	high = htole64(high);
	memcpy(out, &low, sizeof low);
	memcpy(out + 8, &high, sizeof high);
}

void attest_sigstruct_keep(const uint8_t mrenclave[32], uint32_t date,
	struct attest_sigstruct *out)
{
	enum { PRODUCT = 0x444a, VERSION = 1, X87_SSE = 3 };
	*out = (struct attest_sigstruct){ .date = date,
		.miscmask = ~SGX_MISC_EXINFO,
		.isvprodid = PRODUCT,
		.isvsvn = VERSION };
	put_pair(out->attributes, SGX_FLAG_MODE64BIT, X87_SSE);
	/* EINIT looks before it sets INIT. */
	put_pair(out->attribute_mask, ~(SGX_FLAG_KSS | SGX_FLAG_INIT), X87_SSE);
	memcpy(out->mrenclave, mrenclave, sizeof out->mrenclave);
}

bool attest_sigstruct_make(const struct attest_sigstruct *s,
	const struct crypto_rsa3 *key, uint8_t out[ATTEST_SIGSTRUCT_BYTES],
	struct err *e)
{
	uint8_t n[KEY], sig[KEY], q1[KEY], q2[KEY];
	auto_buf message = { 0 };
	put_head(s, &message);
	put_body(s, &message);
	if (!buf_ok(&message) || message.len != SIGNED_HEAD + BODY)
		return err_fail(e, ERR_LIMIT, "sigstruct: out of memory");
	if (!crypto_rsa3_modulus(key, n, e) ||
		!crypto_rsa3_sign(key, buf_bytes(&message), sig, e) ||
		!crypto_rsa3_quotients(n, sig, q1, q2, e))
		return err_wrap(e, "sigstruct");
	memset(out, 0, ATTEST_SIGSTRUCT_BYTES);
	memcpy(out, message.ptr, SIGNED_HEAD);
	turn(out + SIGNED_HEAD, n);
	out[SIGNED_HEAD + KEY] = EXPONENT;
	turn(out + SIGNED_HEAD + KEY + 4, sig);
	memcpy(out + BODY_AT, message.ptr + SIGNED_HEAD, BODY);
	turn(out + ATTEST_SIGSTRUCT_BYTES - 2 * KEY, q1);
	turn(out + ATTEST_SIGSTRUCT_BYTES - KEY, q2);
	return true;
}
