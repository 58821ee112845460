/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/cert.h"

#include "codec/der.h"
#include "crypto/rsa.h"

/* AlgorithmIdentifiers that vendors use, whole: comparing them is the whole
 * parser.  AMD writes PSS with the default trailer and without. */
static const uint8_t pss_sha384[] = { 0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d,
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
	0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
	0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01,
	0x30 };
static const uint8_t pss_sha384_trailer[] = { 0x30, 0x46, 0x06, 0x09, 0x2a,
	0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x39, 0xa0, 0x0f,
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	0x02, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
	0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02,
	0x01, 0x30, 0xa3, 0x03, 0x02, 0x01, 0x01 };
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
	0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

static const struct {
	struct bytes der;
	enum attest_sig alg;
} algs[] = {
	{ BYTES_ARRAY(pss_sha384), ATTEST_SIG_PSS_SHA384 },
	{ BYTES_ARRAY(pss_sha384_trailer), ATTEST_SIG_PSS_SHA384 },
	{ BYTES_ARRAY(ecdsa_sha256), ATTEST_SIG_P256_SHA256 },
};

/* Extensions (2.5.29.x) whose being critical we honour. */
#define OID_KEY_USAGE	      BYTES_LIT("\x55\x1d\x0f")
#define OID_BASIC_CONSTRAINTS BYTES_LIT("\x55\x1d\x13")
#define OID_COMMON_NAME	      BYTES_LIT("\x55\x04\x03")

enum { P256_BYTES = 32, MAX_EXTS = 64 /* vendors' have 12 at most */ };

static bool known_alg(struct bytes der, enum attest_sig *alg)
{
	for (size_t i = 0; i < ARRAY_LEN(algs); i++)
		if (bytes_equal(algs[i].der, der)) {
			*alg = algs[i].alg;
			return true;
		}
	return false;
}

/* The outer sequence of both: what is signed, how, and the signature. */
struct envelope {
	struct bytes tbs, alg, sig;
};

static bool open_envelope(struct bytes der, struct envelope *v)
{
	struct reader all = { .in = der };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	v->tbs = der_whole(&r, DER_SEQUENCE);
	v->alg = der_whole(&r, DER_SEQUENCE);
	v->sig = der_bits(&r);
	return reader_done(&r) && reader_done(&all);
}

struct extension {
	struct bytes oid, value;
	bool critical;
};

static struct extension next_ext(struct reader *r)
{
	struct extension x = { 0 };
	struct reader in = der_enter(r, DER_SEQUENCE);
	x.oid = der_take(&in, DER_OID);
	if (der_next_is(&in, DER_BOOLEAN)) {
		/* FALSE is the default and so not written (X.690 §11.5). */
		struct bytes b = der_take(&in, DER_BOOLEAN);
		x.critical = b.len == 1 && b.ptr[0] == 0xff;
		if (!x.critical)
			in.failed = true;
	}
	x.value = der_take(&in, DER_OCTET_STRING);
	if (!reader_done(&in))
		r->failed = true;
	return x;
}

bool attest_cert_ext(const struct attest_cert *c, struct bytes oid,
	struct bytes *value)
{
	struct reader r = { .in = c->exts };
	while (reader_left(&r)) {
		struct extension x = next_ext(&r);
		if (!r.failed && bytes_equal(x.oid, oid)) {
			*value = x.value;
			return true;
		}
	}
	return false;
}

/* Each is compared with all behind it: there must not be many. */
static bool exts_ok(const struct attest_cert *c)
{
	struct reader r = { .in = c->exts };
	for (unsigned n = 0; reader_left(&r); n++) {
		struct extension x = next_ext(&r);
		bool known = bytes_equal(x.oid, OID_KEY_USAGE) ||
			bytes_equal(x.oid, OID_BASIC_CONSTRAINTS);
		if (r.failed || (x.critical && !known) || n == MAX_EXTS)
			return false;
		struct reader rest = r;
		while (reader_left(&rest))
			if (bytes_equal(next_ext(&rest).oid, x.oid))
				return false;
	}
	return !r.failed;
}

