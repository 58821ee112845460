/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/x509.h"

#include "codec/der_out.h"
#include "crypto/hash.h"

enum {
	HOUR = 3600,
	DAYS = 30 * 24 * HOUR, /* longer than any Keep runs */
	SERIAL_BYTES = 16,
	UTF8_STRING = 0x0c,
	RAW_BYTES = 64, /* of a P-256 signature */
};

/* ecdsa-with-SHA256 (RFC 5758 §3.2), as AlgorithmIdentifier. */
static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x04, 0x03, 0x02 };

static const uint8_t oid_cn[] = { 0x55, 0x04, 0x03 };
static const uint8_t oid_o[] = { 0x55, 0x04, 0x0a };
static const uint8_t oid_usage[] = { 0x55, 0x1d, 0x0f };
static const uint8_t oid_constraints[] = { 0x55, 0x1d, 0x13 };
static const uint8_t oid_crl_number[] = { 0x55, 0x1d, 0x14 };

/* digitalSignature; keyCertSign and cRLSign: unused bits, bits. */
static const uint8_t usage_leaf[] = { 0x03, 0x02, 0x07, 0x80 };
static const uint8_t usage_ca[] = { 0x03, 0x02, 0x01, 0x06 };
static const uint8_t constraints_ca[] = { 0x30, 0x03, 0x01, 0x01, 0xff };

static void put_attribute(struct buf *out, struct bytes oid, const char *text)
{
	auto_buf pair = { 0 }, set = { 0 };
	der_put(&pair, DER_OID, oid);
	der_put(&pair, UTF8_STRING, bytes_str(text));
	der_wrap(&set, DER_SEQUENCE, &pair);
	der_wrap(out, DER_SET, &set);
}

static void put_name(struct buf *out, const char *cn)
{
	auto_buf name = { 0 };
	put_attribute(&name, BYTES_ARRAY(oid_o), "donjon software platform");
	put_attribute(&name, BYTES_ARRAY(oid_cn), cn);
	der_wrap(out, DER_SEQUENCE, &name);
}

void soft_x509_extension(struct buf *out, struct bytes oid, bool critical,
	struct bytes value)
{
	static const uint8_t yes = 0xff;
	auto_buf x = { 0 };
	der_put(&x, DER_OID, oid);
	if (critical)
		der_put(&x, DER_BOOLEAN, bytes_of(&yes, 1));
	der_put(&x, DER_OCTET_STRING, value);
	der_wrap(out, DER_SEQUENCE, &x);
}

void soft_x509_ca(struct buf *out)
{
	soft_x509_extension(out, BYTES_ARRAY(oid_usage), true,
		BYTES_ARRAY(usage_ca));
	soft_x509_extension(out, BYTES_ARRAY(oid_constraints), true,
		BYTES_ARRAY(constraints_ca));
}

void soft_x509_leaf(struct buf *out)
{
	soft_x509_extension(out, BYTES_ARRAY(oid_usage), true,
		BYTES_ARRAY(usage_leaf));
}

/* --- signing ------------------------------------------------------------ */

/* Ecdsa-Sig-Value (RFC 3279 §2.2.3) of r || s. */
static bool sign(const struct soft_signer *s, struct buf *tbs, struct buf *out,
	struct err *e)
{
	auto_buf raw = { 0 }, pair = { 0 }, sig = { 0 }, all = { 0 };
	bool ok = s->key ? crypto_sign(s->key, buf_bytes(tbs), &raw, e) :
			   soft_root_sign_raw(s->root, buf_bytes(tbs), &raw, e);
	if (!ok || raw.len != RAW_BYTES)
		return false;
	der_put_unsigned(&pair, bytes_of(raw.ptr, RAW_BYTES / 2));
	der_put_unsigned(&pair,
		bytes_of(raw.ptr + RAW_BYTES / 2, RAW_BYTES / 2));
	der_wrap(&sig, DER_SEQUENCE, &pair);
	buf_put(&all, buf_bytes(tbs));
	buf_put(&all, BYTES_ARRAY(algorithm));
	der_put_bits(&all, buf_bytes(&sig));
	return der_wrap(out, DER_SEQUENCE, &all) ||
		err_fail(e, ERR_LIMIT, "certificate: no memory");
}

static void put_dates(struct buf *out, int64_t now)
{
	auto_buf dates = { 0 };
	der_put_time(&dates, now - HOUR);
	der_put_time(&dates, now + DAYS);
	der_wrap(out, DER_SEQUENCE, &dates);
}

bool soft_x509_cert(const struct soft_signer *issuer,
	const struct soft_subject *s, int64_t now, struct buf *out,
	struct err *e)
{
	auto_buf in = { 0 }, list = { 0 }, all = { 0 }, tbs = { 0 };
	uint8_t serial[SERIAL_BYTES];
	if (!crypto_random(serial, sizeof serial, e))
		return false;
	serial[0] = (serial[0] & 0x3f) | 0x40;
	der_put_uint(&in, 2); /* v3 */
	der_wrap(&all, DER_CONTEXT_0, &in);
	der_put_unsigned(&all, BYTES_ARRAY(serial));
	buf_put(&all, BYTES_ARRAY(algorithm));
	put_name(&all, issuer->name);
	put_dates(&all, now);
	put_name(&all, s->name);
	buf_put(&all, s->spki);
	buf_put(&in, s->extensions);
	der_wrap(&list, DER_SEQUENCE, &in);
	der_wrap(&all, DER_CONTEXT_3, &list);
	der_wrap(&tbs, DER_SEQUENCE, &all);
	return sign(issuer, &tbs, out, e);
}

/* RFC 5280 §5 */
bool soft_x509_crl(const struct soft_signer *issuer, struct bytes revoked,
	int64_t now, struct buf *out, struct err *e)
{
	auto_buf in = { 0 }, list = { 0 }, all = { 0 }, tbs = { 0 };
	der_put_uint(&all, 1); /* v2 */
	buf_put(&all, BYTES_ARRAY(algorithm));
	put_name(&all, issuer->name);
	der_put_time(&all, now - HOUR);
	der_put_time(&all, now + DAYS);
	if (revoked.len) {
		der_put_unsigned(&in, revoked);
		der_put_time(&in, now - HOUR);
		der_wrap(&list, DER_SEQUENCE, &in);
		der_wrap(&all, DER_SEQUENCE, &list);
	}
	der_put_uint(&in, 1);
	soft_x509_extension(&list, BYTES_ARRAY(oid_crl_number), false,
		buf_bytes(&in));
	buf_clear(&in);
	der_wrap(&in, DER_SEQUENCE, &list);
	der_wrap(&all, DER_CONTEXT_0, &in);
	der_wrap(&tbs, DER_SEQUENCE, &all);
	return sign(issuer, &tbs, out, e);
}
