/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/fmt.h"
#include "crypto/hash.h"
#include "repository/tar_priv.h"

bool repository_tar_data(struct repository_tar_writer *w, struct bytes in,
	struct err *e)
{
	if (w->hash && !crypto_hash_add(w->hash, in, e))
		return false;
	w->bytes += in.len;
	while (w->fd >= 0 && in.len) {
		ssize_t n = write(w->fd, in.ptr, in.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_HOST, "write: %s",
				strerror(errno));
		in = bytes_from(in, (size_t)n);
	}
	return true;
}

bool repository_tar_pad(struct repository_tar_writer *w, struct err *e)
{
	static const uint8_t zeros[TAR_BLOCK];
	size_t over = (size_t)(w->bytes % TAR_BLOCK);
	return !over ||
		repository_tar_data(w, bytes_of(zeros, TAR_BLOCK - over), e);
}

bool repository_tar_end(struct repository_tar_writer *w, struct err *e)
{
	static const uint8_t zeros[2 * TAR_BLOCK];
	return repository_tar_data(w, BYTES_ARRAY(zeros), e);
}

static void octal(uint8_t *field, size_t n, uint64_t v)
{
	field[n - 1] = '\0';
	for (size_t i = n - 1; i-- > 0; v >>= 3)
		field[i] = (uint8_t)('0' + (v & 7));
}

static bool put_head(struct repository_tar_writer *w, const char *name,
	size_t name_len, uint8_t type, uint64_t size, struct err *e)
{
	struct tar_head h = { .type = type,
		.magic = "ustar",
		.version = { '0', '0' } };
	memcpy(h.name, name, size_min(name_len, sizeof h.name));
	octal(h.mode, sizeof h.mode, type == '5' ? 0755 : 0644);
	octal(h.uid, sizeof h.uid, 0);
	octal(h.gid, sizeof h.gid, 0);
	octal(h.size, sizeof h.size, size);
	octal(h.mtime, sizeof h.mtime, 0);
	memset(h.checksum, ' ', sizeof h.checksum);
	const uint8_t *p = (const uint8_t *)&h;
	uint64_t sum = 0;
	for (size_t i = 0; i < sizeof h; i++)
		sum += p[i];
	octal(h.checksum, 7, sum);
	h.checksum[7] = ' ';
	return repository_tar_data(w, bytes_of(&h, sizeof h), e);
}

/* A record's length counts its own digits. */
static size_t record_len(size_t rest)
{
	size_t n = rest + 1;
	for (size_t v = 10; v <= n; v *= 10)
		n++;
	return n;
}

static void put_record(struct buf *b, const char *key, const char *value)
{
	size_t n = record_len(strlen(key) + strlen(value) + 3);
	buf_fmt(b, "%zu %s=%s\n", n, key, value);
}

/* What does not fit into the old header goes into one of its own. */
static bool put_extension(struct repository_tar_writer *w, const char *path,
	uint64_t size, struct err *e)
{
	auto_buf b = { 0 };
	if (strlen(path) > 100)
		put_record(&b, "path", path);
	if (size >> 33) {
		char text[24];
		fmt(text, sizeof text, "%llu", (unsigned long long)size);
		put_record(&b, "size", text);
	}
	if (!b.len && buf_ok(&b))
		return true;
	if (!buf_ok(&b))
		return err_fail(e, ERR_LIMIT, "no memory");
	return put_head(w, "pax", 3, 'x', b.len, e) &&
		repository_tar_data(w, buf_bytes(&b), e) &&
		repository_tar_pad(w, e);
}

bool repository_tar_entry(struct repository_tar_writer *w, const char *path,
	bool directory, uint64_t size, struct err *e)
{
	return put_extension(w, path, size, e) &&
		put_head(w, path, strlen(path), directory ? '5' : '0',
			size >> 33 ? 0 : size, e);
}
