/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include <stdio.h>

#include "../test.h"

static void check(const uint8_t *got, size_t n, const char *want)
{
	char hex[65];
	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", got[i]);
	CHECK_STR(hex, want);
}

/* RFC 4231, test cases 1, 2 and 6. */
TEST(mac_hmac_gives_known_values)
{
	uint8_t key[131], out[CRYPTO_HMAC_BYTES];
	struct err e = { 0 };
	memset(key, 0x0b, 20);
	CHECK(crypto_hmac(bytes_of(key, 20), BYTES_LIT("Hi There"), out, &e));
	check(out, sizeof out,
		"b0344c61d8db38535ca8afceaf0bf12b"
		"881dc200c9833da726e9376c2e32cff7");
	CHECK(crypto_hmac(BYTES_LIT("Jefe"),
		BYTES_LIT("what do ya want for nothing?"), out, &e));
	check(out, sizeof out,
		"5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	CHECK(crypto_hmac(BYTES_ARRAY(key),
		BYTES_LIT("Test Using Larger Than Block-Size Key - Hash Key "
			  "First"),
		out, &e));
	check(out, sizeof out,
		"60e431591ee0b67f0d8a26aacbf5b77f"
		"8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 4493, examples 1 and 2. */
TEST(mac_cmac_gives_known_values)
{
	static const uint8_t key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae,
		0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
	static const uint8_t block[16] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40,
		0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a };
	uint8_t out[CRYPTO_CMAC_BYTES];
	struct err e = { 0 };
	CHECK(crypto_cmac(key, BYTES_NONE, out, &e));
	check(out, sizeof out, "bb1d6929e95937287fa37d129b756746");
	CHECK(crypto_cmac(key, BYTES_ARRAY(block), out, &e));
	check(out, sizeof out, "070a16b46b4d4144f79bdd9dd04a287c");
}
