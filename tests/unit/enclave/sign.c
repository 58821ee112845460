/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/sign.h"

#include "../test.h"
#include "attest/measure_sgx.h"

/* A key that went through a file. */
static struct crypto_rsa3 *key(void)
{
	struct crypto_rsa3 *k, *again;
	struct err e = { 0 };
	auto_buf pem = { .len = 0 };
	CHECK(crypto_rsa3_generate(&k, &e));
	CHECK(crypto_rsa3_write(k, &pem, &e));
	CHECK(crypto_rsa3_read(buf_bytes(&pem), &again, &e));
	crypto_rsa3_free(k);
	return again;
}

static void read_one(const struct sgx_sigstruct *s,
	struct attest_sigstruct *out)
{
	struct err e = { 0 };
	if (!attest_sigstruct_check(bytes_of(s, sizeof *s), out, &e))
		fail_msg("%s", e.text);
}

TEST(sign_makes_what_a_verifier_reads)
{
	struct crypto_rsa3 *k = key();
	struct err e = { 0 };
	static struct sgx_sigstruct s;
	struct attest_sigstruct read;
	uint8_t m[32], signer[32];
	memset(m, 0x5c, sizeof m);
	CHECK(enclave_sign_keep(k, m, &s, &e));
	CHECK(enclave_signer(k, signer, &e));
	read_one(&s, &read);
	CHECK_MEM(read.mrenclave, m, sizeof m);
	CHECK_MEM(read.mrsigner, signer, sizeof signer);
	CHECK_INT(read.isvprodid, ENCLAVE_PRODUCT);
	CHECK_INT(read.isvsvn, ENCLAVE_SVN);
	/* No debugger, and EINIT looks. */
	CHECK_INT(read.attributes[0], SGX_FLAG_MODE64BIT);
	CHECK(read.attribute_mask[0] & SGX_FLAG_DEBUG);
	/* A day that there is. */
	CHECK(read.date > 0x20250101 && read.date < 0x21000101);
	for (uint32_t d = read.date; d; d >>= 4)
		CHECK((d & 15) < 10);
	crypto_rsa3_free(k);
}

TEST(sign_leaves_what_somebody_else_wrote)
{
	struct crypto_rsa3 *k = key();
	struct err e = { 0 };
	static struct sgx_sigstruct s;
	struct attest_sigstruct read;
	uint8_t m[32] = { 1 };
	CHECK(enclave_sign_keep(k, m, &s, &e));
	s.isvprodid = 7;
	s.date = 0x20261125;
	s.attributes |= SGX_FLAG_DEBUG;
	CHECK(!attest_sigstruct_check(bytes_of(&s, sizeof s), &read, &e));
	CHECK(enclave_sign(k, &s, &e));
	read_one(&s, &read);
	CHECK_INT(read.isvprodid, 7);
	CHECK_INT(read.date, 0x20261125);
	CHECK_INT(read.attributes[0], SGX_FLAG_MODE64BIT | SGX_FLAG_DEBUG);
	crypto_rsa3_free(k);
}
