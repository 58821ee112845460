/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sgx.h"

#include "base/reader.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"

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
