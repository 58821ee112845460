/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include "attest/check.h"
#include "attest/claims.h"
#include "attest/quote.h"
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

/* What the certificate's extensions carry. */
static bool read_extensions(struct attest_bundle *b, struct err *e)
{
	struct bytes der = buf_bytes(&b->certificate), ev, cl;
	auto_buf tagged = { 0 };
	uint32_t tag;
	if (!crypto_cert_ext(der, ATTEST_OID_EVIDENCE, &tagged, e) ||
		!attest_tagged_parse(buf_bytes(&tagged), &tag, &ev, &cl, e))
		return err_wrap(e, "certificate: evidence");
	if (tag != ATTEST_TAG_SOFTWARE && tag != ATTEST_TAG_SNP &&
		tag != ATTEST_TAG_INTEL)
		return err_fail(e, ERR_INPUT,
			"certificate: evidence of an unknown kind, tag %u",
			tag);
	if (!buf_put(&b->evidence, ev) || !buf_put(&b->claims, cl))
		return err_fail(e, ERR_LIMIT, "certificate: out of memory");
	if (!crypto_cert_ext(der, ATTEST_OID_ENDORSEMENTS, &b->endorsements, e))
		return err_wrap(e, "certificate: endorsements");
	return true;
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
	return ok;
}

/* As its technology writes it. */
static bool is_evidence(struct bytes file)
{
	return attest_software_is(file) || attest_snp_is(file) ||
		attest_quote_is(file);
}

static bool read_any(struct bytes file, struct attest_bundle *b, struct err *e)
{
	if (is_evidence(file)) {
		b->bare = true;
		if (!buf_put(&b->evidence, file))
			return err_fail(e, ERR_LIMIT, "out of memory");
	} else if (begins(file, "{")) {
		if (!read_json(file, b, e))
			return false;
	} else {
		bool pem = is_pem(file, "CERTIFICATE");
		if (pem ? !pem_one(file, "CERTIFICATE", &b->certificate, e) :
			  !buf_put(&b->certificate, file))
			return false;
		if (!read_extensions(b, e))
			return false;
	}
	if (b->certificate.len &&
		!crypto_cert_spki(buf_bytes(&b->certificate), &b->spki, e))
		return err_wrap(e, "certificate");
	return true;
}

bool attest_bundle_read(struct bytes file, struct attest_bundle *out,
	struct err *e)
{
	struct attest_bundle b = { 0 };
	struct bytes text = trim(file);
	/* Binary files may end in what looks like white space. */
	bool bare = is_evidence(file);
	if (bare || begins(file, "\x30"))
		text = file;
	if (file.len > ATTEST_BUNDLE_MAX)
		return err_fail(e, ERR_LIMIT, "evidence: %zu bytes, at most %u",
			file.len, ATTEST_BUNDLE_MAX);
	if (!text.len)
		return err_fail(e, ERR_INPUT, "evidence: empty");
	if (!bare && !begins(text, "{") && !is_pem(text, "CERTIFICATE") &&
		text.ptr[0] != 0x30)
		return err_fail(e, ERR_INPUT,
			"evidence: neither JSON nor a certificate nor a report");
	if (!read_any(text, &b, e)) {
		attest_bundle_fini(&b);
		return err_wrap(e, "evidence");
	}
	*out = b;
	return true;
}
