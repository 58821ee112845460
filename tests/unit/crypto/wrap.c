/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/wrap.h"

#include "../test.h"

TEST(wrap_opens_what_was_sealed_for_it_by_its_public_half)
{
	struct crypto_wrap *k, *public, *back;
	auto_wipe_buf pem = { .len = 0 }, out = { .len = 0 };
	auto_buf pub = { .len = 0 }, sealed = { .len = 0 };
	struct err e = { 0 };
	CHECK(crypto_wrap_generate(&k, NULL));
	CHECK(crypto_wrap_write(k, true, &pem, NULL));
	CHECK(crypto_wrap_write(k, false, &pub, NULL));
	CHECK(crypto_wrap_read(buf_bytes(&pub), &public, NULL));
	CHECK(crypto_wrap_read(buf_bytes(&pem), &back, NULL));
	CHECK(crypto_wrap_seal(public, BYTES_LIT("key"), &sealed, NULL));
	CHECK(crypto_wrap_open(back, buf_bytes(&sealed), &out, NULL));
	CHECK(bytes_equal(buf_bytes(&out), BYTES_LIT("key")));
	CHECK(!crypto_wrap_open(public, buf_bytes(&sealed), &out, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	sealed.ptr[sealed.len - 1] ^= 1;
	CHECK(!crypto_wrap_open(back, buf_bytes(&sealed), &out, &e));
	crypto_wrap_free(k);
	crypto_wrap_free(public);
	crypto_wrap_free(back);
}

TEST(wrap_takes_no_key_that_is_none)
{
	struct crypto_wrap *k;
	struct err e = { 0 };
	CHECK(!crypto_wrap_read(BYTES_LIT("no key"), &k, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK(!crypto_wrap_read(BYTES_NONE, &k, &e));
}
