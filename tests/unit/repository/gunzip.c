/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "repository/package.h"

#include "../test.h"

static struct err e;

/* n zeros as gzip. */
static void pack(struct buf *b, size_t n)
{
	z_stream z = { 0 };
	uint8_t *zeros = calloc(1, n + 1), *out = malloc(n + 1024);
	CHECK(zeros && out);
	CHECK(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9,
		      Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = zeros;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)n + 1024;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	buf_put(b, bytes_of(out, z.total_out));
	deflateEnd(&z);
	free(zeros);
	free(out);
}

static bool unpack(struct bytes in, uint64_t max, uint64_t *size)
{
	auto_fd fd = memfd_create("out", MFD_CLOEXEC);
	const struct repository_source s = { -1, in, in.len };
	bool ok = repository_gunzip(&s, fd, max, size, &e);
	CHECK(lseek(fd, 0, SEEK_END) <= (off_t)max);
	return ok;
}

TEST(what_was_packed_is_unpacked)
{
	auto_buf b = { 0 };
	uint64_t size;
	pack(&b, 1000000);
	CHECK(unpack(buf_bytes(&b), 1000000, &size));
	CHECK_INT(size, 1000000);
}

TEST(a_bomb_does_not_go_off)
{
	auto_buf b = { 0 };
	uint64_t size;
	pack(&b, 10000000);
	CHECK(b.len < 20000);
	CHECK(!unpack(buf_bytes(&b), 1000000, &size));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_HAS(e.text, "when unpacked");
}

TEST(what_is_packed_too_tight_is_a_bomb_also_below_the_limit)
{
	auto_buf b = { 0 };
	uint64_t size;
	pack(&b, 80 << 20);
	CHECK(b.len < 200000);
	CHECK(!unpack(buf_bytes(&b), UINT64_C(1) << 32, &size));
	CHECK_HAS(e.text, "more than 67108864 bytes when unpacked");
}

TEST(every_truncation_and_trailing_bytes_are_refused)
{
	auto_buf b = { 0 };
	uint64_t size;
	pack(&b, 100);
	for (size_t n = 0; n < b.len; n++)
		CHECK(!unpack(bytes_of(b.ptr, n), 1000, &size));
	buf_u8(&b, 0);
	CHECK(!unpack(buf_bytes(&b), 1000, &size));
	CHECK_HAS(e.text, "behind");
}

TEST(a_wrong_checksum_is_refused)
{
	auto_buf b = { 0 };
	uint64_t size;
	pack(&b, 100);
	b.ptr[b.len - 6] ^= 1;
	CHECK(!unpack(buf_bytes(&b), 1000, &size));
}
