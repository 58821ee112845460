/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/x509.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/fmt.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

enum { SERIAL_BYTES = 16, CERT_MAX = 1 << 20 };

static bool add_ext(X509 *x, const struct crypto_ext *ext)
{
	if (ext->value.len > CERT_MAX)
		return false;
	ASN1_OBJECT *oid = OBJ_txt2obj(ext->oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *made = NULL;
	if (oid && value &&
		ASN1_OCTET_STRING_set(value, ext->value.ptr,
			(int)ext->value.len))
		made = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	bool ok = made && X509_add_ext(x, made, -1);
	X509_EXTENSION_free(made);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
	return ok;
}

static bool set_serial(X509 *x, struct err *e)
{
	uint8_t raw[SERIAL_BYTES];
	if (!crypto_random(raw, sizeof raw, e))
		return false;
	/* RFC 5280 §4.1.2.2: positive, never 0. */
	raw[0] = (uint8_t)((raw[0] & 0x7f) | 0x40);
	BIGNUM *n = BN_bin2bn(raw, sizeof raw, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok || crypto_fail(e, ERR_LIMIT, "serial number");
}

static bool set_name(X509 *x, const char *cn)
{
	X509_NAME *name = X509_get_subject_name(x);
	const unsigned char *text = (const unsigned char *)cn;
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		       text, -1, -1, 0) &&
		X509_set_issuer_name(x, name);
}

/*
 * Seconds since 1970 as GeneralizedTime, by hand: libc's gmtime reads the
 * host's time zone file, and a Keep has none.  Civil date from a day count:
 * years begin in March, eras of 400 years have 146097 days.
 */
static bool set_time(ASN1_TIME *t, int64_t at)
{
	const int64_t day = 86400, year_10000 = 253402300800;
	if (at < 0 || at >= year_10000)
		return false;
	unsigned secs = (unsigned)(at % day);
	unsigned days = (unsigned)(at / day) + 719468; /* since 0000-03-01 */
	unsigned era = days / 146097, doe = days % 146097;
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned m = (5 * doy + 2) / 153; /* 0: March */
	unsigned d = doy - (153 * m + 2) / 5 + 1;
	unsigned month = m < 10 ? m + 3 : m - 9;
	unsigned year = era * 400 + yoe + (month <= 2);
	char text[32];
	fmt(text, sizeof text, "%04u%02u%02u%02u%02u%02uZ", year, month, d,
		secs / 3600, secs / 60 % 60, secs % 60);
	return ASN1_TIME_set_string_X509(t, text);
}

static bool fill(X509 *x, const struct crypto_key *k, const char *cn,
	int64_t from, int64_t to, struct err *e)
{
	if (!set_serial(x, e))
		return false;
	if (!X509_set_version(x, X509_VERSION_3) || !set_name(x, cn))
		return crypto_fail(e, ERR_INPUT, "subject");
	if (from > to || !set_time(X509_getm_notBefore(x), from) ||
		!set_time(X509_getm_notAfter(x), to))
		return err_fail(e, ERR_INPUT, "validity out of range");
	if (!X509_set_pubkey(x, crypto_key_evp(k)))
		return crypto_fail(e, ERR_HOST, "public key");
	return true;
}

static bool append(X509 *x, struct buf *der, struct err *e)
{
	int n = i2d_X509(x, NULL);
	uint8_t *to = n > 0 ? buf_reserve(der, (size_t)n) : NULL;
	if (!to || i2d_X509(x, &to) != n)
		return crypto_fail(e, ERR_LIMIT, "encode");
	buf_commit(der, (size_t)n);
	return true;
}

bool crypto_cert_make(const struct crypto_key *k, const char *cn, int64_t from,
	int64_t to, const struct crypto_ext *exts, size_t ext_count,
	struct buf *der, struct err *e)
{
	crypto_init();
	X509 *x = X509_new();
	if (!x)
		return crypto_fail(e, ERR_LIMIT, "certificate");
	bool ok = fill(x, k, cn, from, to, e);
	for (size_t i = 0; ok && i < ext_count; i++)
		if (!add_ext(x, &exts[i]))
			ok = crypto_fail(e, ERR_INPUT, "extension");
	if (ok && !X509_sign(x, crypto_key_evp(k), EVP_sha256()))
		ok = crypto_fail(e, ERR_HOST, "sign");
	ok = ok && append(x, der, e);
	X509_free(x);
	return ok || err_wrap(e, "certificate");
}

/* NULL on failure: not DER, too big or with trailing bytes. */
static X509 *parse(struct bytes der, struct err *e)
{
	crypto_init();
	const uint8_t *p = der.ptr;
	X509 *x = NULL;
	if (der.len && der.len <= CERT_MAX)
		x = d2i_X509(NULL, &p, (long)der.len);
	if (!x) {
		crypto_fail(e, ERR_INPUT, "certificate: not X.509 in DER");
		return NULL;
	}
	if (p != der.ptr + der.len) {
		X509_free(x);
		err_put(e, ERR_INPUT, "certificate: trailing bytes");
		return NULL;
	}
	return x;
}

static bool put_spki(const X509_PUBKEY *key, struct buf *spki, struct err *e)
{
	uint8_t *raw = NULL;
	int n = i2d_X509_PUBKEY(key, &raw);
	if (n <= 0)
		return crypto_fail(e, ERR_INPUT, "certificate: public key");
	bool ok = buf_put(spki, bytes_of(raw, (size_t)n));
	OPENSSL_free(raw);
	ERR_clear_error();
	return ok || err_fail(e, ERR_LIMIT, "certificate: no memory");
}

bool crypto_cert_spki(struct bytes der, struct buf *spki, struct err *e)
{
	X509 *x = parse(der, e);
	if (!x)
		return false;
	bool ok = put_spki(X509_get_X509_PUBKEY(x), spki, e);
	X509_free(x);
	return ok;
}

static bool find_ext(const STACK_OF(X509_EXTENSION) * list,
	const ASN1_OBJECT *oid, const char *name, struct buf *value,
	struct err *e)
{
	int at = X509v3_get_ext_by_OBJ(list, oid, -1);
	if (at < 0)
		return err_fail(e, ERR_INPUT, "certificate: no extension %s",
			name);
	if (X509v3_get_ext_by_OBJ(list, oid, at) >= 0)
		return err_fail(e, ERR_INPUT, "certificate: extension %s twice",
			name);
	ASN1_OCTET_STRING *s =
		X509_EXTENSION_get_data(X509v3_get_ext(list, at));
	struct bytes v = bytes_of(ASN1_STRING_get0_data(s),
		(size_t)ASN1_STRING_length(s));
	if (!buf_put(value, v))
		return err_fail(e, ERR_LIMIT, "certificate: no memory");
	return true;
}

bool crypto_cert_ext(struct bytes der, const char *oid, struct buf *value,
	struct err *e)
{
	X509 *x = parse(der, e);
	if (!x)
		return false;
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	bool ok = o ? find_ext(X509_get0_extensions(x), o, oid, value, e) :
		      crypto_fail(e, ERR_INPUT, "extension");
	ASN1_OBJECT_free(o);
	X509_free(x);
	ERR_clear_error();
	return ok;
}

/* Seconds since 1970, by OpenSSL's own calendar. */
static bool seconds_of(const ASN1_TIME *t, int64_t *out)
{
	int days, secs;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool ok = epoch && ASN1_TIME_diff(&days, &secs, epoch, t);
	ASN1_TIME_free(epoch);
	if (ok)
		*out = (int64_t)days * 86400 + secs;
	return ok;
}

bool crypto_cert_facts(struct bytes der, struct crypto_cert_facts *out,
	struct err *e)
{
	struct crypto_cert_facts f = { 0 };
	X509 *x = parse(der, e);
	if (!x)
		return false;
	bool ok = seconds_of(X509_get0_notBefore(x), &f.from) &&
		seconds_of(X509_get0_notAfter(x), &f.to);
	f.self_issued = !X509_NAME_cmp(X509_get_subject_name(x),
		X509_get_issuer_name(x));
	EVP_PKEY *k = X509_get0_pubkey(x);
	f.self_signed = k && X509_verify(x, k) == 1;
	X509_free(x);
	ERR_clear_error();
	if (!ok)
		return err_fail(e, ERR_INPUT, "certificate: dates");
	*out = f;
	return true;
}

/* --- requests ----------------------------------------------------------- */

static X509_REQ *parse_request(struct bytes der, struct err *e)
{
	crypto_init();
	const uint8_t *p = der.ptr;
	X509_REQ *q = NULL;
	if (der.len && der.len <= CERT_MAX)
		q = d2i_X509_REQ(NULL, &p, (long)der.len);
	if (q && p != der.ptr + der.len) {
		X509_REQ_free(q);
		q = NULL;
	}
	if (!q)
		crypto_fail(e, ERR_INPUT, "request: not PKCS#10 in DER");
	return q;
}

bool crypto_request_spki(struct bytes der, struct buf *spki, struct err *e)
{
	X509_REQ *q = parse_request(der, e);
	if (!q)
		return false;
	bool ok = put_spki(X509_REQ_get_X509_PUBKEY(q), spki, e);
	X509_REQ_free(q);
	return ok;
}

bool crypto_request_ext(struct bytes der, const char *oid, struct buf *value,
	struct err *e)
{
	X509_REQ *q = parse_request(der, e);
	if (!q)
		return false;
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(q);
	bool ok = o ? find_ext(list, o, oid, value, e) :
		      crypto_fail(e, ERR_INPUT, "extension");
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	ASN1_OBJECT_free(o);
	X509_REQ_free(q);
	ERR_clear_error();
	return ok;
}

bool crypto_request_signed(struct bytes der, struct err *e)
{
	X509_REQ *q = parse_request(der, e);
	if (!q)
		return false;
	EVP_PKEY *k = X509_REQ_get0_pubkey(q);
	bool ok = k && X509_REQ_verify(q, k) == 1;
	X509_REQ_free(q);
	ERR_clear_error();
	return ok ||
		err_fail(e, ERR_DENIED, "request: not signed by its own key");
}
