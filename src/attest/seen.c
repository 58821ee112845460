/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/seen.h"

#include "crypto/hash.h"
#include "crypto/key.h"

enum { P256_SPKI_BYTES = 91 };

bool attest_seen_has(const struct attest_seen *s, const uint8_t digest[32])
{
	for (size_t i = 0; s && i < s->count; i++)
		if (!memcmp(s->digest[i], digest, sizeof s->digest[i]))
			return true;
	return false;
}

void attest_seen_add(struct attest_seen *s, const uint8_t digest[32])
{
	if (!s)
		return;
	memcpy(s->digest[s->next], digest, sizeof s->digest[0]);
	s->next = (s->next + 1) % ATTEST_SEEN_MAX;
	if (s->count < ATTEST_SEEN_MAX)
		s->count++;
}

/* Each part with its length before it. */
static bool add(struct crypto_hash *h, struct bytes part)
{
	uint64_t len = part.len;
	return crypto_hash_add(h, bytes_of(&len, sizeof len), NULL) &&
		crypto_hash_add(h, part, NULL);
}

bool attest_seen_digest(struct bytes key, struct bytes message,
	struct bytes sig, uint8_t out[32])
{
	struct crypto_hash *h;
	if (!crypto_hash_new(CRYPTO_SHA256, &h, NULL))
		return false;
	bool ok = add(h, key) && add(h, message) && add(h, sig) &&
		crypto_hash_end(h, out, NULL);
	crypto_hash_free(h);
	return ok;
}

bool attest_seen_p256(struct attest_seen *s, struct bytes spki,
	struct bytes message, struct bytes sig, struct err *e)
{
	uint8_t digest[32];
	struct crypto_key *k = NULL;
	bool known = s && attest_seen_digest(spki, message, sig, digest);
	if (known && attest_seen_has(s, digest))
		return true;
	if (spki.len != P256_SPKI_BYTES)
		return err_fail(e, ERR_INPUT, "not a P-256 key");
	if (!crypto_key_from_spki(spki, &k, e))
		return false;
	bool ok = crypto_verify(k, message, sig, e);
	crypto_key_free(k);
	if (ok && known)
		attest_seen_add(s, digest);
	return ok;
}
