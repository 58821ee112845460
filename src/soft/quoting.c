/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/quoting.h"

#include <endian.h>
#include <stdlib.h>
#include <time.h>

#include "codec/cbor.h"
#include "codec/der_out.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "crypto/hash.h"
#include "soft/x509.h"

enum {
	AUTH_BYTES = 32,
	POINT = 64,
	POINT_AT = 27, /* in a P-256 SubjectPublicKeyInfo */
	COMPONENTS = 16,
	COLLATERAL_PARTS = 8,
	COLLATERAL_VERSION = 3,
	QE_PRODUCT = 1,
	TD_QE_PRODUCT = 2,
	DAYS = 30,
};

#define ROOT_CN	   "Intel SGX Root CA"
#define PCK_CA_CN  "Intel SGX PCK Platform CA"
#define PCK_CN	   "Intel SGX PCK Certificate"
#define SIGNING_CN "Intel SGX TCB Signing"

/* 1.2.840.113741.1.13.1 */
#define OID_SGX "\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01"

static const uint8_t intel_qe[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c,
	0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
/* "DJSOFT": the platform's kind. */
static const uint8_t fmspc[6] = { 0x44, 0x4a, 0x53, 0x4f, 0x46, 0x54 };

struct soft_quoting {
	const struct soft_root *root;
	int64_t now;
	struct crypto_key *ca, *pck, *attestation, *signing;
	struct buf pck_chain, signing_chain; /* PEM */
	struct buf root_crl, pck_crl;	     /* DER */
};

void soft_quoting_close(struct soft_quoting *q)
{
	if (!q)
		return;
	struct crypto_key *keys[] = { q->ca, q->pck, q->attestation,
		q->signing };
	struct buf *parts[] = { &q->pck_chain, &q->signing_chain, &q->root_crl,
		&q->pck_crl };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		crypto_key_free(keys[i]);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_fini(parts[i]);
	free(q);
}

/* --- certificates ------------------------------------------------------- */

static void put_field(struct buf *out, const char *oid, size_t oid_len,
	uint8_t tag, struct buf *contents)
{
	auto_buf pair = { 0 };
	der_put(&pair, DER_OID, bytes_of(oid, oid_len));
	der_wrap(&pair, tag, contents);
	der_wrap(out, DER_SEQUENCE, &pair);
}

/* Components, PCESVN and CPUSVN: all 1. */
static void put_tcb(struct buf *out)
{
	char oid[] = OID_SGX "\x02\x01";
	auto_buf list = { 0 }, v = { 0 };
	for (char arc = 1; arc <= COMPONENTS + 2; arc++) {
		bool cpusvn = arc == COMPONENTS + 2;
		oid[sizeof oid - 2] = arc;
		for (size_t i = 0; i < (cpusvn ? COMPONENTS : 1); i++)
			buf_u8(&v, 1);
		put_field(&list, oid, sizeof oid - 1,
			cpusvn ? DER_OCTET_STRING : DER_INTEGER, &v);
	}
	put_field(out, OID_SGX "\x02", sizeof OID_SGX, DER_SEQUENCE, &list);
}

static void put_pck_extension(struct buf *out)
{
	static const uint8_t ppid[16] = { 0 }, pceid[2] = { 0 };
	const struct {
		const char *oid;
		struct bytes value;
	} octets[] = {
		{ OID_SGX "\x01", BYTES_ARRAY(ppid) },
		{ OID_SGX "\x03", BYTES_ARRAY(pceid) },
		{ OID_SGX "\x04", BYTES_ARRAY(fmspc) },
	};
	auto_buf list = { 0 }, v = { 0 }, all = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(octets); i++) {
		buf_put(&v, octets[i].value);
		put_field(&list, octets[i].oid, sizeof OID_SGX,
			DER_OCTET_STRING, &v);
		if (i == 0)
			put_tcb(&list);
	}
	der_wrap(&all, DER_SEQUENCE, &list);
	soft_x509_extension(out, BYTES_LIT(OID_SGX), false, buf_bytes(&all));
}

static bool add_cert(const struct soft_signer *issuer, const char *name,
	struct bytes spki, const struct buf *extensions, int64_t now,
	struct buf *pem, struct err *e)
{
	auto_buf der = { 0 };
	const struct soft_subject s = { name, spki, buf_bytes(extensions) };
	return soft_x509_cert(issuer, &s, now, &der, e) &&
		(pem_put(pem, "CERTIFICATE", buf_bytes(&der)) ||
			err_fail(e, ERR_LIMIT, "certificate: no memory"));
}