/* basicConstraints with cA, keyUsage with keyCertSign (RFC 5280 §4.2.1). */
static bool is_ca(const struct attest_cert *c)
{
	struct bytes v;
	if (!attest_cert_ext(c, OID_BASIC_CONSTRAINTS, &v))
		return false;
	struct reader all = { .in = v };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	struct bytes ca = der_take(&r, DER_BOOLEAN);
	if (ca.len != 1 || ca.ptr[0] != 0xff || !reader_done(&all))
		return false;
	if (!attest_cert_ext(c, OID_KEY_USAGE, &v))
		return false;
	struct reader usage = { .in = v };
	struct bytes bits = der_take(&usage, DER_BIT_STRING);
	return bits.len >= 2 && bits.ptr[1] & 0x04 && reader_done(&usage);
}

static bool read_tbs(struct reader *all, struct attest_cert *c,
	struct bytes *alg)
{
	struct reader r = der_enter(all, DER_SEQUENCE);
	struct reader version = der_enter(&r, DER_CONTEXT_0);
	bool v3 = der_uint(&version) == 2 && reader_done(&version);
	c->serial = der_unsigned(&r);
	*alg = der_whole(&r, DER_SEQUENCE);
	c->issuer = der_whole(&r, DER_SEQUENCE);
	struct reader validity = der_enter(&r, DER_SEQUENCE);
	c->from = der_time(&validity);
	c->to = der_time(&validity);
	c->subject = der_whole(&r, DER_SEQUENCE);
	c->spki = der_whole(&r, DER_SEQUENCE);
	struct reader exts = der_enter(&r, DER_CONTEXT_3);
	c->exts = der_take(&exts, DER_SEQUENCE);
	return v3 && reader_done(&validity) && reader_done(&exts) &&
		reader_done(&r);
}

bool attest_cert_parse(struct bytes der, struct attest_cert *out, struct err *e)
{
	struct envelope v;
	struct attest_cert c = { 0 };
	struct bytes alg = BYTES_NONE;
	if (!open_envelope(der, &v))
		return err_fail(e, ERR_INPUT, "certificate: not DER");
	struct reader r = { .in = v.tbs };
	if (!read_tbs(&r, &c, &alg) || !reader_done(&r))
		return err_fail(e, ERR_INPUT, "certificate: not X.509 v3");
	if (!bytes_equal(alg, v.alg) || !known_alg(alg, &c.alg))
		return err_fail(e, ERR_INPUT,
			"certificate: unknown signature algorithm");
	if (!exts_ok(&c))
		return err_fail(e, ERR_INPUT,
			"certificate: extensions not understood");
	c.tbs = v.tbs;
	c.sig = v.sig;
	c.ca = is_ca(&c);
	*out = c;
	return true;
}

bool attest_crl_parse(struct bytes der, struct attest_crl *out, struct err *e)
{
	struct envelope v;
	struct attest_crl l = { 0 };
	if (!open_envelope(der, &v))
		return err_fail(e, ERR_INPUT, "revocation list: not DER");
	struct reader all = { .in = v.tbs };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	bool v2 = der_uint(&r) == 1;
	struct bytes alg = der_whole(&r, DER_SEQUENCE);
	l.issuer = der_whole(&r, DER_SEQUENCE);
	l.from = der_time(&r);
	l.to = der_time(&r);
	if (der_next_is(&r, DER_SEQUENCE))
		l.revoked = der_take(&r, DER_SEQUENCE);
	struct reader exts = der_enter(&r, DER_CONTEXT_0);
	struct attest_cert x = { .exts = der_take(&exts, DER_SEQUENCE) };
	if (!v2 || !reader_done(&exts) || !reader_done(&r) ||
		!reader_done(&all))
		return err_fail(e, ERR_INPUT, "revocation list: not v2");
	if (!bytes_equal(alg, v.alg) || !known_alg(alg, &l.alg))
		return err_fail(e, ERR_INPUT,
			"revocation list: unknown signature algorithm");
	/* A delta or partial list would be marked by a critical extension. */
	if (!exts_ok(&x))
		return err_fail(e, ERR_INPUT,
			"revocation list: extensions not understood");
	struct reader list = { .in = l.revoked };
	while (reader_left(&list))
		der_take(&list, DER_SEQUENCE);
	if (!reader_done(&list))
		return err_fail(e, ERR_INPUT, "revocation list: entries");
	l.tbs = v.tbs;
	l.sig = v.sig;
	*out = l;
	return true;
}

