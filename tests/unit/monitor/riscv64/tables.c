/* SPDX-License-Identifier: Apache-2.0 */
#include "helpers/bench.h"

#include "../../test.h"

static uint64_t entry(uint64_t va, unsigned level)
{
	uint64_t v, at = tables_entry(&bench.enclave[0], va, level);
	if (!at)
		return 0;
	memcpy(&v, bench_at(at), sizeof v);
	return v;
}

TEST(tables_lead_from_the_root_to_a_page)
{
	bench_load(STEPS);
	CHECK_INT(entry(BENCH_EV, 3), (BENCH_BASE + 0x2000) >> 2 | 1);
	CHECK_INT(entry(BENCH_EV, 2), (BENCH_BASE + 0x3000) >> 2 | 1);
	/* Valid, readable, executable, and used already. */
	CHECK_INT(entry(BENCH_EV + 0x5000, 1),
		(BENCH_BASE + 0x5000) >> 2 | 0x4b);
	CHECK_INT(entry(BENCH_EV + 0x6000, 1), 0);
}

TEST(tables_end_where_none_leads_on)
{
	bench_load(STEPS);
	CHECK(tables_entry(&bench.enclave[0], BENCH_EV, 1));
	CHECK(!tables_entry(&bench.enclave[0], BENCH_EV + 0x200000, 1));
	CHECK(tables_entry(&bench.enclave[0], BENCH_EV + 0x40000000, 3));
	CHECK(!tables_entry(&bench.enclave[0], BENCH_EV + 0x40000000, 2));
	bench_load(STEP_ROOT);
	CHECK(!tables_entry(&bench.enclave[0], BENCH_EV, 3));
}

TEST(tables_entries_are_written_once)
{
	bench_load(STEPS);
	struct enclave *v = &bench.enclave[0];
	uint64_t at = BENCH_BASE + 0x10000;
	CHECK(!tables_set(v, BENCH_EV + 0x5000, 0, at, SANCTUM_V | SANCTUM_R));
	CHECK(!tables_set(v, BENCH_EV, 1, at, SANCTUM_V));
	CHECK(tables_set(v, BENCH_EV + 0x6000, 0, at,
		SANCTUM_V | SANCTUM_R | SANCTUM_W));
	/* Written to already, too. */
	CHECK_INT(entry(BENCH_EV + 0x6000, 1), at >> 2 | 0xc7);
}
