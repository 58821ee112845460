/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/enarx.h"

#include "codec/der_out.h"
#include "crypto/x509.h"

#include "../test.h"
#include "helpers/vectors.h"

#define SNP "open/snp/steward-milan-v2-authorkey.csr.der"
#define SGX "open/sgx/steward-icx-xeon.csr.der"

typedef bool enarx_read(struct attest_bundle *, struct bytes, struct err *);

static const struct form {
	const char *file, *oid;
	enarx_read *read;
	const char *what;
} forms[] = {
	{ SNP, ATTEST_OID_ENARX_SNP, attest_enarx_snp, "SNP evidence" },
	{ SGX, ATTEST_OID_ENARX_SGX, attest_enarx_sgx, "SGX evidence" },
};

/* The extension's value; false: no vectors. */
static bool value_of(const struct form *f, struct buf *value)
{
	auto_buf csr = { 0 };
	if (!vectors_read(f->file, &csr))
		return false;
	CHECK(crypto_request_ext(buf_bytes(&csr), f->oid, value, NULL));
	return true;
}

static bool reads(const struct form *f, struct bytes value, struct err *e)
{
	struct attest_bundle b = { 0 };
	bool ok = f->read(&b, value, e);
	if (ok)
		CHECK(b.evidence.len && b.endorsements.len);
	attest_bundle_fini(&b);
	return ok;
}

TEST(requests_of_enarx_are_refused_at_every_truncation_and_with_more)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct err e = { 0 };
		auto_buf v = { 0 };
		if (!value_of(&forms[i], &v))
			SKIP_TEST("no vectors: DONJON_SHARED is absent");
		CHECK(reads(&forms[i], buf_bytes(&v), &e));
		for (size_t n = 0; n < v.len; n++)
			CHECK(!reads(&forms[i], bytes_of(v.ptr, n), &e));
		CHECK_HAS(e.text, forms[i].what);
		CHECK(buf_u8(&v, 0));
		CHECK(!reads(&forms[i], buf_bytes(&v), &e));
	}
}

TEST(requests_of_one_technology_are_none_of_the_other)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct err e = { 0 };
		auto_buf v = { 0 };
		if (!value_of(&forms[i], &v))
			SKIP_TEST("no vectors: DONJON_SHARED is absent");
		CHECK(!reads(&forms[!i], buf_bytes(&v), &e));
	}
}

/* SGX's form with `n` revocation lists, none of which is one. */
static void put_lists(struct buf *out, size_t n)
{
	auto_buf in = { 0 }, one = { 0 }, list = { 0 }, tcb = { 0 };
	der_put(&in, DER_OCTET_STRING, BYTES_LIT("quote"));
	for (size_t i = 0; i < n; i++) {
		der_put(&one, 0x0c, BYTES_LIT("https://x/crl"));
		der_put(&one, DER_SEQUENCE, BYTES_NONE);
		der_wrap(&list, DER_SEQUENCE, &one);
	}
	der_wrap(&one, DER_SEQUENCE, &list);
	der_wrap(&in, DER_SEQUENCE, &one);
	der_put(&tcb, DER_SEQUENCE, BYTES_NONE);
	der_put(&tcb, DER_OCTET_STRING, BYTES_LIT("{}"));
	der_wrap(&in, DER_SEQUENCE, &tcb);
	CHECK(der_wrap(out, DER_SEQUENCE, &in));
}

TEST(requests_of_enarx_with_too_many_lists_are_refused)
{
	struct err e = { 0 };
	auto_buf many = { 0 };
	put_lists(&many, 10000);
	CHECK(!reads(&forms[1], buf_bytes(&many), &e));
	CHECK_HAS(e.text, "SGX evidence");
}
