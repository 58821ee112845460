/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "repository/path.h"
#include "repository/tar_priv.h"

/* APPNOTE 4.3.7, 4.3.12, 4.3.16 */
enum {
	LOCAL_BYTES = 30,
	CENTRAL_BYTES = 46,
	END_BYTES = 22,
	END_REACH = END_BYTES + 0xffff, /* with the longest comment */
	STORED = 0,
	DEFLATED = 8,
	FLAG_ENCRYPTED = 1,
	HOST_UNIX = 3,
	MODE_KIND = 0170000,
	MODE_FILE = 0100000,
	MODE_FOLDER = 0040000,
	BLOCK = 64 << 10,
	RATIO_MAX = 100,
};
#define LOCAL_MAGIC   0x04034b50u
#define CENTRAL_MAGIC 0x02014b50u
#define END_MAGIC     0x06054b50u
#define ALWAYS_FINE   (UINT64_C(64) << 20)

struct zip {
	const struct repository_source *s;
	struct repository_tar t;
	int fd;
	uint64_t at, max; /* of what is unpacked */
	struct buf directory;
	uint8_t in[BLOCK], out[BLOCK];
};

/* One entry of the central directory. */
struct entry {
	uint16_t made_by, flags, method;
	uint32_t crc, packed, size, attributes, local;
	struct bytes name;
};

bool repository_zip_is(struct bytes head)
{
	struct reader r = { .in = head };
	uint32_t magic = reader_u32le(&r);
	return !r.failed && (magic == LOCAL_MAGIC || magic == END_MAGIC);
}

/* --- the central directory ------------------------------------------------ */

/* Where the end record is: the last that is as long as it says. */
static bool find_end(const struct buf *tail, struct reader *out)
{
	for (size_t n = END_BYTES; n <= tail->len; n++) {
		struct reader r = { .in = bytes_of(tail->ptr + tail->len - n,
					    n) };
		if (reader_u32le(&r) != END_MAGIC)
			continue;
		*out = r;
		reader_take(&r, END_BYTES - 6);
		if (reader_u16le(&r) == n - END_BYTES)
			return true;
	}
	return false;
}

static bool read_directory(struct zip *z, uint16_t *count, struct err *e)
{
	auto_buf tail = { 0 };
	struct reader r = { 0 };
	size_t n = z->s->size < END_REACH ? (size_t)z->s->size : END_REACH;
	uint8_t *to = buf_reserve(&tail, n + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!repository_source_read(z->s, z->s->size - n, to, n, e))
		return false;
	buf_commit(&tail, n);
	if (!find_end(&tail, &r))
		return err_fail(e, ERR_INPUT, "cut short");
	uint16_t disk = reader_u16le(&r), begins = reader_u16le(&r);
	uint16_t here = reader_u16le(&r);
	*count = reader_u16le(&r);
	uint32_t size = reader_u32le(&r), at = reader_u32le(&r);
	if (disk || begins || here != *count || *count == UINT16_MAX)
		return err_fail(e, ERR_INPUT, "split, or of too many files");
	if (at > z->s->size || size > z->s->size - at)
		return err_fail(e, ERR_INPUT, "its directory lies outside");
	to = buf_reserve(&z->directory, (size_t)size + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!repository_source_read(z->s, at, to, size, e))
		return false;
	buf_commit(&z->directory, size);
	return true;
}

static bool read_entry(struct reader *r, struct entry *x, struct err *e)
{
	bool magic = reader_u32le(r) == CENTRAL_MAGIC;
	x->made_by = reader_u16le(r);
	reader_take(r, 2); /* needed version */
	x->flags = reader_u16le(r);
	x->method = reader_u16le(r);
	reader_take(r, 4); /* time, date */
	x->crc = reader_u32le(r);
	x->packed = reader_u32le(r);
	x->size = reader_u32le(r);
	uint16_t name = reader_u16le(r), extra = reader_u16le(r);
	uint16_t comment = reader_u16le(r);
	reader_take(r, 4); /* disk, internal attributes */
	x->attributes = reader_u32le(r);
	x->local = reader_u32le(r);
	x->name = reader_take(r, name);
	reader_take(r, (size_t)extra + comment);
	return (magic && !r->failed && name) ||
		err_fail(e, ERR_INPUT, "its directory can't be read");
}

static bool judge(const struct entry *x, bool folder, struct err *e)
{
	unsigned mode = x->made_by >> 8 == HOST_UNIX ? x->attributes >> 16 : 0;
	unsigned kind = mode & MODE_KIND;
	if (kind && kind != (folder ? MODE_FOLDER : MODE_FILE))
		return err_fail(e, ERR_INPUT, "neither a file nor a folder");
	if (x->flags & FLAG_ENCRYPTED)
		return err_fail(e, ERR_INPUT, "encrypted");
	if (x->method != STORED && x->method != DEFLATED)
		return err_fail(e, ERR_INPUT, "packed by method %u", x->method);
	if (x->packed == UINT32_MAX || x->size == UINT32_MAX ||
		x->local == UINT32_MAX)
		return err_fail(e, ERR_INPUT, "too large");
	if (folder ? x->size != 0 : x->method == STORED && x->size != x->packed)
		return err_fail(e, ERR_INPUT, "of two sizes");
	return true;
}

/* --- contents ---------------------------------------------------------------
 */

