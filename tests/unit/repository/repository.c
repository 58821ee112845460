/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/repository.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"

static const struct repository_config cfg = { .max_bytes = 10,
	.cancel_fd = -1 };

/* A file with n bytes; the caller removes it. */
static void make(char path[32], size_t n)
{
	memcpy(path, "/tmp/unit-repository-XXXXXX", 28);
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	CHECK(!ftruncate(fd, (off_t)n));
	close(fd);
}

TEST(file_is_read_up_to_its_limit_and_not_beyond)
{
	static const struct {
		size_t size;
		bool ok;
	} cases[] = { { 0, true }, { 1, true }, { 10, true }, { 11, false },
		{ 1 << 20, false } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[32];
		auto_buf out = { 0 };
		struct err e = { 0 };
		make(path, cases[i].size);
		CHECK_INT(repository_fetch(&cfg, path, &out, &e), cases[i].ok);
		if (cases[i].ok)
			CHECK_INT(out.len, cases[i].size);
		else
			CHECK_INT(e.kind, ERR_LIMIT);
		unlink(path);
	}
}

TEST(file_without_an_end_is_bounded_too)
{
	auto_buf out = { 0 };
	struct err e = { 0 };
	CHECK(!repository_read_file("/dev/zero", 1000, &out, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
}

TEST(file_that_is_not_there_is_named)
{
	auto_buf out = { 0 };
	struct err e = { 0 };
	CHECK(!repository_fetch(&cfg, "/nowhere/x.wasm", &out, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, "/nowhere/x.wasm");
	CHECK(!repository_fetch(&cfg, "/tmp", &out, &e));
	CHECK_INT(e.kind, ERR_INPUT);
}

TEST(reference_of_another_kind_is_refused_by_name)
{
	static const struct {
		const char *ref, *says;
	} cases[] = { { "oci://r/a:1", "OCI" }, { "http://h/x", "https://" },
		{ "ftp://h/x", "https://" }, { "file://h/x", "https://" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf out = { 0 };
		struct err e = { 0 };
		CHECK(!repository_fetch(&cfg, cases[i].ref, &out, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, cases[i].says);
	}
}

TEST(name_is_the_last_component)
{
	static const struct {
		const char *ref, *name;
	} cases[] = { { "x.wasm", "x.wasm" }, { "/a/b/x.wasm", "x.wasm" },
		{ "https://h/a/x.wasm?v=1#sha256=00", "x.wasm" },
		{ "https://h/a/", "a" }, { "a#b", "a#b" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes b = repository_name(cases[i].ref);
		print_message("%s\n", cases[i].ref);
		CHECK(bytes_equal(b, bytes_str(cases[i].name)));
	}
}
