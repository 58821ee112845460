/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/random.h"

#include "../../test.h"

static uint64_t state;
static unsigned calls, dry;

/* splitmix64: fair bits. */
static bool fair(uint64_t *out)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	*out = z ^ (z >> 31);
	calls++;
	return true;
}

static bool fair_but_often_dry(uint64_t *out)
{
	return calls++ % 4 == 3 && fair(out);
}

static bool stuck(uint64_t *out)
{
	*out = 0x1234567890abcdef;
	return true;
}

static bool stuck_later(uint64_t *out)
{
	if (calls < 300)
		return fair(out);
	*out = 7;
	return true;
}

static bool all_ones(uint64_t *out)
{
	*out = UINT64_MAX;
	return true;
}

static bool never(uint64_t *out)
{
	(void)out;
	dry++;
	return false;
}

/* A third of the bits are missing. */
static bool biased(uint64_t *out)
{
	uint64_t a, b;
	fair(&a);
	fair(&b);
	*out = a & (b | 0x5555555555555555);
	return true;
}

static bool start(bool (*seed)(uint64_t *), bool (*draw)(uint64_t *),
	struct random_source *r, struct err *e)
{
	state = 1;
	calls = dry = 0;
	return random_init(r, seed, draw, e);
}

TEST(random_words_come_from_a_fair_generator)
{
	struct random_source r;
	struct err e = { 0 };
	uint64_t a, b;
	CHECK(start(fair, fair, &r, &e));
	CHECK(random_word(&r, &a) && random_word(&r, &b));
	CHECK(a != b);
	CHECK(start(NULL, fair, &r, &e));
	CHECK(random_word(&r, &a));
	CHECK(start(never, fair, &r, &e));
	CHECK(random_word(&r, &a));
	CHECK_INT(dry, 32);
}

TEST(random_waits_for_a_generator_that_is_slow)
{
	struct random_source r;
	struct err e = { 0 };
	uint64_t a;
	CHECK(start(NULL, fair_but_often_dry, &r, &e));
	CHECK(random_word(&r, &a));
}

TEST(random_refuses_a_generator_that_is_none)
{
	struct random_source r;
	struct err e = { 0 };
	CHECK(!start(fair, NULL, &r, &e));
	CHECK_HAS(e.text, "no random generator");
	CHECK(!start(NULL, never, &r, &e));
	CHECK(!start(NULL, stuck, &r, &e));
	CHECK_HAS(e.text, "stuck");
	CHECK(!start(NULL, all_ones, &r, &e));
	CHECK_HAS(e.text, "stuck");
	CHECK(!start(NULL, biased, &r, &e));
	CHECK_HAS(e.text, "biased");
}

TEST(random_generator_that_fails_is_never_used_again)
{
	struct random_source r;
	struct err e = { 0 };
	uint64_t a;
	bool ok = true;
	CHECK(start(NULL, stuck_later, &r, &e));
	for (unsigned i = 0; i < 100 && ok; i++)
		ok = random_word(&r, &a);
	CHECK(!ok);
	CHECK(r.failed);
	r.draw = fair;
	CHECK(!random_word(&r, &a));
}

TEST(random_seed_that_repeats_is_a_failure_too)
{
	struct random_source r;
	struct err e = { 0 };
	uint64_t a;
	CHECK(start(stuck, fair, &r, &e));
	CHECK(random_word(&r, &a));
	CHECK(!random_word(&r, &a));
	CHECK(r.failed);
}
