/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

#include "../test.h"

static struct err e;

/* --- archives as tests want them -------------------------------------------
 */

struct entry {
	const char *name;
	char type;
	const char *contents;
	const char *link;
};

static void put_octal(uint8_t *f, size_t n, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof text, "%0*llo", (int)n - 1,
		(unsigned long long)v);
	memcpy(f, text, n);
}

static void seal(uint8_t h[512])
{
	unsigned sum = 0;
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += h[i];
	put_octal(h + 148, 7, sum);
}

static void put_head(struct buf *b, const char *name, char type, uint64_t size,
	const char *link)
{
	uint8_t h[512] = { 0 };
	memcpy(h, name, size_min(strlen(name), 100));
	put_octal(h + 100, 8, 0644);
	put_octal(h + 108, 8, 0);
	put_octal(h + 116, 8, 0);
	put_octal(h + 124, 12, size);
	put_octal(h + 136, 12, 0);
	h[156] = (uint8_t)type;
	if (link)
		memcpy(h + 157, link, strlen(link));
	memcpy(h + 257, "ustar\00000", 8);
	seal(h);
	buf_put(b, BYTES_ARRAY(h));
}

static void put(struct buf *b, const struct entry *x)
{
	static const uint8_t zeros[512];
	size_t n = x->contents ? strlen(x->contents) : 0;
	put_head(b, x->name, x->type, n, x->link);
	buf_put(b, bytes_of(x->contents, n));
	buf_put(b, bytes_of(zeros, (512 - n % 512) % 512));
}

static void end(struct buf *b)
{
	static const uint8_t zeros[1024];
	buf_put(b, BYTES_ARRAY(zeros));
}

static bool read_tar(const struct buf *b, struct repository_tar *t)
{
	const struct repository_source s = { -1, buf_bytes(b), b->len };
	e = (struct err){ 0 };
	return repository_tar_index(&s, t, &e);
}

static bool takes(const struct entry *list, size_t count)
{
	auto_buf b = { 0 };
	struct repository_tar t = { 0 };
	for (size_t i = 0; i < count; i++)
		put(&b, &list[i]);
	end(&b);
	bool ok = read_tar(&b, &t);
	repository_tar_fini(&t);
	return ok;
}

#define TAKES(...)                                              \
	takes((const struct entry[]){ __VA_ARGS__ },            \
		sizeof((const struct entry[]){ __VA_ARGS__ }) / \
			sizeof(struct entry))

#define REFUSES(why, ...)                   \
	do {                                \
		CHECK(!TAKES(__VA_ARGS__)); \
		CHECK_HAS(e.text, why);     \
	} while (0)

/* --- reading -----------------------------------------------------------------
 */

TEST(files_and_folders_are_listed_in_order)
{
	auto_buf b = { 0 };
	struct repository_tar t;
	put(&b, &(struct entry){ "./", '5', NULL, NULL });
	put(&b, &(struct entry){ "./b/", '5', NULL, NULL });
	put(&b, &(struct entry){ "./b/x", '0', "hello", NULL });
	put(&b, &(struct entry){ "a.txt", '\0', "", NULL });
	end(&b);
	if (!read_tar(&b, &t))
		fail_msg("%s", e.text);
	CHECK_INT(t.count, 3);
	CHECK_STR(t.entries[0].path, "a.txt");
	CHECK_STR(t.entries[1].path, "b");
	CHECK(t.entries[1].directory);
	CHECK_STR(t.entries[2].path, "b/x");
	CHECK_INT(t.entries[2].size, 5);
	CHECK_MEM(b.ptr + t.entries[2].at, "hello", 5);
	CHECK(repository_tar_find(&t, "b/x") == &t.entries[2]);
	CHECK(!repository_tar_find(&t, "b/y"));
	repository_tar_fini(&t);
}

TEST(names_that_lead_out_are_refused)
{
	REFUSES("..", { "../a", '0', "x", NULL });
	REFUSES("..", { "a/../../b", '0', "x", NULL });
	REFUSES("absolute", { "/etc/passwd", '0', "x", NULL });
	REFUSES("absolute", { "a//b", '0', "x", NULL });
	REFUSES("backslash", { "..\\a", '0', "x", NULL });
	REFUSES("UTF-8", { "a\xff", '0', "x", NULL });
	REFUSES("control", { "a\033[2J", '0', "x", NULL });
}

