/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include "attest/claims.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "crypto/x509.h"

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----";
static const char pem_end[] = "-----END CERTIFICATE-----";

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

/* The base64 between the two lines, line breaks left out. */
static bool pem_decode(struct bytes pem, struct buf *der, struct err *e)
{
	struct bytes body = bytes_from(pem, strlen(pem_begin));
	auto_buf text = { 0 };
	while (body.len && body.ptr[0] != '-') {
		if (!is_space(body.ptr[0]) && !buf_u8(&text, body.ptr[0]))
			return err_fail(e, ERR_LIMIT,
				"certificate: out of memory");
		body = bytes_from(body, 1);
	}
	if (!begins(body, pem_end) || body.len != strlen(pem_end))
		return err_fail(e, ERR_INPUT,
			"certificate: not one PEM block and nothing else");
	if (!base64_decode(buf_bytes(&text), der, e))
		return err_wrap(e, "certificate");
	return true;
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
	if (tag != ATTEST_TAG_SOFTWARE)
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

static bool read_any(struct bytes file, struct attest_bundle *b, struct err *e)
{
	if (begins(file, "{")) {
		if (!read_json(file, b, e))
			return false;
	} else {
		bool pem = begins(file, pem_begin);
		if (pem ? !pem_decode(file, &b->certificate, e) :
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
	/* DER may end in what looks like white space. */
	if (text.len && text.ptr[0] == 0x30)
		text = file;
	if (file.len > ATTEST_BUNDLE_MAX)
		return err_fail(e, ERR_LIMIT, "evidence: %zu bytes, at most %u",
			file.len, ATTEST_BUNDLE_MAX);
	if (!text.len)
		return err_fail(e, ERR_INPUT, "evidence: empty");
	if (!begins(text, "{") && !begins(text, pem_begin) &&
		text.ptr[0] != 0x30)
		return err_fail(e, ERR_INPUT,
			"evidence: neither JSON nor a certificate");
	if (!read_any(text, &b, e)) {
		attest_bundle_fini(&b);
		return err_wrap(e, "evidence");
	}
	*out = b;
	return true;
}