bool attest_crl_has(const struct attest_crl *l, struct bytes serial)
{
	struct reader list = { .in = l->revoked };
	while (reader_left(&list)) {
		struct reader entry = der_enter(&list, DER_SEQUENCE);
		struct bytes s = der_take(&entry, DER_INTEGER);
		/* An entry that can't be read may be the one. */
		if (entry.failed || bytes_equal(s, serial))
			return true;
	}
	return false;
}

/* Ecdsa-Sig-Value (RFC 3279 §2.2.3) as r || s of fixed length. */
static bool ecdsa_raw(struct bytes der, uint8_t out[2 * P256_BYTES])
{
	struct reader all = { .in = der };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	memset(out, 0, 2 * P256_BYTES);
	for (size_t i = 0; i < 2; i++) {
		struct bytes n = der_unsigned(&r);
		if (n.len > 1 && !n.ptr[0])
			n = bytes_from(n, 1);
		if (r.failed || n.len > P256_BYTES)
			return false;
		memcpy(out + (i + 1) * P256_BYTES - n.len, n.ptr, n.len);
	}
	return reader_done(&r) && reader_done(&all);
}

static bool verify_ecdsa(struct bytes spki, struct bytes tbs, struct bytes sig,
	struct attest_seen *seen, struct err *e)
{
	uint8_t raw[2 * P256_BYTES];
	if (!ecdsa_raw(sig, raw))
		return err_fail(e, ERR_INPUT, "signature: not DER");
	return attest_seen_p256(seen, spki, tbs, BYTES_ARRAY(raw), e);
}

/* With AMD's keys. */
static bool verify_pss(struct bytes spki, struct bytes tbs, struct bytes sig,
	struct attest_seen *seen, struct err *e)
{
	uint8_t digest[32];
	bool known = seen && attest_seen_digest(spki, tbs, sig, digest);
	if (known && attest_seen_has(seen, digest))
		return true;
	bool ok = crypto_rsa_pss_verify(spki, tbs, sig, e);
	if (ok && known)
		attest_seen_add(seen, digest);
	return ok;
}

static bool verify(struct bytes spki, enum attest_sig alg, struct bytes tbs,
	struct bytes sig, struct attest_seen *seen, struct err *e)
{
	return alg == ATTEST_SIG_PSS_SHA384 ?
		verify_pss(spki, tbs, sig, seen, e) :
		verify_ecdsa(spki, tbs, sig, seen, e);
}

bool attest_cert_signed_by(const struct attest_cert *c,
	const struct attest_cert *issuer, struct attest_seen *seen,
	struct err *e)
{
	if (!bytes_equal(c->issuer, issuer->subject))
		return err_fail(e, ERR_DENIED, "issued by another name");
	if (!issuer->ca)
		return err_fail(e, ERR_DENIED, "issuer is no authority");
	return verify(issuer->spki, c->alg, c->tbs, c->sig, seen, e);
}

bool attest_crl_signed_by(const struct attest_crl *l,
	const struct attest_cert *issuer, struct attest_seen *seen,
	struct err *e)
{
	if (!bytes_equal(l->issuer, issuer->subject))
		return err_fail(e, ERR_DENIED, "issued by another name");
	return verify(issuer->spki, l->alg, l->tbs, l->sig, seen, e);
}

struct bytes attest_cert_cn(struct bytes name)
{
	struct reader all = { .in = name };
	struct reader r = der_enter(&all, DER_SEQUENCE);
	while (reader_left(&r)) {
		struct reader set = der_enter(&r, DER_SET);
		struct reader pair = der_enter(&set, DER_SEQUENCE);
		struct bytes oid = der_take(&pair, DER_OID);
		uint8_t tag;
		struct bytes value = der_any(&pair, &tag);
		if (!pair.failed && bytes_equal(oid, OID_COMMON_NAME))
			return value;
	}
	return BYTES_NONE;
}