TEST(whatever_is_neither_file_nor_folder_is_refused_by_its_name)
{
	REFUSES("symbolic link", { "l", '2', NULL, "/etc/passwd" });
	REFUSES("hard link", { "l", '1', NULL, "a" });
	REFUSES("device", { "d", '3', NULL, NULL });
	REFUSES("device", { "d", '4', NULL, NULL });
	REFUSES("pipe", { "p", '6', NULL, NULL });
	REFUSES("sparse", { "s", 'S', NULL, NULL });
	REFUSES("neither", { "v", 'V', NULL, NULL });
	REFUSES("with contents", { "d/", '5', "x", NULL });
}

TEST(one_name_twice_is_refused_also_when_only_case_differs)
{
	REFUSES("twice", { "a", '0', "x", NULL }, { "a", '0', "y", NULL });
	REFUSES("twice", { "a", '0', "x", NULL }, { "./a", '0', "y", NULL });
	REFUSES("case", { "Readme", '0', "x", NULL },
		{ "README", '0', "y", NULL });
	REFUSES("case", { "Dir/a", '0', "x", NULL },
		{ "dir/b", '0', "y", NULL });
	REFUSES("case", { "\xc3\x84", '0', "x", NULL },
		{ "\xc3\xa4", '0', "y", NULL });
	CHECK(TAKES({ "d/a", '0', "x", NULL }, { "d/b", '0', "y", NULL },
		{ "d/", '5', NULL, NULL }));
}

TEST(a_file_is_no_folder)
{
	REFUSES("a file and a folder", { "a", '0', "x", NULL },
		{ "a/b", '0', "y", NULL });
	REFUSES("a file and a folder", { "a/b", '0', "x", NULL },
		{ "a.b", '0', "z", NULL }, { "a", '0', "y", NULL });
}

TEST(nesting_is_bounded)
{
	char name[100] = "";
	for (size_t i = 0; i < REPOSITORY_TAR_MAX_DEPTH; i++)
		memcpy(name + 2 * i, "d/", 3);
	name[2 * REPOSITORY_TAR_MAX_DEPTH - 1] = '\0';
	CHECK(TAKES({ name, '0', "x", NULL }));
	memcpy(name + 2 * REPOSITORY_TAR_MAX_DEPTH - 1, "/x", 3);
	REFUSES("nested", { name, '0', "x", NULL });
}

TEST(every_truncation_is_refused)
{
	auto_buf b = { 0 };
	struct repository_tar t;
	put(&b, &(struct entry){ "a", '0', "hello", NULL });
	size_t whole = b.len;
	end(&b);
	for (size_t n = 0; n < whole + 512; n++) {
		const struct repository_source s = { -1, bytes_of(b.ptr, n),
			n };
		if (repository_tar_index(&s, &t, &e))
			fail_msg("%zu bytes were taken", n);
	}
}

