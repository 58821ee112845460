/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/zip.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#include "../test.h"

static struct err e;

/* --- archives as tests want them ------------------------------------------ */

struct entry {
	const char *name, *contents;
	bool deflated;
	uint16_t flags, method; /* method 0: as `deflated` says */
	unsigned mode;		/* of Unix; 0: not said */
};

struct made {
	struct buf all, directory;
	uint16_t count;
};

static size_t deflated(const char *text, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = NULL };
	auto_buf copy = { 0 };
	buf_str(&copy, text);
	CHECK(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, 0) == Z_OK);
	z.next_in = copy.ptr;
	z.avail_in = (uInt)strlen(text);
	z.next_out = to;
	z.avail_out = (uInt)room;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void both_heads(struct buf *b, const struct entry *x, size_t packed)
{
	size_t n = strlen(x->contents);
	buf_u16le(b, x->flags);
	buf_u16le(b, x->method ? x->method : x->deflated ? 8 : 0);
	buf_u32le(b, 0);
	buf_u32le(b, (uint32_t)crc32(0, (const Bytef *)x->contents, (uInt)n));
	buf_u32le(b, (uint32_t)packed);
	buf_u32le(b, (uint32_t)n);
	buf_u16le(b, (uint16_t)strlen(x->name));
}

static void put(struct made *m, const struct entry *x)
{
	uint8_t packed[4096];
	size_t at = m->all.len, n = strlen(x->contents);
	size_t len =
		x->deflated ? deflated(x->contents, packed, sizeof packed) : n;
	buf_u32le(&m->all, 0x04034b50);
	buf_u16le(&m->all, 20);
	both_heads(&m->all, x, len);
	buf_u16le(&m->all, 2); /* an extra field of its own */
	buf_str(&m->all, x->name);
	buf_str(&m->all, "xx");
	buf_put(&m->all,
		bytes_of(x->deflated ? (const void *)packed :
				       (const void *)x->contents,
			len));
	struct buf *d = &m->directory;
	buf_u32le(d, 0x02014b50);
	buf_u16le(d, x->mode ? 3 << 8 : 0);
	buf_u16le(d, 20);
	both_heads(d, x, len);
	buf_u16le(d, 0);
	buf_u16le(d, 0);
	buf_u32le(d, 0);
	buf_u32le(d, x->mode << 16);
	buf_u32le(d, (uint32_t)at);
	buf_str(d, x->name);
	m->count++;
}

static void finish(struct made *m, const char *comment)
{
	uint32_t at = (uint32_t)m->all.len;
	buf_put(&m->all, buf_bytes(&m->directory));
	buf_u32le(&m->all, 0x06054b50);
	buf_u32le(&m->all, 0);
	buf_u16le(&m->all, m->count);
	buf_u16le(&m->all, m->count);
	buf_u32le(&m->all, (uint32_t)m->directory.len);
	buf_u32le(&m->all, at);
	buf_u16le(&m->all, (uint16_t)strlen(comment));
	buf_str(&m->all, comment);
	buf_fini(&m->directory);
}

static bool unpack(struct bytes zip, struct repository_tar *t, int *fd)
{
	const struct repository_source s = { -1, zip, zip.len };
	*fd = memfd_create("zip", 0);
	CHECK(*fd >= 0);
	return repository_zip_unpack(&s, *fd, 1 << 20, t, &e);
}

/* Refused with these words. */
static void refused(const struct entry *x, size_t n, const char *why)
{
	struct made m = { 0 };
	struct repository_tar t = { 0 };
	int fd;
	for (size_t i = 0; i < n; i++)
		put(&m, &x[i]);
	finish(&m, "");
	if (unpack(buf_bytes(&m.all), &t, &fd))
		fail_msg("not refused: %s", why);
	CHECK_HAS(e.text, why);
	close(fd);
	buf_fini(&m.all);
}

