/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random words from the processor's entropy source (RISC-V cryptography
 * extensions 1.0, §4, Zkr).  Each of its 16-bit words has at least 8 bits of
 * entropy; what is given out is SHA-512 over twice as many bits of it as are
 * used (§4.2, "Entropy Source Requirements": 2-to-1 conditioning).
 */
#include "arch/riscv64/csr.h"
#include "monitor/riscv64/monitor.h"

/* The states of a reading. */
enum { OPST_SHIFT = 30, BIST = 0, WAIT = 1, ES16 = 2 };
enum { WORDS = 32, GIVEN = 4, TRIES = 1 << 20 };

static bool seed_word(uint16_t *out)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t v = csr_swap(0x015, 0);
		unsigned state = v >> OPST_SHIFT & 3;
		*out = (uint16_t)v;
		if (state == ES16)
			return true;
		if (state != WAIT && state != BIST)
			return false;
	}
	return false;
}

static struct {
	uint64_t word[GIVEN];
	unsigned left;
	bool broken;
	uint16_t last;
	unsigned same;
} pool;

/* A source that is stuck is not used (NIST SP 800-90B, §4.4.1): four equal
 * words in a row come once in 2^48. */
static bool healthy(uint16_t word)
{
	pool.same = word == pool.last ? pool.same + 1 : 0;
	pool.last = word;
	return pool.same < 3;
}

static bool refill(void)
{
	uint16_t words[WORDS];
	uint8_t digest[HASH_BYTES];
	struct hash h;
	for (size_t i = 0; i < WORDS; i++)
		if (!seed_word(&words[i]) || !healthy(words[i]))
			return false;
	hash_init(&h);
	hash_add(&h, words, sizeof words);
	hash_end(&h, digest);
	memcpy(pool.word, digest, sizeof pool.word);
	pool.left = GIVEN;
	explicit_bzero(words, sizeof words);
	explicit_bzero(digest, sizeof digest);
	return true;
}

bool random_draw(uint64_t *out)
{
	if (pool.broken || (!pool.left && !refill())) {
		pool.broken = true;
		return false;
	}
	*out = pool.word[--pool.left];
	pool.word[pool.left] = 0;
	return true;
}