/* Where they begin: behind a second head, whose lengths are its own. */
static bool find_contents(struct zip *z, const struct entry *x, uint64_t *at,
	struct err *e)
{
	uint8_t head[LOCAL_BYTES];
	if (x->local > z->s->size || z->s->size - x->local < LOCAL_BYTES)
		return err_fail(e, ERR_INPUT, "lies outside");
	if (!repository_source_read(z->s, x->local, head, sizeof head, e))
		return false;
	struct reader r = { .in = BYTES_ARRAY(head) };
	bool magic = reader_u32le(&r) == LOCAL_MAGIC;
	reader_take(&r, LOCAL_BYTES - 8);
	uint64_t lengths = reader_u16le(&r);
	lengths += reader_u16le(&r);
	*at = x->local + LOCAL_BYTES + lengths;
	if (!magic || *at > z->s->size || x->packed > z->s->size - *at)
		return err_fail(e, ERR_INPUT, "lies outside");
	return true;
}

static bool put(struct zip *z, size_t n, uint32_t *crc, struct err *e)
{
	*crc = (uint32_t)crc32(*crc, z->out, (uInt)n);
	for (size_t done = 0; done < n;) {
		ssize_t w = pwrite(z->fd, z->out + done, n - done,
			(off_t)(z->at + done));
		if (w < 0 && errno != EINTR)
			return err_fail(e, ERR_HOST, "write: %s",
				strerror(errno));
		done += w > 0 ? (size_t)w : 0;
	}
	z->at += n;
	return z->at <= z->max ||
		err_fail(e, ERR_LIMIT, "more than %llu bytes when unpacked",
			(unsigned long long)z->max);
}

static bool copy(struct zip *z, const struct entry *x, uint64_t at,
	uint32_t *crc, struct err *e)
{
	for (uint64_t left = x->packed; left;) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;
		if (!repository_source_read(z->s, at, z->out, n, e) ||
			!put(z, n, crc, e))
			return false;
		at += n;
		left -= n;
	}
	return true;
}

static bool inflate_all(struct zip *z, z_stream *s, const struct entry *x,
	uint64_t at, uint32_t *crc, struct err *e)
{
	uint64_t left = x->packed, begin = z->at;
	for (int code = Z_OK; code != Z_STREAM_END;) {
		size_t n = left < BLOCK ? (size_t)left : BLOCK;
		if (!s->avail_in && n) {
			if (!repository_source_read(z->s, at, z->in, n, e))
				return false;
			s->next_in = z->in;
			s->avail_in = (uInt)n;
			at += n;
			left -= n;
		}
		s->next_out = z->out;
		s->avail_out = BLOCK;
		code = inflate(s, Z_NO_FLUSH);
		n = BLOCK - s->avail_out;
		if ((code != Z_OK && code != Z_STREAM_END) ||
			n > x->size - (z->at - begin))
			return err_fail(e, ERR_INPUT, "can't be unpacked");
		if (!put(z, n, crc, e))
			return false;
	}
	return (!s->avail_in && !left) ||
		err_fail(e, ERR_INPUT, "bytes behind its end");
}

static bool unpack(struct zip *z, const struct entry *x, struct err *e)
{
	uint64_t at, begin = z->at;
	uint32_t crc = 0;
	z_stream s = { .next_in = NULL };
	if (!find_contents(z, x, &at, e))
		return false;
	if (x->method == STORED) {
		if (!copy(z, x, at, &crc, e))
			return false;
	} else {
		if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
			return err_fail(e, ERR_LIMIT, "no memory");
		bool ok = inflate_all(z, &s, x, at, &crc, e);
		inflateEnd(&s);
		if (!ok)
			return false;
	}
	if (z->at - begin != x->size || crc != x->crc)
		return err_fail(e, ERR_INPUT, "its checksum is wrong");
	return true;
}

/* --- all of it ---------------------------------------------------------------
 */

static bool add(struct zip *z, const struct entry *x, struct err *e)
{
	bool folder = x->name.ptr[x->name.len - 1] == '/';
	struct repository_tar_entry *to = &z->t.entries[z->t.count];
	*to = (struct repository_tar_entry){ .directory = folder,
		.at = z->at,
		.size = x->size };
	if (memchr(x->name.ptr, 0, x->name.len))
		return err_fail(e, ERR_INPUT, "a name with NUL");
	to->path = strndup((const char *)x->name.ptr, x->name.len - folder);
	if (!to->path)
		return err_fail(e, ERR_LIMIT, "no memory");
	z->t.count++;
	return repository_path_ok(bytes_str(to->path), e) &&
		judge(x, folder, e) && (folder || unpack(z, x, e));
}

static bool run(struct zip *z, struct err *e)
{
	uint16_t count;
	struct entry x;
	if (!read_directory(z, &count, e))
		return false;
	struct reader r = { .in = buf_bytes(&z->directory) };
	z->t.entries = calloc((size_t)count + 1, sizeof *z->t.entries);
	if (!z->t.entries)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (uint16_t i = 0; i < count; i++) {
		if (!read_entry(&r, &x, e))
			return false;
		if (!add(z, &x, e))
			return err_wrap(e, "%.*s",
				(int)size_min(x.name.len, 100),
				(const char *)x.name.ptr);
	}
	return (reader_done(&r) ||
		       err_fail(e, ERR_INPUT, "bytes behind its directory")) &&
		repository_tar_check(&z->t, e);
}

bool repository_zip_unpack(const struct repository_source *s, int fd,
	uint64_t max, struct repository_tar *out, struct err *e)
{
	struct zip *z = calloc(1, sizeof *z);
	if (!z)
		return err_fail(e, ERR_LIMIT, "zip: no memory");
	z->s = s;
	z->fd = fd;
	z->max = s->size > max / RATIO_MAX ? max : s->size * RATIO_MAX;
	if (z->max < ALWAYS_FINE)
		z->max = ALWAYS_FINE < max ? ALWAYS_FINE : max;
	bool ok = run(z, e);
	if (ok)
		*out = z->t;
	else
		repository_tar_fini(&z->t);
	buf_fini(&z->directory);
	free(z);
	return ok || err_wrap(e, "zip");
}