static void made_well(struct made *m)
{
	static const struct entry list[] = {
		{ .name = "b.txt", .contents = "stored" },
		{ .name = "a/", .contents = "", .mode = 0040755 },
		{ .name = "a/c",
			.contents = "deflated deflated deflated",
			.deflated = true,
			.mode = 0100644 },
		{ .name = "empty", .contents = "" },
	};
	*m = (struct made){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		put(m, &list[i]);
	finish(m, "a comment");
}

/* --- what it does -----------------------------------------------------------
 */

TEST(files_and_folders_are_unpacked)
{
	struct made m;
	struct repository_tar t;
	char text[64] = "";
	int fd;
	made_well(&m);
	CHECK(repository_zip_is(buf_bytes(&m.all)));
	CHECK(!repository_zip_is(BYTES_LIT("PK")));
	CHECK(unpack(buf_bytes(&m.all), &t, &fd));
	CHECK_INT(t.count, 4);
	CHECK_STR(t.entries[0].path, "a");
	CHECK(t.entries[0].directory);
	const struct repository_tar_entry *c = repository_tar_find(&t, "a/c");
	CHECK_INT(c->size, 26);
	CHECK_INT(pread(fd, text, c->size, (off_t)c->at), 26);
	CHECK_STR(text, "deflated deflated deflated");
	const struct repository_tar_entry *b = repository_tar_find(&t, "b.txt");
	CHECK_INT(pread(fd, text, b->size, (off_t)b->at), 6);
	CHECK_MEM(text, "stored", 6);
	CHECK_INT(repository_tar_find(&t, "empty")->size, 0);
	repository_tar_fini(&t);
	close(fd);
	buf_fini(&m.all);
}

TEST(every_truncation_is_refused)
{
	struct made m;
	struct repository_tar t;
	int fd;
	made_well(&m);
	for (size_t n = 0; n < m.all.len; n++) {
		CHECK(!unpack(bytes_of(m.all.ptr, n), &t, &fd));
		close(fd);
	}
	buf_fini(&m.all);
}

TEST(every_changed_bit_is_refused_or_harmless)
{
	struct made m;
	struct repository_tar t;
	int fd;
	made_well(&m);
	for (size_t i = 0; i < m.all.len * 8; i++) {
		m.all.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
		if (unpack(buf_bytes(&m.all), &t, &fd))
			repository_tar_fini(&t);
		close(fd);
		m.all.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	buf_fini(&m.all);
}

TEST(what_is_no_file_or_folder_of_one_place_is_refused)
{
	static const struct {
		struct entry x;
		const char *why;
	} cases[] = {
		{ { .name = "../x", .contents = "" }, "../x" },
		{ { .name = "/x", .contents = "" }, "/x" },
		{ { .name = "l", .contents = "b", .mode = 0120777 },
			"neither a file nor a folder" },
		{ { .name = "f", .contents = "", .mode = 0010644 },
			"neither a file nor a folder" },
		{ { .name = "d/", .contents = "", .mode = 0100644 },
			"neither a file nor a folder" },
		{ { .name = "s", .contents = "x", .flags = 1 }, "encrypted" },
		{ { .name = "m", .contents = "x", .method = 12 }, "method 12" },
		{ { .name = "d/", .contents = "x" }, "two sizes" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refused(&cases[i].x, 1, cases[i].why);
	static const struct entry twice[] = { { .name = "x", .contents = "1" },
		{ .name = "x", .contents = "2" } };
	refused(twice, 2, "x");
	static const struct entry under[] = { { .name = "x", .contents = "1" },
		{ .name = "x/y", .contents = "2" } };
	refused(under, 2, "x");
}

TEST(a_wrong_checksum_is_refused)
{
	struct made m;
	struct repository_tar t;
	int fd;
	made_well(&m);
	uint8_t *at = memmem(m.all.ptr, m.all.len, "stored", 6);
	CHECK(at != NULL);
	at[0] ^= 1;
	CHECK(!unpack(buf_bytes(&m.all), &t, &fd));
	CHECK_STR(e.text, "zip: b.txt: its checksum is wrong");
	close(fd);
	buf_fini(&m.all);
}

TEST(more_than_may_be_is_refused)
{
	struct made m = { 0 };
	struct repository_tar t;
	struct entry x = { .name = "x", .contents = "0123456789" };
	put(&m, &x);
	finish(&m, "");
	const struct repository_source s = { -1, buf_bytes(&m.all), m.all.len };
	auto_fd fd = memfd_create("zip", 0);
	CHECK(!repository_zip_unpack(&s, fd, 9, &t, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK(repository_zip_unpack(&s, fd, 10, &t, &e));
	repository_tar_fini(&t);
	buf_fini(&m.all);
}
