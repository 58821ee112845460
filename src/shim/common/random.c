/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/random.h"

/* RDRAND has something within ten tries, or is broken (Intel SDM, volume 1,
 * §7.3.17.1); RDSEED may run dry for longer, and is then left out. */
enum { DRAW_TRIES = 10, SEED_TRIES = 32 };

/* Of 256 * 64 fair bits more than eight standard deviations (of 64) away from
 * half: once in 10^15 starts. */
enum { BITS_MEAN = RANDOM_START_WORDS * 32, BITS_OFF = 512 };

static bool try(bool (*get)(uint64_t *out), unsigned tries, uint64_t *out)
{
	for (unsigned i = 0; get && i < tries; i++)
		if (get(out))
			return true;
	return false;
}

/* Repetition count: two equal words in a row happen once in 2^64. */
static bool fresh(uint64_t word, uint64_t *last)
{
	bool ok = word != *last && word != 0 && word != UINT64_MAX;
	*last = word;
	return ok;
}

bool random_word(struct random_source *r, uint64_t *out)
{
	uint64_t draw = 0, seed = 0;
	if (r->failed || !try(r->draw, DRAW_TRIES, &draw) ||
		!fresh(draw, &r->last_draw)) {
		r->failed = true;
		return false;
	}
	if (try(r->seed, SEED_TRIES, &seed) && !fresh(seed, &r->last_seed)) {
		r->failed = true;
		return false;
	}
	*out = draw ^ seed;
	return true;
}

bool random_init(struct random_source *r, bool (*seed)(uint64_t *out),
	bool (*draw)(uint64_t *out), struct err *e)
{
	*r = (struct random_source){ .seed = seed, .draw = draw };
	int bits = 0;
	if (!draw)
		return err_fail(e, ERR_HOST, "no random generator (RDRAND)");
	for (unsigned i = 0; i < RANDOM_START_WORDS; i++) {
		uint64_t draws;
		/* Each on its own: mixed, one would hide the other. */
		if (!try(draw, DRAW_TRIES, &draws) ||
			!fresh(draws, &r->last_draw))
			return err_fail(e, ERR_HOST, "random generator stuck");
		for (; draws; draws &= draws - 1)
			bits++;
	}
	if (bits < BITS_MEAN - BITS_OFF || bits > BITS_MEAN + BITS_OFF)
		return err_fail(e, ERR_HOST, "random generator biased");
	return true;
}
