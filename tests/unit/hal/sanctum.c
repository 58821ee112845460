/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/sanctum_priv.h"

#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "helpers/vm.h"
#include "spec/sanctum.h"

TEST(sanctum_keep_rings_and_goes_on_behind_the_answer)
{
	struct place p;
	char why[128] = "";
	struct err e = { 0 };
	place_open(&p, "sanctum", GUEST_RING);
	struct hal_keep *k = place_launch(&p);
	for (uint32_t seq = 1; seq <= 3; seq++) {
		CHECK(place_took(&p, k, why));
		struct gate_area *a = p.tech->area(k);
		CHECK_INT(a->request.seq, seq);
		a->reply = (struct gate_reply){ .seq = seq, .ret0 = seq * 3 };
		CHECK(p.tech->resume(k, &e));
	}
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(sanctum_keep_s_registers_are_as_they_were_behind_each_bell)
{
	struct place p;
	char why[128] = "";
	struct err e = { 0 };
	place_open(&p, "sanctum", GUEST_MARKS);
	struct hal_keep *k = place_launch(&p);
	for (uint32_t seq = 1; seq <= 3; seq++) {
		CHECK(place_took(&p, k, why));
		p.tech->area(k)->reply = (struct gate_reply){ .seq = seq };
		CHECK(p.tech->resume(k, &e));
	}
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(sanctum_keep_lives_on_memory_time_and_randomness)
{
	place_ends("sanctum", GUEST_LIVE, "exit status 0");
}

TEST(sanctum_keep_finds_the_walls_of_its_shim)
{
	place_ends("sanctum", GUEST_WALLS, "exit status 0");
}

TEST(sanctum_keep_may_use_all_memory_that_was_promised)
{
	place_ends("sanctum", GUEST_FULL, "exit status 0");
}

TEST(sanctum_says_how_a_keep_died)
{
	static const struct place_death d[] = {
		{ GUEST_QUIT, "exit status 7" },
		{ GUEST_NULL, "exception 15 at exec+0x" },
		{ GUEST_NULL, ", address in the null page" },
		{ GUEST_READ_SHIM, "exception 13 at exec+0x" },
		{ GUEST_WRITE_CODE, "exception 15 at exec+0x" },
		{ GUEST_WRITE_MADE, "exception 15 at exec+0x" },
		{ GUEST_RUN_DATA, "exception 12 at memory, address in memory" },
		{ GUEST_OVERFLOW, "exception 15 at exec+0x" },
		{ GUEST_UD, "exception 2 at exec+0x" },
		{ GUEST_HLT, "exception 2 at exec+0x" },
		{ GUEST_OUT, "exception 2 at exec+0x" },
		{ GUEST_RDMSR, "exception 2 at exec+0x" },
		{ GUEST_INT80, "exception 3 at exec+0x" },
	};
	place_dies("sanctum", d, ARRAY_LEN(d));
}

TEST(sanctum_keep_ends_when_it_is_told_to_whatever_it_does)
{
	struct place p;
	place_open(&p, "sanctum", GUEST_SPIN);
	struct hal_keep *k = place_launch(&p);
	usleep(50000);
	p.tech->destroy(k);
	place_close(&p);
}

/* Data of exec's own comes back signed, and no host was asked. */
TEST(sanctum_keep_has_its_evidence_from_the_monitor)
{
	struct place p;
	char why[128] = "";
	struct err e = { 0 };
	auto_buf evidence = { 0 }, endorsements = { 0 };
	place_open(&p, "sanctum", GUEST_QUOTE);
	struct hal_keep *k = place_launch(&p);
	CHECK(place_took(&p, k, why));
	struct gate_area *a = p.tech->area(k);
	CHECK_INT(a->request.op, GATE_EVIDENCE);
	CHECK_INT(a->request.data_len, SANCTUM_LONG_BYTES);
	CHECK(p.tech->evidence(k, bytes_of(a->data, SANCTUM_LONG_BYTES),
		&evidence, &endorsements, &e));
	CHECK_INT(evidence.len, SANCTUM_LONG_BYTES);
	CHECK_INT(endorsements.len, sizeof(struct sanctum_endorsements));
	CHECK(!p.tech->evidence(k, bytes_of(a->data, 575), &evidence,
		&endorsements, &e));
	a->reply = (struct gate_reply){ .seq = 1 };
	CHECK(p.tech->resume(k, &e));
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(sanctum_keep_larger_than_a_table_reaches_has_all_its_memory)
{
	struct place p;
	char why[128] = "";
	place_open(&p, "sanctum", GUEST_LIVE);
	p.cfg.boot.memory_bytes = 3ull << 30;
	struct hal_keep *k = place_launch(&p);
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(sanctum_keep_with_more_memory_than_there_are_addresses_is_refused)
{
	struct place p;
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	place_open(&p, "sanctum", GUEST_QUIT);
	p.cfg.boot.memory_bytes = 14ull << 30;
	CHECK(!p.tech->launch(&p.cfg, &k, &e));
	CHECK_STR(e.text,
		"launch sanctum: an enclave has at most 14270 MiB for its "
		"tenant");
	CHECK_INT(e.kind, ERR_INPUT);
	place_close(&p);
}

TEST(sanctum_launch_says_what_the_platform_lacks)
{
	struct place p;
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	place_open(&p, "sanctum", GUEST_QUIT);
	p.cfg.root_path = "/proc/self/nowhere/root.pem";
	CHECK(!p.tech->launch(&p.cfg, &k, &e));
	CHECK_HAS(e.text, "launch sanctum: software platform: software root");
	place_close(&p);
}
