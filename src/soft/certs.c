/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/certs.h"

#include "codec/cbor.h"
#include "codec/der_out.h"
#include "soft/x509.h"

/* --- parts -------------------------------------------------------------- */

/* Below 1.3.6.1.4.1.3704.1 (AMD 57230, "VCEK Certificate Definition"). */
static void put_amd(struct buf *out, const uint8_t *arcs, size_t count,
	struct bytes value)
{
	uint8_t oid[10] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01 };
	memcpy(oid + 8, arcs, count);
	soft_x509_extension(out, bytes_of(oid, 8 + count), false, value);
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
	soft_x509_leaf(out);
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

/* --- the chain ---------------------------------------------------------- */

static bool put_all(const struct soft_root *root, const struct crypto_key *mid,
	const struct soft_chip *chip, const struct crypto_key *vcek,
	int64_t now, struct buf out[4], struct err *e)
{
	const struct soft_signer ark = { .root = root, .name = "ARK-Milan" };
	const struct soft_signer ask = { .key = mid, .name = "SEV-Milan" };
	auto_buf mid_spki = { 0 }, vcek_spki = { 0 }, of_leaf = { 0 },
		 of_ca = { 0 };
	if (!crypto_key_spki(mid, &mid_spki, e) ||
		!crypto_key_spki(vcek, &vcek_spki, e))
		return false;
	put_leaf_extensions(&of_leaf, chip);
	soft_x509_ca(&of_ca);
	const struct soft_subject leaf = { "SEV-VCEK", buf_bytes(&vcek_spki),
		buf_bytes(&of_leaf) };
	const struct soft_subject middle = { ask.name, buf_bytes(&mid_spki),
		buf_bytes(&of_ca) };
	const struct soft_subject top = { ark.name, soft_root_spki(root),
		buf_bytes(&of_ca) };
	return soft_x509_cert(&ask, &leaf, now, &out[0], e) &&
		soft_x509_cert(&ark, &middle, now, &out[1], e) &&
		soft_x509_cert(&ark, &top, now, &out[2], e) &&
		soft_x509_crl(&ark, BYTES_NONE, now, &out[3], e);
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
