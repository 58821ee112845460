/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include "../test.h"

/* NIST's gcmEncryptExtIV256, first of "Keylen = 256, IVlen = 96, PTlen = 128,
 * AADlen = 128, Taglen = 128" (CAVS 14.0). */
static const uint8_t key[32] = { 0x92, 0xe1, 0x1d, 0xcd, 0xaa, 0x86, 0x6f, 0x5c,
	0xe7, 0x90, 0xfd, 0x24, 0x50, 0x1f, 0x92, 0x50, 0x9a, 0xac, 0xf4, 0xcb,
	0x8b, 0x13, 0x39, 0xd5, 0x0c, 0x9c, 0x12, 0x40, 0x93, 0x5d, 0xd0,
	0x8b };
static const uint8_t iv[12] = { 0xac, 0x93, 0xa1, 0xa6, 0x14, 0x52, 0x99, 0xbd,
	0xe9, 0x02, 0xf2, 0x1a };
static const uint8_t plain[16] = { 0x2d, 0x71, 0xbc, 0xfa, 0x91, 0x4e, 0x4a,
	0xc0, 0x45, 0xb2, 0xaa, 0x60, 0x95, 0x5f, 0xad, 0x24 };
static const uint8_t aad[16] = { 0x1e, 0x08, 0x89, 0x01, 0x6f, 0x67, 0x60, 0x1c,
	0x8e, 0xbe, 0xa4, 0x94, 0x3b, 0xc2, 0x3a, 0xd6 };
static const uint8_t cipher[16] = { 0x89, 0x95, 0xae, 0x2e, 0x6d, 0xf3, 0xdb,
	0xf9, 0x6f, 0xac, 0x7b, 0x71, 0x37, 0xba, 0xe6, 0x7f };
static const uint8_t tag[16] = { 0xec, 0xa5, 0xaa, 0x77, 0xd5, 0x1d, 0x4a, 0x0a,
	0x14, 0xd9, 0xc5, 0x1e, 0x1d, 0xa4, 0x74, 0xab };

static struct crypto_gcm gcm(void)
{
	return (struct crypto_gcm){ key, iv, BYTES_ARRAY(aad) };
}

TEST(aead_seals_as_published)
{
	const struct crypto_gcm g = gcm();
	uint8_t out[16], t[16];
	CHECK(crypto_gcm_seal(&g, BYTES_ARRAY(plain), out, t, NULL));
	CHECK(!memcmp(out, cipher, sizeof out));
	CHECK(!memcmp(t, tag, sizeof t));
}

TEST(aead_opens_what_it_sealed_in_place)
{
	const struct crypto_gcm g = gcm();
	uint8_t out[16];
	memcpy(out, cipher, sizeof out);
	CHECK(crypto_gcm_open(&g, BYTES_ARRAY(out), out, tag, NULL));
	CHECK(!memcmp(out, plain, sizeof out));
}

TEST(aead_refuses_every_changed_bit_and_wipes)
{
	for (unsigned bit = 0; bit < 3 * 128; bit++) {
		uint8_t c[16], t[16], a[16], out[16];
		memcpy(c, cipher, 16);
		memcpy(t, tag, 16);
		memcpy(a, aad, 16);
		uint8_t *parts[] = { c, t, a };
		parts[bit / 128][bit % 128 / 8] ^= (uint8_t)(1u << bit % 8);
		struct crypto_gcm g = gcm();
		g.aad = BYTES_ARRAY(a);
		struct err e = { 0 };
		memset(out, 0xaa, sizeof out);
		CHECK(!crypto_gcm_open(&g, BYTES_ARRAY(c), out, t, &e));
		CHECK(e.kind == ERR_DENIED);
		CHECK(bytes_all_zero(BYTES_ARRAY(out)));
	}
}

TEST(aead_of_nothing_authenticates_what_goes_with_it)
{
	const struct crypto_gcm g = gcm();
	struct crypto_gcm other = gcm();
	uint8_t t[16], none[1];
	other.aad = BYTES_ARRAY(plain);
	CHECK(crypto_gcm_seal(&g, BYTES_NONE, none, t, NULL));
	CHECK(crypto_gcm_open(&g, BYTES_NONE, none, t, NULL));
	CHECK(!crypto_gcm_open(&other, BYTES_NONE, none, t, NULL));
}