static bool make_chains(struct soft_quoting *q, struct err *e)
{
	const struct soft_signer root = { .root = q->root, .name = ROOT_CN };
	const struct soft_signer ca = { .key = q->ca, .name = PCK_CA_CN };
	auto_buf ca_spki = { 0 }, pck_spki = { 0 }, signing_spki = { 0 };
	auto_buf of_ca = { 0 }, of_pck = { 0 }, of_signing = { 0 };
	struct bytes root_spki = soft_root_spki(q->root);
	if (!crypto_key_spki(q->ca, &ca_spki, e) ||
		!crypto_key_spki(q->pck, &pck_spki, e) ||
		!crypto_key_spki(q->signing, &signing_spki, e))
		return false;
	soft_x509_ca(&of_ca);
	soft_x509_leaf(&of_signing);
	soft_x509_leaf(&of_pck);
	put_pck_extension(&of_pck);
	return add_cert(&ca, PCK_CN, buf_bytes(&pck_spki), &of_pck, q->now,
		       &q->pck_chain, e) &&
		add_cert(&root, PCK_CA_CN, buf_bytes(&ca_spki), &of_ca, q->now,
			&q->pck_chain, e) &&
		add_cert(&root, ROOT_CN, root_spki, &of_ca, q->now,
			&q->pck_chain, e) &&
		add_cert(&root, SIGNING_CN, buf_bytes(&signing_spki),
			&of_signing, q->now, &q->signing_chain, e) &&
		add_cert(&root, ROOT_CN, root_spki, &of_ca, q->now,
			&q->signing_chain, e);
}

bool soft_quoting_revoke(struct soft_quoting *q, struct bytes serial,
	struct err *e)
{
	const struct soft_signer root = { .root = q->root, .name = ROOT_CN };
	const struct soft_signer ca = { .key = q->ca, .name = PCK_CA_CN };
	buf_clear(&q->root_crl);
	buf_clear(&q->pck_crl);
	return soft_x509_crl(&root, serial, q->now, &q->root_crl, e) &&
		soft_x509_crl(&ca, serial, q->now, &q->pck_crl, e);
}

bool soft_quoting_open(const struct soft_root *root, int64_t now,
	struct soft_quoting **out, struct err *e)
{
	struct soft_quoting *q = calloc(1, sizeof *q);
	if (!q)
		return err_fail(e, ERR_LIMIT, "quoting: no memory");
	q->root = root;
	q->now = now;
	if (!crypto_key_generate(CRYPTO_P256, &q->ca, e) ||
		!crypto_key_generate(CRYPTO_P256, &q->pck, e) ||
		!crypto_key_generate(CRYPTO_P256, &q->attestation, e) ||
		!crypto_key_generate(CRYPTO_P256, &q->signing, e) ||
		!make_chains(q, e) || !soft_quoting_revoke(q, BYTES_NONE, e)) {
		soft_quoting_close(q);
		return err_wrap(e, "quoting");
	}
	*out = q;
	return true;
}

/* --- quotes ------------------------------------------------------------- */

/* The quoting enclave's report, which binds the attestation key. */
static bool qe_report(struct bytes point, struct bytes auth, bool tdx,
	struct sgx_report *r, struct err *e)
{
	auto_buf both = { 0 };
	*r = (struct sgx_report){
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT |
			SGX_FLAG_PROVISIONKEY },
		.isvprodid = htole16(tdx ? TD_QE_PRODUCT : QE_PRODUCT),
		.isvsvn = htole16(1),
	};
	memset(r->mrsigner, 0xd0, sizeof r->mrsigner);
	if (!buf_put(&both, point) || !buf_put(&both, auth))
		return err_fail(e, ERR_LIMIT, "quoting: no memory");
	return crypto_digest(CRYPTO_SHA256, buf_bytes(&both), r->report_data,
		e);
}

