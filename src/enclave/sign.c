/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/sign.h"

#include <endian.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/hash.h"

/* SDM table 34-19. */
static const uint8_t header[16] = { 0x06, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0, 1 };
static const uint8_t header2[16] = { 0x01, 0x01, 0, 0, 0x60, 0, 0, 0, 0x60, 0,
	0, 0, 0x01, 0, 0, 0 };

enum { EXPONENT = 3 };

/* Numbers of the key stand the lowest byte first. */
static void turn(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < SGX_RSA_BYTES; i++)
		to[i] = from[SGX_RSA_BYTES - 1 - i];
}

/* 0xYYYYMMDD; a clock that says nothing: a day that there was. */
static uint32_t today(void)
{
	time_t now = time(NULL);
	struct tm t = { .tm_year = 126, .tm_mday = 1 };
	uint32_t bcd = 0;
	gmtime_r(&now, &t);
	unsigned v = ((unsigned)t.tm_year + 1900) * 10000 +
		((unsigned)t.tm_mon + 1) * 100 + (unsigned)t.tm_mday;
	for (unsigned shift = 0; v; v /= 10, shift += 4)
		bcd |= v % 10 << shift;
	return bcd;
}

/* A Keep's: no debugger, no key but its own; whatever of the processor's
 * state XFRM takes along. */
static void fill(const uint8_t mrenclave[32], struct sgx_sigstruct *s)
{
	*s = (struct sgx_sigstruct){
		.date = htole32(today()),
		.exponent = htole32(EXPONENT),
		.miscmask = htole32(~SGX_MISC_EXINFO),
		.attributes = htole64(SGX_FLAG_MODE64BIT),
		/* EINIT looks before it sets INIT. */
		.attribute_mask =
			htole64(~(uint64_t)(SGX_FLAG_KSS | SGX_FLAG_INIT)),
		.xfrm = htole64(3),
		.xfrm_mask = htole64(3),
		.isvprodid = htole16(ENCLAVE_PRODUCT),
		.isvsvn = htole16(ENCLAVE_SVN),
	};
	memcpy(s->header, header, sizeof header);
	memcpy(s->header2, header2, sizeof header2);
	memcpy(s->enclavehash, mrenclave, sizeof s->enclavehash);
}

bool enclave_signer(const struct crypto_rsa3 *key, uint8_t out[32],
	struct err *e)
{
	uint8_t n[SGX_RSA_BYTES], turned[SGX_RSA_BYTES];
	if (!crypto_rsa3_modulus(key, n, e))
		return false;
	turn(turned, n);
	return crypto_digest(CRYPTO_SHA256, BYTES_ARRAY(turned), out, e);
}

bool enclave_sign(const struct crypto_rsa3 *key, struct sgx_sigstruct *s,
	struct err *e)
{
	uint8_t n[SGX_RSA_BYTES], sig[SGX_RSA_BYTES];
	uint8_t q1[SGX_RSA_BYTES], q2[SGX_RSA_BYTES];
	uint8_t message[2 * SGX_SIGNED_HEAD];
	memcpy(message, s, SGX_SIGNED_HEAD);
	memcpy(message + SGX_SIGNED_HEAD, &s->miscselect, SGX_SIGNED_HEAD);
	if (!crypto_rsa3_modulus(key, n, e) ||
		!crypto_rsa3_sign(key, BYTES_ARRAY(message), sig, e) ||
		!crypto_rsa3_quotients(n, sig, q1, q2, e))
		return err_wrap(e, "sign enclave");
	turn(s->modulus, n);
	turn(s->signature, sig);
	turn(s->q1, q1);
	turn(s->q2, q2);
	return true;
}

bool enclave_sign_keep(const struct crypto_rsa3 *key,
	const uint8_t mrenclave[32], struct sgx_sigstruct *out, struct err *e)
{
	struct sgx_sigstruct s;
	fill(mrenclave, &s);
	if (!enclave_sign(key, &s, e))
		return false;
	*out = s;
	return true;
}