TEST(every_flipped_bit_of_a_head_is_noticed)
{
	auto_buf b = { 0 };
	struct repository_tar t;
	put(&b, &(struct entry){ "a", '0', "hello", NULL });
	end(&b);
	for (size_t i = 0; i < 512 * 8; i++) {
		b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
		bool ok = read_tar(&b, &t);
		/* A zero of the checksum's own field may become a blank. */
		if (ok && (i / 8 < 148 || i / 8 >= 156))
			fail_msg("bit %zu", i);
		if (ok)
			repository_tar_fini(&t);
		b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

TEST(bytes_behind_the_end_are_refused)
{
	auto_buf b = { 0 };
	struct repository_tar t;
	put(&b, &(struct entry){ "a", '0', "x", NULL });
	end(&b);
	end(&b);
	CHECK(read_tar(&b, &t));
	repository_tar_fini(&t);
	b.ptr[b.len - 1] = 1;
	CHECK(!read_tar(&b, &t));
	CHECK_HAS(e.text, "behind");
}

TEST(a_size_beyond_the_archive_is_refused)
{
	auto_buf b = { 0 };
	struct repository_tar t;
	put_head(&b, "a", '0', UINT64_C(1) << 32, NULL);
	end(&b);
	CHECK(!read_tar(&b, &t));
	CHECK_HAS(e.text, "cut short");
}

TEST(long_names_of_gnu_and_pax_are_read)
{
	char name[200], record[256], expect[200];
	auto_buf b = { 0 };
	struct repository_tar t;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	memcpy(expect, name, sizeof name);
	put(&b, &(struct entry){ "././@LongLink", 'L', name, NULL });
	put(&b, &(struct entry){ "nnn", '0', "x", NULL });
	name[0] = 'p';
	snprintf(record, sizeof record, "209 path=%s\n", name);
	CHECK_INT(strlen(record), 209);
	put(&b, &(struct entry){ "pax", 'x', record, NULL });
	put(&b, &(struct entry){ "ppp", '0', "y", NULL });
	end(&b);
	if (!read_tar(&b, &t))
		fail_msg("%s", e.text);
	CHECK_INT(t.count, 2);
	CHECK_STR(t.entries[0].path, expect);
	CHECK_STR(t.entries[1].path, name);
	repository_tar_fini(&t);
}

TEST(pax_headers_cannot_smuggle_paths)
{
	REFUSES("..", { "pax", 'x', "16 path=../evil\n", NULL },
		{ "good", '0', "x", NULL });
	REFUSES("pax", { "pax", 'x', "99 path=a\n", NULL },
		{ "good", '0', "x", NULL });
	REFUSES("pax", { "pax", 'x', "path=a\n", NULL },
		{ "good", '0', "x", NULL });
	REFUSES("pax", { "pax", 'g', "9 path=a\n", NULL },
		{ "good", '0', "x", NULL });
	REFUSES("sparse", { "pax", 'x', "22 GNU.sparse.major=1\n", NULL },
		{ "good", '0', "x", NULL });
	CHECK(TAKES({ "pax", 'g', "13 comment=a\n", NULL },
		{ "good", '0', "x", NULL }));
}

/* --- writing
 * ------------------------------------------------------------------ */

static void write_some(int fd)
{
	struct repository_tar_writer w = { .fd = fd };
	char deep[300];
	memset(deep, 'x', sizeof deep);
	for (size_t i = 90; i < sizeof deep; i += 90)
		deep[i] = '/';
	deep[sizeof deep - 1] = '\0';
	CHECK(repository_tar_entry(&w, "d", true, 0, &e));
	CHECK(repository_tar_entry(&w, "d/f", false, 3, &e));
	CHECK(repository_tar_data(&w, BYTES_LIT("abc"), &e));
	CHECK(repository_tar_pad(&w, &e));
	CHECK(repository_tar_entry(&w, deep, false, 1, &e));
	CHECK(repository_tar_data(&w, BYTES_LIT("z"), &e));
	CHECK(repository_tar_pad(&w, &e));
	CHECK(repository_tar_end(&w, &e));
}

TEST(what_is_written_is_read_again)
{
	auto_fd fd = memfd_create("tar", MFD_CLOEXEC);
	struct repository_tar t;
	write_some(fd);
	struct repository_source s = { .fd = fd };
	s.size = (uint64_t)lseek(fd, 0, SEEK_END);
	CHECK_INT(s.size % 512, 0);
	if (!repository_tar_index(&s, &t, &e))
		fail_msg("%s", e.text);
	CHECK_INT(t.count, 3);
	CHECK_STR(t.entries[1].path, "d/f");
	char got[3];
	CHECK(repository_source_read(&s, t.entries[1].at, got, 3, &e));
	CHECK_MEM(got, "abc", 3);
	CHECK_INT(strlen(t.entries[2].path), 299);
	repository_tar_fini(&t);
}

TEST(the_same_files_give_the_same_bytes)
{
	auto_fd a = memfd_create("a", MFD_CLOEXEC);
	auto_fd b = memfd_create("b", MFD_CLOEXEC);
	static uint8_t x[8192], y[8192];
	write_some(a);
	write_some(b);
	ssize_t n = pread(a, x, sizeof x, 0);
	CHECK(n > 2048 && n == pread(b, y, sizeof y, 0));
	CHECK_MEM(x, y, (size_t)n);
}
