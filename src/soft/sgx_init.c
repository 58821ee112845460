/* SPDX-License-Identifier: Apache-2.0 */
/* EINIT's judgement of a SIGSTRUCT (SDM, volume 3D, §38.3, EINIT). */
#include <endian.h>

#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "soft/device_priv.h"

enum { EXPONENT = 3, VENDOR_INTEL = 0x8086 };

static void turn(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < SGX_RSA_BYTES; i++)
		to[i] = from[SGX_RSA_BYTES - 1 - i];
}

static bool decimal(uint32_t v)
{
	for (; v; v >>= 4)
		if ((v & 15) > 9)
			return false;
	return true;
}

/* 0xYYYYMMDD, a day that there is. */
static bool date_ok(uint32_t date)
{
	uint32_t month = date >> 8 & 0xff, day = date & 0xff;
	return decimal(date) && month >= 1 && month <= 0x12 && day >= 1 &&
		day <= 0x31;
}

static bool head_ok(const struct sgx_sigstruct *g)
{
	static const uint8_t header[16] = { 0x06, 0, 0, 0, 0xe1, 0, 0, 0, 0, 0,
		1 };
	static const uint8_t header2[16] = { 0x01, 0x01, 0, 0, 0x60, 0, 0, 0,
		0x60, 0, 0, 0, 0x01, 0, 0, 0 };
	uint32_t vendor = le32toh(g->vendor);
	return !memcmp(g->header, header, sizeof header) &&
		!memcmp(g->header2, header2, sizeof header2) &&
		(vendor == 0 || vendor == VENDOR_INTEL) &&
		date_ok(le32toh(g->date)) && le32toh(g->exponent) == EXPONENT &&
		bytes_all_zero(BYTES_ARRAY(g->reserved_02c)) &&
		bytes_all_zero(BYTES_ARRAY(g->reserved_38e)) &&
		bytes_all_zero(BYTES_ARRAY(g->reserved_3e0)) &&
		bytes_all_zero(BYTES_ARRAY(g->reserved_404));
}

static bool signature_ok(const struct sgx_sigstruct *g)
{
	uint8_t n[SGX_RSA_BYTES], sig[SGX_RSA_BYTES], q[SGX_RSA_BYTES];
	uint8_t q1[SGX_RSA_BYTES], q2[SGX_RSA_BYTES];
	uint8_t message[2 * SGX_SIGNED_HEAD];
	struct err e;
	memcpy(message, g, SGX_SIGNED_HEAD);
	memcpy(message + SGX_SIGNED_HEAD, &g->miscselect, SGX_SIGNED_HEAD);
	turn(n, g->modulus);
	turn(sig, g->signature);
	if (!crypto_rsa3_verify(n, BYTES_ARRAY(message), sig, &e) ||
		!crypto_rsa3_quotients(n, sig, q1, q2, &e))
		return false;
	turn(q, g->q1);
	if (memcmp(q, q1, sizeof q) != 0)
		return false;
	turn(q, g->q2);
	return !memcmp(q, q2, sizeof q);
}

/* What is signed of the enclave's attributes, where the mask looks. */
static bool attributes_ok(const struct sgx_sigstruct *g,
	const struct sgx_secs *s)
{
	uint64_t mask = le64toh(g->attribute_mask);
	uint64_t xmask = le64toh(g->xfrm_mask);
	uint32_t misc = le32toh(g->miscmask);
	return !((s->attributes ^ le64toh(g->attributes)) & mask) &&
		!((s->xfrm ^ le64toh(g->xfrm)) & xmask) &&
		!((s->miscselect ^ le32toh(g->miscselect)) & misc);
}

/* Without key separation its fields are zero. */
static bool kss_ok(const struct sgx_sigstruct *g, const struct sgx_secs *s)
{
	return s->attributes & SGX_FLAG_KSS ||
		(bytes_all_zero(BYTES_ARRAY(g->isvfamilyid)) &&
			bytes_all_zero(BYTES_ARRAY(g->isvextprodid)) &&
			bytes_all_zero(BYTES_ARRAY(s->configid)) &&
			!s->configsvn);
}

enum sgx_error soft_sgx_launch(const struct sgx_sigstruct *g,
	const uint8_t mrenclave[32], struct soft_sgx *n)
{
	struct err e;
	if (!head_ok(g))
		return SGX_INVALID_SIG_STRUCT;
	if (!signature_ok(g))
		return SGX_INVALID_SIGNATURE;
	if (memcmp(g->enclavehash, mrenclave, sizeof g->enclavehash) != 0)
		return SGX_INVALID_MEASUREMENT;
	if (!attributes_ok(g, &n->secs) || !kss_ok(g, &n->secs))
		return SGX_INVALID_ATTRIBUTE;
	if (!crypto_digest(CRYPTO_SHA256, BYTES_ARRAY(g->modulus),
		    n->secs.mrsigner, &e))
		return SGX_INVALID_SIGNATURE;
	memcpy(n->secs.mrenclave, mrenclave, sizeof n->secs.mrenclave);
	n->secs.isvprodid = g->isvprodid;
	n->secs.isvsvn = g->isvsvn;
	n->secs.attributes |= SGX_FLAG_INIT;
	memcpy(n->isvextprodid, g->isvextprodid, sizeof n->isvextprodid);
	memcpy(n->isvfamilyid, g->isvfamilyid, sizeof n->isvfamilyid);
	return SGX_SUCCESS;
}
