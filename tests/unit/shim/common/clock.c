/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/clock.h"

#include "../../test.h"

TEST(clock_counts_nanoseconds_of_any_frequency)
{
	static const uint32_t khz[] = { 100000, 999999, 2100000, 3400001,
		10000000 };
	for (size_t i = 0; i < ARRAY_LEN(khz); i++) {
		struct clock c;
		CHECK(clock_init(&c, 5000, khz[i], 0));
		CHECK_INT(clock_mono(&c, 5000), 0);
		/* A day, right to a millionth. */
		uint64_t day = 86400ull * 1000000000;
		uint64_t ns = clock_mono(&c, 5000 + 86400000ull * khz[i]);
		CHECK(ns <= day && day - ns < day / 1000000);
	}
}

TEST(clock_never_runs_backwards)
{
	struct clock c;
	CHECK(clock_init(&c, 1000, 1000000, 0));
	CHECK_INT(clock_mono(&c, 2000), 1000);
	CHECK_INT(clock_mono(&c, 1500), 1000);
	CHECK_INT(clock_mono(&c, 0), 1000);
	CHECK_INT(clock_mono(&c, 3000), 2000);
}

TEST(clock_adds_the_hour_it_was_told)
{
	struct clock c;
	CHECK(clock_init(&c, 0, 1000000, 1700000000000000000));
	CHECK_INT(clock_real(&c, 5), 1700000000000000005);
}

TEST(clock_refuses_frequencies_that_no_processor_has)
{
	struct clock c;
	CHECK(!clock_init(&c, 0, 0, 0));
	CHECK(!clock_init(&c, 0, CLOCK_MIN_KHZ - 1, 0));
	CHECK(!clock_init(&c, 0, CLOCK_MAX_KHZ + 1, 0));
}

TEST(clock_believes_the_processor_before_the_host)
{
	CHECK_INT(clock_khz(2, 84, 24000000, 1), 1008000);
	CHECK_INT(clock_khz(0, 84, 24000000, 2000000), 2000000);
	CHECK_INT(clock_khz(1, 1, 0, 2000000), 2000000);
	CHECK_INT(clock_khz(1, 1, CLOCK_MIN_KHZ * 1000, 1), CLOCK_MIN_KHZ);
	CHECK_INT(clock_khz(1, 1, CLOCK_MIN_KHZ * 1000 - 1, 7), 7);
	CHECK_INT(clock_khz(1, UINT32_MAX, UINT32_MAX, 7), 7);
}