/* Report of the enclave, its signature, authentication data, the chain. */
static bool put_certification(const struct soft_quoting *q, struct bytes point,
	bool tdx, struct buf *out, struct err *e)
{
	uint8_t auth[AUTH_BYTES];
	struct sgx_report r;
	for (size_t i = 0; i < sizeof auth; i++)
		auth[i] = (uint8_t)i;
	if (!qe_report(point, BYTES_ARRAY(auth), tdx, &r, e))
		return false;
	buf_put(out, bytes_of(&r, sizeof r));
	if (!crypto_sign(q->pck, bytes_of(&r, sizeof r), out, e))
		return false;
	buf_u16le(out, sizeof auth);
	buf_put(out, BYTES_ARRAY(auth));
	buf_u16le(out, SGX_CERT_PCK_CHAIN);
	buf_u32le(out, (uint32_t)q->pck_chain.len + 1);
	buf_put(out, buf_bytes(&q->pck_chain));
	buf_u8(out, 0);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "quoting: no memory");
}

static void put_header(struct buf *out, unsigned version, uint32_t tee)
{
	static const uint8_t user_data[20] = { 0 };
	buf_u16le(out, (uint16_t)version);
	buf_u16le(out, SGX_KEY_P256);
	buf_u32le(out, tee);
	buf_u32le(out, 0); /* versions of enclaves: their TCB says more */
	buf_put(out, BYTES_ARRAY(intel_qe));
	buf_put(out, BYTES_ARRAY(user_data));
}

/* signed_part: header and body. */
static bool put_quote(const struct soft_quoting *q, struct bytes signed_part,
	unsigned version, bool tdx, struct buf *out, struct err *e)
{
	auto_buf spki = { 0 }, sig = { 0 }, cert = { 0 };
	if (!crypto_key_spki(q->attestation, &spki, e))
		return false;
	struct bytes point = bytes_of(spki.ptr + POINT_AT, POINT);
	if (!crypto_sign(q->attestation, signed_part, &sig, e) ||
		!buf_put(&sig, point) ||
		!put_certification(q, point, tdx, &cert, e))
		return err_wrap(e, "quoting");
	if (version >= 4) {
		buf_u16le(&sig, SGX_CERT_QE_REPORT);
		buf_u32le(&sig, (uint32_t)cert.len);
	}
	buf_put(&sig, buf_bytes(&cert));
	buf_put(out, signed_part);
	buf_u32le(out, (uint32_t)sig.len);
	buf_put(out, buf_bytes(&sig));
	return (buf_ok(&sig) && buf_ok(out)) ||
		err_fail(e, ERR_LIMIT, "quoting: no memory");
}

bool soft_quoting_sgx(const struct soft_quoting *q,
	const struct sgx_report *report, struct buf *quote, struct err *e)
{
	auto_buf head = { 0 };
	put_header(&head, 3, SGX_TEE_SGX);
	buf_put(&head, bytes_of(report, sizeof *report));
	return put_quote(q, buf_bytes(&head), 3, false, quote, e);
}

bool soft_quoting_tdx(const struct soft_quoting *q,
	const struct tdx_report *report, bool td15, struct buf *quote,
	struct err *e)
{
	auto_buf head = { 0 };
	unsigned version = td15 ? 5 : 4;
	size_t n = td15 ? sizeof *report : TDX_TD10_BYTES;
	put_header(&head, version, SGX_TEE_TDX);
	if (td15) {
		buf_u16le(&head, SGX_BODY_TD15);
		buf_u32le(&head, (uint32_t)n);
	}
	buf_put(&head, bytes_of(report, n));
	return put_quote(q, buf_bytes(&head), version, true, quote, e);
}

/* --- collateral --------------------------------------------------------- */

