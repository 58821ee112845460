/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's curve25519.c and sha512.c, alone: of the rest of it they want the
 * few functions below, by which the former reaches the latter.  They are named
 * and typed as OpenSSL's headers do, which are not included: the object files
 * are all that is used.
 */
#include "monitor/riscv64/crypto.h"

#include "base/must.h"

struct sha512_state;
int SHA512_Init(struct sha512_state *s);
int SHA512_Update(struct sha512_state *s, const void *from, size_t n);
int SHA512_Final(uint8_t out[HASH_BYTES], struct sha512_state *s);

int ossl_ed25519_sign(uint8_t *signature, const uint8_t *message, size_t n,
	const uint8_t public[KEY_BYTES], const uint8_t seed[KEY_BYTES],
	void *library, const char *query);
int ossl_ed25519_public_from_private(void *library, uint8_t out[KEY_BYTES],
	const uint8_t seed[KEY_BYTES], const char *query);

static struct sha512_state *state_of(struct hash *h)
{
	return (struct sha512_state *)(void *)h->state;
}

void hash_init(struct hash *h)
{
	must(SHA512_Init(state_of(h)));
}

void hash_add(struct hash *h, const void *from, size_t n)
{
	must(SHA512_Update(state_of(h), from, n));
}

void hash_end(struct hash *h, uint8_t out[HASH_BYTES])
{
	must(SHA512_Final(out, state_of(h)));
	explicit_bzero(h, sizeof *h);
}

bool ed25519_public(const uint8_t seed[KEY_BYTES], uint8_t out[KEY_BYTES])
{
	return ossl_ed25519_public_from_private(NULL, out, seed, NULL) == 1;
}

bool ed25519_sign(const uint8_t seed[KEY_BYTES],
	const uint8_t public[KEY_BYTES], const void *message, size_t n,
	uint8_t out[SIGNATURE_BYTES])
{
	return ossl_ed25519_sign(out, message, n, public, seed, NULL, NULL) ==
		1;
}

/* --- what curve25519.c calls -------------------------------------------- */

struct digest; /* its EVP_MD: there is only one */

void *EVP_MD_fetch(void *library, const char *name, const char *query);
void EVP_MD_free(void *digest);
struct hash *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(struct hash *h);
int EVP_DigestInit_ex(struct hash *h, const void *digest, void *engine);
int EVP_DigestUpdate(struct hash *h, const void *from, size_t n);
int EVP_DigestFinal_ex(struct hash *h, uint8_t *out, unsigned *n);
int EVP_Digest(const void *from, size_t n, uint8_t *out, unsigned *out_n,
	const void *digest, void *engine);
void OPENSSL_cleanse(void *at, size_t n);
int CRYPTO_memcmp(const void *a, const void *b, size_t n);

/* One signature at a time: one processor, and no signature within another. */
static struct hash shared;

void *EVP_MD_fetch(void *library, const char *name, const char *query)
{
	(void)library;
	(void)query;
	must(!memcmp(name, "SHA512", 7));
	return &shared;
}

void EVP_MD_free(void *digest)
{
	(void)digest;
}

struct hash *EVP_MD_CTX_new(void)
{
	return &shared;
}

void EVP_MD_CTX_free(struct hash *h)
{
	if (h)
		explicit_bzero(h, sizeof *h);
}

int EVP_DigestInit_ex(struct hash *h, const void *digest, void *engine)
{
	(void)digest;
	(void)engine;
	hash_init(h);
	return 1;
}

int EVP_DigestUpdate(struct hash *h, const void *from, size_t n)
{
	hash_add(h, from, n);
	return 1;
}

int EVP_DigestFinal_ex(struct hash *h, uint8_t *out, unsigned *n)
{
	hash_end(h, out);
	if (n)
		*n = HASH_BYTES;
	return 1;
}

int EVP_Digest(const void *from, size_t n, uint8_t *out, unsigned *out_n,
	const void *digest, void *engine)
{
	(void)digest;
	(void)engine;
	hash_init(&shared);
	hash_add(&shared, from, n);
	return EVP_DigestFinal_ex(&shared, out, out_n);
}

void OPENSSL_cleanse(void *at, size_t n)
{
	explicit_bzero(at, n);
}

/* They were compiled to look for stacks that were written over: each start has
 * a value of its own (crypto_init). */
extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard;
NORETURN void __stack_chk_fail(void);

NORETURN void __stack_chk_fail(void)
{
	must_failed("stack", __FILE__, __LINE__);
}

void crypto_init(uint64_t random)
{
	__stack_chk_guard = random;
}

/* Takes as long whatever it finds. */
int CRYPTO_memcmp(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t difference = 0;
	while (n--)
		difference |= *x++ ^ *y++;
	return difference;
}
