/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/clock.h"

#include "../test.h"

static uint64_t source_time;

static uint64_t source(void *ctx)
{
	(void)ctx;
	return source_time;
}

static struct keep_clock clock_at(uint64_t now)
{
	struct keep_clock c;
	source_time = now;
	keep_clock_init(&c, source, NULL);
	return c;
}

TEST(monotonic_time_counts_from_the_keeps_start)
{
	struct keep_clock c = clock_at(5000);
	CHECK_INT(keep_clock_mono(&c), 0);
	source_time = 5700;
	CHECK_INT(keep_clock_mono(&c), 700);
}

TEST(monotonic_time_never_goes_back_with_its_source)
{
	struct keep_clock c = clock_at(5000);
	source_time = 6000;
	CHECK_INT(keep_clock_mono(&c), 1000);
	source_time = 5500;
	CHECK_INT(keep_clock_mono(&c), 1000);
	source_time = 0;
	CHECK_INT(keep_clock_mono(&c), 1000);
	source_time = 6001;
	CHECK_INT(keep_clock_mono(&c), 1001);
}

TEST(real_time_is_the_tenants_counted_on)
{
	struct keep_clock c = clock_at(100);
	source_time = 400;
	keep_clock_set(&c, 1700000000000000000u);
	CHECK_INT(keep_clock_real(&c), 1700000000000000000u);
	source_time = 450;
	CHECK_INT(keep_clock_real(&c), 1700000000000000050u);
}

TEST(real_time_counts_from_1970_before_the_tenant_said_it)
{
	struct keep_clock c = clock_at(1700000000000000000u);
	CHECK_INT(keep_clock_real(&c), 0);
	source_time += 42;
	CHECK_INT(keep_clock_real(&c), 42);
}

TEST(real_time_stops_at_the_end_of_its_range)
{
	struct keep_clock c = clock_at(0);
	keep_clock_set(&c, UINT64_MAX - 5);
	source_time = 100;
	CHECK(keep_clock_real(&c) == UINT64_MAX);
}

TEST(a_sum_beyond_the_range_is_never)
{
	CHECK_INT(keep_clock_add(3, 4), 7);
	CHECK(keep_clock_add(UINT64_MAX, 1) == KEEP_CLOCK_NEVER);
	CHECK(keep_clock_add(5, UINT64_MAX) == KEEP_CLOCK_NEVER);
}

TEST(the_cpus_clock_moves_on)
{
	struct keep_clock c;
	keep_clock_init(&c, NULL, NULL);
	uint64_t before = keep_clock_mono(&c);
	while (keep_clock_mono(&c) == before)
		continue;
	CHECK(keep_clock_mono(&c) > before);
	CHECK(keep_clock_cpu() > 0);
}
