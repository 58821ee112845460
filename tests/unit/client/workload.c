/* SPDX-License-Identifier: Apache-2.0 */
#include "client/workload.h"

#include <stdlib.h>

#include "../test.h"

TEST(dir_reads_host_guest_and_mode)
{
	static const struct {
		const char *text, *host, *guest;
		bool writable;
	} cases[] = {
		{ "a::/b", "a", "/b", false },
		{ "a::/b:ro", "a", "/b", false },
		{ "a::/b:rw", "a", "/b", true },
		{ "/x:y::/b:rw", "/x:y", "/b", true },
		{ "./a::/", "./a", "/", false },
		{ "a::/b/c///", "a", "/b/c", false },
		{ "a:/b", "a", "/b", false },
		{ "a:/b:rw", "a", "/b", true },
		{ "a::/b.ro", "a", "/b.ro", false },
		{ "a::/..b/c..", "a", "/..b/c..", false },
		{ "a::b", "a", "b", false },
		{ "a::b/c:rw", "a", "b/c", true },
		{ "a::.", "a", ".", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_workload w = { 0 };
		struct err e = { 0 };
		print_message("%s\n", cases[i].text);
		CHECK(client_workload_dir(&w, cases[i].text, &e));
		CHECK_STR(w.mounts[0].host, cases[i].host);
		CHECK_STR(w.mounts[0].guest, cases[i].guest);
		CHECK_INT(w.mounts[0].writable, cases[i].writable);
		client_workload_fini(&w);
	}
}

TEST(dir_refuses_what_can_be_read_in_two_ways_or_in_none)
{
	static const char *const bad[] = { "", "a", "a::", "::/b", ":/b",
		"a:b:/c", "a::/b::/c", "a:::/b", "a:b", "a:.", "a::/b/../c",
		"a::/.", "a::..", "a::./b", "a::b/..", "a::b/./c", "a:rx",
		"a::/..", "a:ro", "a::/b:rx", "a:/b:/c:rw" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct client_workload w = { 0 };
		struct err e = { 0 };
		print_message("%s\n", bad[i]);
		CHECK(!client_workload_dir(&w, bad[i], &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_INT(w.mount_count, 0);
		client_workload_fini(&w);
	}
}

TEST(dir_refuses_a_second_directory_at_one_place)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	CHECK(client_workload_dir(&w, "a::/data", &e));
	CHECK(!client_workload_dir(&w, "b::/data/", &e));
	CHECK_HAS(e.text, "another directory");
	client_workload_fini(&w);
}

TEST(env_keeps_one_value_for_each_key)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	CHECK(client_workload_env(&w, "A=1", &e));
	CHECK(client_workload_env(&w, "AB=2", &e));
	CHECK(client_workload_env(&w, "A=3=4", &e));
	CHECK_INT(w.env.count, 2);
	CHECK_STR(w.env.ptr[0], "A=3=4");
	CHECK_STR(w.env.ptr[1], "AB=2");
	client_workload_fini(&w);
}

TEST(env_without_a_value_is_inherited)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	setenv("UNIT_GIVEN", "x y", 1);
	unsetenv("UNIT_ABSENT");
	CHECK(client_workload_env(&w, "UNIT_GIVEN", &e));
	CHECK_STR(w.env.ptr[0], "UNIT_GIVEN=x y");
	CHECK(!client_workload_env(&w, "UNIT_ABSENT", &e));
	CHECK_HAS(e.text, "UNIT_ABSENT");
	CHECK(!client_workload_env(&w, "=x", &e));
	client_workload_fini(&w);
}

TEST(memory_reads_units)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = { { "65536", 65536 }, { "64K", 65536 }, { "64KiB", 65536 },
		{ "64 KiB", 65536 }, { "1M", 1 << 20 },
		{ "2 GiB", UINT64_C(2) << 30 }, { "65536B", 65536 },
		{ "1T", UINT64_C(1) << 40 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client_workload w = { 0 };
		struct err e = { 0 };
		print_message("%s\n", cases[i].text);
		CHECK(client_workload_memory(&w, cases[i].text, &e));
		CHECK(w.memory_bytes == cases[i].bytes);
	}
	static const char *const bad[] = { "", "x", "-1", "1", "64Q", "64KB ",
		"18446744073709551616", "99999999999T", "64 K K", "1.5G" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct client_workload w = { 0 };
		struct err e = { 0 };
		print_message("%s\n", bad[i]);
		CHECK(!client_workload_memory(&w, bad[i], &e));
		CHECK_INT(e.kind, ERR_INPUT);
	}
}

TEST(time_reads_seconds)
{
	struct client_workload w = { 0 };
	struct err e = { 0 };
	CHECK(client_workload_time(&w, "1.5", &e));
	CHECK_INT(w.time_ns, 1500000000);
	CHECK(client_workload_time(&w, "2s", &e));
	CHECK_INT(w.time_ns, 2000000000);
	static const char *const bad[] = { "", "0", "-1", "nan", "inf", "1m",
		"1e99", "s" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		CHECK(!client_workload_time(&w, bad[i], &e));
	}
}
