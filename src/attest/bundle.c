/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include "attest/check.h"
#include "attest/claims.h"
#include "attest/enarx.h"
#include "attest/quote.h"
#include "codec/der.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/pem.h"
#include "crypto/x509.h"

void attest_bundle_fini(struct attest_bundle *b)
{
	buf_fini(&b->claims);
	buf_fini(&b->evidence);
	buf_fini(&b->endorsements);
	buf_fini(&b->certificate);
	buf_fini(&b->spki);
}

struct attest_input attest_bundle_input(const struct attest_bundle *b)
{
	return (struct attest_input){
		.evidence = buf_bytes(&b->evidence),
		.endorsements = buf_bytes(&b->endorsements),
		.claims = buf_bytes(&b->claims),
		.spki = buf_bytes(&b->spki),
		.certificate = buf_bytes(&b->certificate),
		.request = b->request,
		.binding = b->binding,
	};
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes trim(struct bytes b)
{
	while (b.len && is_space(b.ptr[0]))
		b = bytes_from(b, 1);
	while (b.len && is_space(b.ptr[b.len - 1]))
		b.len--;
	return b;
}

static bool begins(struct bytes b, const char *s)
{
	size_t n = strlen(s);
	return b.len >= n && !memcmp(b.ptr, s, n);
}

/* One block and nothing else. */
static bool pem_one(struct bytes text, const char *label, struct buf *der,
	struct err *e)
{
	struct reader r = { .in = text };
	if (!pem_next(&r, label, der, e))
		return false;
	return pem_done(&r) ||
		err_fail(e, ERR_INPUT,
			"certificate: not one PEM block and nothing else");
}

static bool is_pem(struct bytes text, const char *label)
{
	struct reader r = { .in = text };
	return pem_next_is(&r, label);
}

/* Whether that tag is one of evidence that looks like this. */
static bool tag_fits(uint32_t tag, struct bytes evidence)
{
	switch (tag) {
	case ATTEST_TAG_SOFTWARE:
		return !attest_snp_is(evidence) && !attest_quote_is(evidence);
	case ATTEST_TAG_SNP:
		return attest_snp_is(evidence);
	case ATTEST_TAG_INTEL:
		return attest_quote_is(evidence);
	case ATTEST_TAG_KEYSTONE:
		return attest_keystone_is(evidence);
	case ATTEST_TAG_SANCTUM:
		return attest_sanctum_is(evidence);
	case ATTEST_TAG_PEF:
		return attest_pef_is(evidence);
	default:
		return false;
	}
}

static bool read_tagged(struct attest_bundle *b, struct bytes value,
	struct err *e)
{
	struct attest_claims ours;
	struct bytes ev, cl;
	uint32_t tag;
	if (!attest_tagged_parse(value, &tag, &ev, &cl, e))
		return err_wrap(e, "certificate: evidence");
	if (!tag_fits(tag, ev))
		return err_fail(e, ERR_INPUT,
			"certificate: evidence of an unknown kind, tag %u",
			tag);
	if (!buf_put(&b->evidence, ev) || !buf_put(&b->claims, cl))
		return err_fail(e, ERR_LIMIT, "certificate: out of memory");
	b->binding = tag == ATTEST_TAG_SOFTWARE ||
			attest_claims_parse(cl, &ours, NULL) ?
		ATTEST_BIND_KEEP :
		ATTEST_BIND_CLAIMS;
	return true;
}

/* What the certificate's extensions carry. */
static bool read_extensions(struct attest_bundle *b, struct err *e)
{
	static const char *const older[] = { ATTEST_OID_GRAMINE,
		ATTEST_OID_GRAMINE_OLD };
	struct bytes der = buf_bytes(&b->certificate);
	auto_buf value = { 0 };
	bool tagged = crypto_cert_ext(der, ATTEST_OID_EVIDENCE, &value, e);
	for (size_t i = 0; !tagged && i < ARRAY_LEN(older); i++)
		if (crypto_cert_ext(der, older[i], &b->evidence, NULL)) {
			b->binding = ATTEST_BIND_SHA256;
			return attest_quote_is(buf_bytes(&b->evidence)) ||
				err_fail(e, ERR_INPUT,
					"certificate: evidence is no quote");
		}
	if (!tagged)
		return err_wrap(e, "none in it");
	if (!read_tagged(b, buf_bytes(&value), e))
		return false;
	/* Others may have left their endorsements out. */
	if (!crypto_cert_ext(der, ATTEST_OID_ENDORSEMENTS, &b->endorsements,
		    e) &&
		b->binding == ATTEST_BIND_KEEP)
		return err_wrap(e, "certificate: endorsements");
	return true;
}

static bool read_request(struct attest_bundle *b, struct err *e)
{
	struct bytes der = buf_bytes(&b->certificate);
	auto_buf value = { 0 };
	b->request = true;
	if (!crypto_request_spki(der, &b->spki, e))
		return false;
	if (crypto_request_ext(der, ATTEST_OID_ENARX_SNP, &value, NULL)) {
		b->binding = ATTEST_BIND_SHA384;
		return attest_enarx_snp(b, buf_bytes(&value), e);
	}
	if (!crypto_request_ext(der, ATTEST_OID_ENARX_SGX, &value, e))
		return false;
	b->binding = ATTEST_BIND_SHA256;
	return attest_enarx_sgx(b, buf_bytes(&value), e);
}

static bool read_json(struct bytes file, struct attest_bundle *b, struct err *e)
{
	static const size_t max = ATTEST_BUNDLE_MAX;
	json_t *o;
	if (!json_parse(file, max, &o, e))
		return false;
	bool ok = json_member_base64(o, "claims", max, &b->claims, e) &&
		json_member_base64(o, "evidence", max, &b->evidence, e) &&
		json_member_base64(o, "endorsements", max, &b->endorsements,
			e) &&
		(!json_object_get(o, "certificate") ||
			json_member_base64(o, "certificate", max,
				&b->certificate, e));
	json_decref(o);
	if (!ok || !b->certificate.len)
		return ok;
	return crypto_cert_spki(buf_bytes(&b->certificate), &b->spki, e) ||
		err_wrap(e, "certificate");
}

/* As its technology writes it. */
static bool is_evidence(struct bytes file)
{
	return attest_software_is(file) || attest_snp_is(file) ||
		attest_quote_is(file) || attest_pef_is(file) ||
		attest_sanctum_is(file) || attest_keystone_is(file);
}

static bool read_alone(struct bytes file, struct attest_bundle *b,
	struct err *e)
{
	b->binding = ATTEST_BIND_NOTHING;
	return buf_put(&b->evidence, file) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

/* DER, or one PEM block. */
static bool read_certificate(struct bytes file, struct attest_bundle *b,
	struct err *e)
{
	static const char *const labels[] = { "CERTIFICATE",
		"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST" };
	struct err why = { 0 };
	bool pem = false, request = false;
	for (size_t i = 0; i < ARRAY_LEN(labels) && !pem; i++) {
		pem = is_pem(file, labels[i]);
		request = i > 0;
		if (pem && !pem_one(file, labels[i], &b->certificate, e))
			return false;
	}
	if (!pem && !buf_put(&b->certificate, file))
		return err_fail(e, ERR_LIMIT, "out of memory");
	if (!pem)
		request = !crypto_cert_spki(buf_bytes(&b->certificate),
			&b->spki, &why);
	if (request && read_request(b, e))
		return true;
	if (request && !pem)
		*e = why; /* most who name a file mean a certificate */
	if (request)
		return false;
	b->spki.len = 0;
	return (crypto_cert_spki(buf_bytes(&b->certificate), &b->spki, e) ||
		       err_wrap(e, "certificate")) &&
		read_extensions(b, e);
}

/* One sequence, from the first byte to the last. */
static bool is_der(struct bytes file)
{
	struct reader r = { .in = file };
	return der_whole(&r, DER_SEQUENCE).len && reader_done(&r);
}

static bool is_text(struct bytes file)
{
	for (size_t i = 0; i < file.len; i++)
		if (!is_space(file.ptr[i]) &&
			(file.ptr[i] < ' ' || file.ptr[i] > '~'))
			return false;
	return true;
}

/* Evidence written as hexadecimal digits, as people pass it on. */
static bool from_hex(struct bytes text, struct buf *raw)
{
	if (begins(text, "0x"))
		text = bytes_from(text, 2);
	size_t n = text.len / 2;
	uint8_t *to = text.len % 2 || !n ? NULL : buf_reserve(raw, n);
	if (!to || !hex_decode(text, to, n, NULL))
		return false;
	buf_commit(raw, n);
	return is_evidence(buf_bytes(raw));
}

static bool read_any(struct bytes file, struct attest_bundle *b, struct err *e)
{
	auto_buf raw = { 0 };
	struct bytes text = trim(file);
	/* Binary files may end in what looks like white space.  A monitor's
	 * keys have no mark of their own, but are neither certificate nor
	 * text. */
	if (is_evidence(file) && !is_der(file) && !is_text(file))
		return read_alone(file, b, e);
	if (begins(file, "\x30") && from_hex(text, &raw))
		return read_alone(buf_bytes(&raw), b, e);
	if (begins(file, "\x30"))
		return read_certificate(file, b, e);
	if (begins(text, "{"))
		return read_json(text, b, e);
	if (begins(text, "-----BEGIN "))
		return read_certificate(text, b, e);
	if (from_hex(text, &raw))
		return read_alone(buf_bytes(&raw), b, e);
	return err_fail(e, ERR_INPUT,
		"neither JSON nor a certificate nor a report");
}

bool attest_bundle_read(struct bytes file, struct attest_bundle *out,
	struct err *e)
{
	struct attest_bundle b = { 0 };
	struct err why = { 0 };
	if (file.len > ATTEST_BUNDLE_MAX)
		return err_fail(e, ERR_LIMIT, "evidence: %zu bytes, at most %u",
			file.len, ATTEST_BUNDLE_MAX);
	if (!trim(file).len)
		return err_fail(e, ERR_INPUT, "evidence: empty");
	if (!read_any(file, &b, &why)) {
		attest_bundle_fini(&b);
		if (e)
			*e = why;
		return err_wrap(e, "evidence");
	}
	*out = b;
	return true;
}