static void put_date(struct buf *out, const char *name, int64_t at)
{
	char text[32] = "";
	time_t t = (time_t)at;
	struct tm tm;
	if (!gmtime_r(&t, &tm) ||
		!strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		out->failed = true;
	buf_fmt(out, "\"%s\":\"%s\",", name, text);
}

static void put_head(const struct soft_quoting *q, const char *id,
	unsigned version, struct buf *out)
{
	buf_fmt(out, "{\"id\":\"%s\",\"version\":%u,", id, version);
	put_date(out, "issueDate", q->now - 3600);
	put_date(out, "nextUpdate", q->now + (int64_t)DAYS * 86400);
	buf_str(out, "\"tcbEvaluationDataNumber\":1,");
}

static void put_components(struct buf *out, const char *name, unsigned svn)
{
	buf_fmt(out, "\"%s\":[", name);
	for (size_t i = 0; i < COMPONENTS; i++)
		buf_fmt(out, "%s{\"svn\":%u}", i ? "," : "", svn);
	buf_str(out, "],");
}

static void put_repeated(struct buf *out, const char *name, const char *byte,
	size_t count, const char *behind)
{
	buf_fmt(out, "\"%s\":\"", name);
	for (size_t i = 0; i < count; i++)
		buf_str(out, byte);
	buf_fmt(out, "\"%s", behind);
}

static void put_tcb_info(const struct soft_quoting *q, bool tdx,
	struct buf *out)
{
	char hex[2 * sizeof fmspc + 1];
	hex_encode(BYTES_ARRAY(fmspc), hex);
	put_head(q, tdx ? "TDX" : "SGX", 3, out);
	buf_fmt(out, "\"fmspc\":\"%s\",\"pceId\":\"0000\",\"tcbType\":0,", hex);
	if (tdx) {
		/* A module without a version of its own: TEE_TCB_SVN[1] 0. */
		buf_str(out, "\"tdxModule\":{");
		put_repeated(out, "mrsigner", "00", 48, ",");
		put_repeated(out, "attributes", "00", 8, ",");
		put_repeated(out, "attributesMask", "FF", 8, "},");
	}
	buf_str(out, "\"tcbLevels\":[{\"tcb\":{");
	put_components(out, "sgxtcbcomponents", 1);
	if (tdx)
		put_components(out, "tdxtcbcomponents", 0);
	buf_str(out,
		"\"pcesvn\":1},\"tcbDate\":\"2026-01-01T00:00:00Z\","
		"\"tcbStatus\":\"UpToDate\"}]}");
}

static void put_identity(const struct soft_quoting *q, bool tdx,
	struct buf *out)
{
	put_head(q, tdx ? "TD_QE" : "QE", 2, out);
	put_repeated(out, "miscselect", "00", 4, ",");
	put_repeated(out, "miscselectMask", "FF", 4, ",");
	buf_str(out, "\"attributes\":\"15");
	for (size_t i = 1; i < 16; i++)
		buf_str(out, "00");
	buf_str(out, "\",");
	put_repeated(out, "attributesMask", "FF", 16, ",");
	put_repeated(out, "mrsigner", "D0", 32, ",");
	buf_fmt(out,
		"\"isvprodid\":%d,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":1},"
		"\"tcbDate\":\"2026-01-01T00:00:00Z\","
		"\"tcbStatus\":\"UpToDate\"}]}",
		tdx ? TD_QE_PRODUCT : QE_PRODUCT);
}

/* The signature covers the object's bytes as they stand. */
static bool sign_document(const struct soft_quoting *q, const char *member,
	const struct buf *object, struct buf *out, struct err *e)
{
	char hex[2 * POINT + 1];
	auto_buf sig = { 0 };
	if (!buf_ok(object))
		return err_fail(e, ERR_LIMIT, "quoting: no memory");
	if (!crypto_sign(q->signing, buf_bytes(object), &sig, e))
		return false;
	hex_encode(buf_bytes(&sig), hex);
	buf_fmt(out, "{\"%s\":", member);
	buf_put(out, buf_bytes(object));
	buf_fmt(out, ",\"signature\":\"%s\"}", hex);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "quoting: no memory");
}

bool soft_quoting_endorsements(const struct soft_quoting *q, bool tdx,
	struct buf *out, struct err *e)
{
	auto_buf info = { 0 }, identity = { 0 }, tcb = { 0 }, qe = { 0 };
	put_tcb_info(q, tdx, &info);
	put_identity(q, tdx, &identity);
	if (!sign_document(q, "tcbInfo", &info, &tcb, e) ||
		!sign_document(q, "enclaveIdentity", &identity, &qe, e))
		return false;
	const struct bytes parts[] = { BYTES_NONE, buf_bytes(&q->root_crl),
		buf_bytes(&q->pck_crl), buf_bytes(&q->signing_chain),
		buf_bytes(&tcb), buf_bytes(&q->signing_chain), buf_bytes(&qe) };
	cbor_put_head(out, CBOR_ARRAY, COLLATERAL_PARTS);
	cbor_put_uint(out, COLLATERAL_VERSION);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		cbor_put_bytes(out, parts[i]);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "quoting: no memory");
}
