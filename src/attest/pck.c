/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's certificate chains, and what a PCK certificate says (Intel SGX PCK
 * Certificate and CRL Profile, "SGX extensions", 1.2.840.113741.1.13.1). */
#include "attest/intel.h"
#include "codec/der.h"
#include "codec/pem.h"
#include "crypto/hash.h"

/* SHA-256 of the public key of Intel SGX Root CA. */
const uint8_t attest_intel_root[CRYPTO_SHA256_BYTES] = { 0xa0, 0xaf, 0x03, 0x12,
	0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91, 0x86, 0x06, 0x8a, 0x7f, 0xc1,
	0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35, 0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b,
	0x6c, 0x67, 0xa4, 0x9e };

#define OID_SGX "\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01"

/* Below it. */
enum { ARC_TCB = 2, ARC_PCEID = 3, ARC_FMSPC = 4 };
/* Below the TCB: 1 to 16 components, then these. */
enum { ARC_PCESVN = 17, ARC_CPUSVN = 18 };

void attest_chain_fini(struct intel_chain *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->der); i++)
		buf_fini(&c->der[i]);
}

static bool read_chain(struct bytes pem, size_t n, struct intel_chain *c,
	struct err *e)
{
	struct reader r = { .in = pem };
	for (c->count = 0; c->count < n; c->count++) {
		struct buf *der = &c->der[c->count];
		if (!pem_next(&r, "CERTIFICATE", der, e) ||
			!attest_cert_parse(buf_bytes(der), &c->cert[c->count],
				e))
			return false;
	}
	return pem_done(&r) ||
		err_fail(e, ERR_INPUT, "chain: more than %zu certificates", n);
}

bool attest_chain_read(struct bytes pem, size_t n, struct intel_chain *out,
	struct err *e)
{
	*out = (struct intel_chain){ 0 };
	if (read_chain(pem, n, out, e))
		return true;
	attest_chain_fini(out);
	*out = (struct intel_chain){ 0 };
	return false;
}

bool attest_chain_signed(const struct intel_chain *c,
	const struct intel_terms *t, struct err *e)
{
	const struct attest_cert *root = &c->cert[c->count - 1];
	uint8_t hash[CRYPTO_SHA256_BYTES];
	if (!crypto_digest(CRYPTO_SHA256, root->spki, hash, e))
		return false;
	if (memcmp(hash, t->root, sizeof hash) != 0)
		return err_fail(e, ERR_DENIED, "root of another key");
	if (c->cert[0].ca)
		return err_fail(e, ERR_DENIED, "leaf is an authority");
	for (size_t i = 0; i < c->count; i++) {
		const struct attest_cert *issuer =
			i + 1 < c->count ? &c->cert[i + 1] : root;
		if (!attest_cert_signed_by(&c->cert[i], issuer, t->seen, e))
			return err_wrap(e, "certificate %zu", i + 1);
	}
	return true;
}

bool attest_chain_valid(const struct intel_chain *c, int64_t now, int64_t *to)
{
	bool ok = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct attest_cert *x = &c->cert[i];
		ok = ok && x->from <= now && now <= x->to;
		*to = !i || x->to < *to ? x->to : *to;
	}
	return ok;
}

/* The last arc of an OID that begins with `base`; 0 when it does not. */
static unsigned arc_below(struct bytes oid, struct bytes base)
{
	if (oid.len != base.len + 1 || memcmp(oid.ptr, base.ptr, base.len) != 0)
		return 0;
	return oid.ptr[base.len];
}

static bool read_tcb(struct reader r, struct intel_pck *p)
{
	uint32_t seen = 0;
	while (reader_left(&r)) {
		struct reader pair = der_enter(&r, DER_SEQUENCE);
		unsigned arc = arc_below(der_take(&pair, DER_OID),
			BYTES_LIT(OID_SGX "\x02"));
		if (arc == 0 || arc > ARC_CPUSVN || seen >> arc & 1)
			return false;
		seen |= 1u << arc;
		if (arc == ARC_CPUSVN) {
			der_take(&pair, DER_OCTET_STRING);
		} else {
			uint64_t v = der_uint(&pair);
			if (v > (arc == ARC_PCESVN ? UINT16_MAX : UINT8_MAX))
				return false;
			if (arc == ARC_PCESVN)
				p->pcesvn = (uint16_t)v;
			else
				p->components[arc - 1] = (uint8_t)v;
		}
		if (!reader_done(&pair))
			return false;
	}
	return !r.failed && seen == (1u << (ARC_CPUSVN + 1)) - 2;
}

static bool take_octets(struct reader *r, uint8_t *out, size_t n)
{
	struct bytes b = der_take(r, DER_OCTET_STRING);
	if (b.len != n)
		return false;
	memcpy(out, b.ptr, n);
	return reader_done(r);
}

static bool read_fields(struct reader r, struct intel_pck *p)
{
	uint32_t seen = 0;
	while (reader_left(&r)) {
		struct reader pair = der_enter(&r, DER_SEQUENCE);
		unsigned arc =
			arc_below(der_take(&pair, DER_OID), BYTES_LIT(OID_SGX));
		if (arc == 0 || arc > 31 || pair.failed || seen >> arc & 1)
			return false;
		seen |= 1u << arc;
		bool ok = true;
		if (arc == ARC_TCB)
			ok = read_tcb(der_enter(&pair, DER_SEQUENCE), p) &&
				reader_done(&pair);
		else if (arc == ARC_PCEID)
			ok = take_octets(&pair, p->pceid, sizeof p->pceid);
		else if (arc == ARC_FMSPC)
			ok = take_octets(&pair, p->fmspc, sizeof p->fmspc);
		if (!ok)
			return false;
	}
	uint32_t all = 1u << ARC_TCB | 1u << ARC_PCEID | 1u << ARC_FMSPC;
	return !r.failed && (seen & all) == all;
}

bool attest_pck_read(const struct attest_cert *leaf, struct intel_pck *out,
	struct err *e)
{
	struct intel_pck p = { 0 };
	struct bytes value;
	if (!attest_cert_ext(leaf, BYTES_LIT(OID_SGX), &value))
		return err_fail(e, ERR_INPUT, "leaf is no PCK certificate");
	struct reader all = { .in = value };
	struct reader fields = der_enter(&all, DER_SEQUENCE);
	if (!read_fields(fields, &p) || !reader_done(&all))
		return err_fail(e, ERR_INPUT, "leaf: SGX extensions");
	*out = p;
	return true;
}
