/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/certs.h"

#include "codec/cbor.h"
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

/* Who signs: the software root, or a key that it certified. */
struct signer {
	const struct soft_root *root;
	const struct crypto_key *key;
	const char *name;
};

struct subject {
	const char *name;
	struct bytes spki;
	const struct soft_chip *chip; /* NULL: an authority */
};

/* --- parts -------------------------------------------------------------- */

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

static void put_extension(struct buf *out, struct bytes oid, bool critical,
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

/* Below 1.3.6.1.4.1.3704.1 (AMD 57230, "VCEK Certificate Definition"). */
static void put_amd(struct buf *out, const uint8_t *arcs, size_t count,
	struct bytes value)
{
	uint8_t oid[10] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01 };
	memcpy(oid + 8, arcs, count);
	put_extension(out, bytes_of(oid, 8 + count), false, value);
}

static void put_amd_uint(struct buf *out, uint8_t arc_1, uint8_t arc_2,
	uint8_t value)
{
	const uint8_t arcs[2] = { arc_1, arc_2 };
	auto_buf v = { 0 };
	der_put_uint(&v, value);
	put_amd(out, arcs, arc_2 ? 2 : 1, buf_bytes(&v));
}

static void put_leaf_extensions(struct buf *out, const struct soft_chip *c)
{
	static const uint8_t product = 2, hwid = 4;
	static const char name[] = "\x16\x08Milan-B0";
	put_extension(out, BYTES_ARRAY(oid_usage), true,
		BYTES_ARRAY(usage_leaf));
	put_amd_uint(out, 1, 0, 0);
	put_amd(out, &product, 1, bytes_of(name, sizeof name - 1));
	for (uint8_t part = 0; part < sizeof c->tcb; part++)
		put_amd_uint(out, 3,
			/* boot loader, TEE, four reserved, SNP, microcode */
			part < 2	  ? part + 1 :
				part == 6 ? 3 :
				part == 7 ? 8 :
					    (uint8_t)(part + 2),
			c->tcb[part]);
	put_amd(out, &hwid, 1, BYTES_ARRAY(c->id));
}

static void put_ca_extensions(struct buf *out)
{
	put_extension(out, BYTES_ARRAY(oid_usage), true, BYTES_ARRAY(usage_ca));
	put_extension(out, BYTES_ARRAY(oid_constraints), true,
		BYTES_ARRAY(constraints_ca));
}

/* --- signing ------------------------------------------------------------ */

/* Ecdsa-Sig-Value (RFC 3279 §2.2.3) of r || s. */
static bool sign(const struct signer *s, struct buf *tbs, struct buf *out,
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

static bool put_cert(const struct signer *issuer, const struct subject *s,
	int64_t now, struct buf *out, struct err *e)
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
	if (s->chip)
		put_leaf_extensions(&in, s->chip);
	else
		put_ca_extensions(&in);
	der_wrap(&list, DER_SEQUENCE, &in);
	der_wrap(&all, DER_CONTEXT_3, &list);
	der_wrap(&tbs, DER_SEQUENCE, &all);
	return sign(issuer, &tbs, out, e);
}

/* RFC 5280 §5: nobody is revoked. */
static bool put_crl(const struct signer *issuer, int64_t now, struct buf *out,
	struct err *e)
{
	auto_buf in = { 0 }, list = { 0 }, all = { 0 }, tbs = { 0 };
	der_put_uint(&all, 1); /* v2 */
	buf_put(&all, BYTES_ARRAY(algorithm));
	put_name(&all, issuer->name);
	der_put_time(&all, now - HOUR);
	der_put_time(&all, now + DAYS);
	der_put_uint(&in, 1);
	put_extension(&list, BYTES_ARRAY(oid_crl_number), false,
		buf_bytes(&in));
	buf_clear(&in);
	der_wrap(&in, DER_SEQUENCE, &list);
	der_wrap(&all, DER_CONTEXT_0, &in);
	der_wrap(&tbs, DER_SEQUENCE, &all);
	return sign(issuer, &tbs, out, e);
}

/* --- the chain ---------------------------------------------------------- */

static bool put_all(const struct soft_root *root, const struct crypto_key *mid,
	const struct soft_chip *chip, const struct crypto_key *vcek,
	int64_t now, struct buf out[4], struct err *e)
{
	const struct signer ark = { .root = root, .name = "ARK-Milan" };
	const struct signer ask = { .key = mid, .name = "SEV-Milan" };
	auto_buf mid_spki = { 0 }, vcek_spki = { 0 };
	if (!crypto_key_spki(mid, &mid_spki, e) ||
		!crypto_key_spki(vcek, &vcek_spki, e))
		return false;
	const struct subject leaf = { "SEV-VCEK", buf_bytes(&vcek_spki), chip };
	const struct subject middle = { ask.name, buf_bytes(&mid_spki), NULL };
	const struct subject top = { ark.name, soft_root_spki(root), NULL };
	return put_cert(&ask, &leaf, now, &out[0], e) &&
		put_cert(&ark, &middle, now, &out[1], e) &&
		put_cert(&ark, &top, now, &out[2], e) &&
		put_crl(&ark, now, &out[3], e);
}

bool soft_certs_make(const struct soft_root *root, const struct soft_chip *chip,
	const struct crypto_key *vcek, int64_t now, struct buf *endorsements,
	struct err *e)
{
	struct crypto_key *mid = NULL;
	struct buf parts[4] = { 0 };
	bool ok = crypto_key_generate(CRYPTO_P256, &mid, e) &&
		put_all(root, mid, chip, vcek, now, parts, e);
	crypto_key_free(mid);
	if (ok) {
		cbor_put_head(endorsements, CBOR_ARRAY, 2);
		cbor_put_head(endorsements, CBOR_ARRAY, 3);
		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			if (i == 3)
				cbor_put_head(endorsements, CBOR_ARRAY, 1);
			cbor_put_bytes(endorsements, buf_bytes(&parts[i]));
		}
		ok = buf_ok(endorsements) ||
			err_fail(e, ERR_LIMIT, "endorsements: no memory");
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_fini(&parts[i]);
	return ok;
}
