/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/quote.h"

#include <endian.h>
#include <stdlib.h>

#include "attest/attest.h"
#include "codec/hex.h"
#include "soft/quoting.h"

#include "../test.h"
#include "helpers/evidence.h"
#include "helpers/vectors.h"

enum { NOW = 1790000000, HEADER = 48 };

struct trial {
	struct sample s;
	struct soft_quoting *q;
	struct buf v3, v4, v5; /* of an enclave, of trust domains */
};

static void trial_init(struct trial *t)
{
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	struct tdx_report td = { .td_attributes =
					 htole64(TDX_ATTR_SEPT_VE_OFF) };
	*t = (struct trial){ 0 };
	sample_init(&t->s);
	CHECK(soft_quoting_open(t->s.root, NOW, &t->q, NULL));
	CHECK(soft_quoting_sgx(t->q, &r, &t->v3, NULL));
	CHECK(soft_quoting_tdx(t->q, &td, false, &t->v4, NULL));
	CHECK(soft_quoting_tdx(t->q, &td, true, &t->v5, NULL));
}

static void trial_fini(struct trial *t)
{
	soft_quoting_close(t->q);
	sample_fini(&t->s);
	buf_fini(&t->v3);
	buf_fini(&t->v4);
	buf_fini(&t->v5);
}

TEST(quotes_of_each_version_are_read_to_their_last_byte)
{
	struct trial t;
	struct attest_quote q;
	trial_init(&t);
	const struct {
		const struct buf *b;
		unsigned version;
		size_t body;
		bool tdx;
	} c[] = {
		{ &t.v3, 3, sizeof(struct sgx_report), false },
		{ &t.v4, 4, TDX_TD10_BYTES, true },
		{ &t.v5, 5, sizeof(struct tdx_report), true },
	};
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		CHECK(attest_quote_is(buf_bytes(c[i].b)));
		CHECK(attest_quote_parse(buf_bytes(c[i].b), &q, NULL));
		CHECK_INT(q.version, c[i].version);
		CHECK_INT(q.body.len, c[i].body);
		CHECK(q.tdx == c[i].tdx);
		CHECK_INT(q.trailing, 0);
		CHECK_INT(q.qe_report.len, sizeof(struct sgx_report));
		CHECK(q.signed_part.ptr == c[i].b->ptr);
		CHECK(q.signed_part.ptr + q.signed_part.len ==
			q.body.ptr + q.body.len);
	}
	trial_fini(&t);
}

TEST(quotes_of_each_version_are_refused_at_every_truncation)
{
	struct trial t;
	struct attest_quote q;
	trial_init(&t);
	const struct buf *all[] = { &t.v3, &t.v4, &t.v5 };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t n = 0; n < all[i]->len; n++)
			CHECK(!attest_quote_parse(bytes_of(all[i]->ptr, n), &q,
				NULL));
	trial_fini(&t);
}

static void put_u32(struct buf *b, size_t v)
{
	CHECK(buf_u32le(b, (uint32_t)v));
}

/*
 * An enclave's quote in the form of version 4 (none is public): header, body,
 * signature, key, certification data of kind 6 around what version 3 has.
 * The signature no longer fits, all else does.
 */
static void as_v4(const struct buf *v3, struct buf *out)
{
	size_t body = sizeof(struct sgx_report), at = HEADER + body + 4;
	struct bytes in = buf_bytes(v3);
	size_t rest = in.len - at - 128;
	buf_put(out, bytes_of(in.ptr, HEADER + body));
	out->ptr[0] = 4;
	put_u32(out, 128 + 6 + rest);
	buf_put(out, bytes_of(in.ptr + at, 128));
	buf_u16le(out, 6);
	put_u32(out, rest);
	CHECK(buf_put(out, bytes_from(in, at + 128)));
}

TEST(enclaves_quotes_of_version_4_fail_by_their_signature_alone)
{
	static struct attest_verdict v;
	struct trial t;
	struct attest_quote q;
	struct attest_policy *p;
	char root[65];
	auto_buf quote = { 0 }, toml = { 0 }, failed = { 0 }, ends = { 0 };
	trial_init(&t);
	as_v4(&t.v3, &quote);
	CHECK(attest_quote_parse(buf_bytes(&quote), &q, NULL));
	CHECK(q.version == 4 && !q.tdx);
	for (size_t n = 0; n < quote.len; n++)
		CHECK(!attest_quote_parse(bytes_of(quote.ptr, n), &q, NULL));
	hex_encode(BYTES_ARRAY(t.s.fingerprint), root);
	CHECK(buf_fmt(&toml,
		"software = [\"%s\"]\n[sgx]\nmeasurements = [\"%064d\"]\n",
		root, 0));
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &p, NULL));
	CHECK(soft_quoting_endorsements(t.q, false, &ends, NULL));
	const struct attest_input in = { .evidence = buf_bytes(&quote),
		.endorsements = buf_bytes(&ends),
		.now = NOW,
		.binding = ATTEST_BIND_NOTHING };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &failed);
	CHECK_STR(buf_cstr(&failed), "signature ");
	CHECK_INT(v.tee, ATTEST_SGX);
	attest_policy_free(p);
	trial_fini(&t);
}

TEST(quotes_that_are_none_are_refused_by_name)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *says;
	} c[] = {
		{ 0, 2, "not version 3, 4 or 5" },
		{ 0, 6, "not version 3, 4 or 5" },
		{ 2, 3, "key type 3" },
		{ 4, 1, "technology 0x1" },
		{ 4, 0x81, "technology 0x81" }, /* no TD in version 3 */
		{ 12, 0, "not of Intel's enclave" },
		{ HEADER + 384 + 3, 0xff, "signature is cut" },
		{ HEADER + 384 + 4 + 128 + 384 + 64 + 1, 0xff, "is cut" },
	};
	struct trial t;
	struct attest_quote q;
	trial_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		struct err e = { 0 };
		uint8_t old = t.v3.ptr[c[i].at];
		t.v3.ptr[c[i].at] = c[i].value;
		CHECK(!attest_quote_parse(buf_bytes(&t.v3), &q, &e));
		CHECK_HAS(e.text, c[i].says);
		t.v3.ptr[c[i].at] = old;
	}
	for (unsigned kind = 0; kind < 8; kind++) {
		/* Version 5 names its body; each has one length. */
		t.v5.ptr[HEADER] = (uint8_t)kind;
		CHECK(attest_quote_parse(buf_bytes(&t.v5), &q, NULL) ==
			(kind == SGX_BODY_TD15));
	}
	trial_fini(&t);
}
