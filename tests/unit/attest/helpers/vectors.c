/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/quote.h"
#include "codec/cbor.h"
#include "codec/hex.h"
#include "spec/snp.h"

#include "../../test.h"

bool vectors_read(const char *name, struct buf *out)
{
	const char *shared = getenv("DONJON_SHARED");
	char path[512];
	snprintf(path, sizeof path, "%s/vectors/%s",
		shared ? shared : "../shared", name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	for (;;) {
		uint8_t *p = buf_reserve(out, 65536);
		CHECK(p != NULL);
		size_t n = fread(p, 1, 65536, f);
		buf_commit(out, n);
		if (n < 65536)
			break;
	}
	fclose(f);
	return true;
}

/* As they stand: whether they fit is what is tested. */
static void put_chain(struct attest_bundle *b, const struct bytes *der,
	size_t n)
{
	struct buf *out = &b->endorsements;
	buf_clear(out);
	cbor_put_head(out, CBOR_ARRAY, 2);
	cbor_put_head(out, CBOR_ARRAY, 3);
	for (size_t i = 0; i < 3; i++)
		cbor_put_bytes(out, der[i]);
	cbor_put_head(out, CBOR_ARRAY, n - 3);
	for (size_t i = 3; i < n; i++)
		cbor_put_bytes(out, der[i]);
	CHECK(buf_ok(out));
}

void vectors_bundle(struct attest_bundle *b, const char *report,
	const char *const *files)
{
	struct buf raw[12] = { 0 };
	struct bytes spans[12];
	size_t n = 0;
	struct err e = { 0 };
	auto_buf evidence = { 0 };
	CHECK(vectors_read(report, &evidence));
	if (!attest_bundle_read(buf_bytes(&evidence), b, &e))
		fail_msg("%s: %s", report, e.text);
	for (; files[n]; n++) {
		CHECK(n < 12 && vectors_read(files[n], &raw[n]));
		spans[n] = buf_bytes(&raw[n]);
	}
	if (b->evidence.len == SNP_REPORT_BYTES && n >= 3)
		put_chain(b, spans, n);
	else if (!attest_bundle_endorse(b, spans, n, 0, &e))
		fail_msg("%s: %s", report, e.text);
	for (size_t i = 0; i < 12; i++)
		buf_fini(&raw[i]);
}

struct attest_policy *vectors_snp_policy(const struct attest_bundle *b,
	const char *more)
{
	char hex[97];
	auto_buf toml = { 0 };
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	CHECK(b->evidence.len == SNP_REPORT_BYTES);
	hex_encode(bytes_of(b->evidence.ptr + 0x90, 48), hex);
	/* Old reports have old TCBs, and that is not what most tests test. */
	CHECK(buf_fmt(&toml, "[snp]\nmeasurements = [\"%s\"]\n%s\n%s", hex,
		more,
		strstr(more, "minimum_") ?
			"" :
			"minimum_tcb = { milan = {}, genoa = {}, "
			"turin = {} }\n"));
	if (!attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

struct attest_policy *vectors_quote_policy(const struct attest_bundle *b,
	const char *more)
{
	char hex[97];
	auto_buf toml = { 0 };
	struct attest_quote q;
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	if (!attest_quote_parse(buf_bytes(&b->evidence), &q, &e))
		q = (struct attest_quote){ .body = buf_bytes(&b->evidence) };
	if (q.tdx)
		hex_encode(bytes_of(q.body.ptr + 136, 48), hex);
	else
		hex_encode(bytes_of(q.body.ptr + 64, 32), hex);
	CHECK(buf_fmt(&toml, "[%s]\nmeasurements = [\"%s\"]\n%s\n",
		q.tdx ? "tdx" : "sgx", hex, more));
	if (!attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

void vectors_set(const char *folder, char paths[VECTORS_SET][128],
	const char *files[VECTORS_SET + 1])
{
	static const char *const names[VECTORS_SET] = { "root_ca.crl",
		"pck.crl", "tcb_signing_chain.pem", "tcb_info.json",
		"qe_identity_signing_chain.pem", "qe_identity.json",
		"pck_crl_issuer_chain.pem" };
	size_t n = 0;
	for (size_t i = 0; i < VECTORS_SET; i++) {
		auto_buf probe = { 0 };
		snprintf(paths[n], 128, "%s%s", folder, names[i]);
		if (vectors_read(paths[n], &probe)) {
			files[n] = paths[n];
			n++;
		}
	}
	files[n] = NULL;
	CHECK(n >= 6);
}

void vectors_failed(const struct attest_verdict *v, struct buf *out)
{
	buf_clear(out);
	for (size_t i = 0; i < v->count; i++)
		if (!v->checks[i].passed && !v->checks[i].skipped)
			CHECK(buf_fmt(out, "%s ", v->checks[i].name));
}

size_t vectors_text_step(size_t otherwise)
{
	return getenv("DONJON_ALL") ? 1 : otherwise;
}
