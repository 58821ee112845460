/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/hash.h"

enum { CHUNK = 4096, MAX_IMAGE = 64 << 20 };

static bool add_file(struct crypto_hash *h, int fd, const char *path,
	struct err *e)
{
	uint8_t chunk[CHUNK];
	for (size_t total = 0;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_HOST, "read %s: %s", path,
				strerror(errno));
		if (n == 0)
			return total ||
				err_fail(e, ERR_HOST, "%s: empty", path);
		total += (size_t)n;
		if (total > MAX_IMAGE)
			return err_fail(e, ERR_HOST,
				"%s: larger than an image can be", path);
		if (!crypto_hash_add(h, bytes_of(chunk, (size_t)n), e))
			return false;
	}
}

static bool open_image(const char *path, int *out, uint64_t *size,
	struct err *e)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return err_fail(e, ERR_HOST, "open %s: %s", path,
			strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_fail(e, ERR_HOST, "%s: not a file", path);
	*size = (uint64_t)st.st_size;
	*out = fd_move(&fd);
	return true;
}

/* `sized`: the file's length stands before its bytes. */
static bool add_image(struct crypto_hash *h, const char *path, bool sized,
	struct err *e)
{
	auto_fd fd = -1;
	uint64_t size;
	if (!open_image(path, &fd, &size, e))
		return false;
	uint64_t le = htole64(size);
	if (sized && !crypto_hash_add(h, bytes_of(&le, sizeof le), e))
		return false;
	return add_file(h, fd, path, e);
}

/* What is measured of a technology whose evidence is software's. */
struct measured {
	const char *technology;
	bool sized;
	const char *images[2]; /* in this order */
};

static const struct measured all[] = {
	{ "process", false, { "exec", NULL } },
	{ "kvm", true, { "shim", "exec" } },
};

static bool measure(const struct measured *m, const char *dir, uint8_t out[64],
	size_t *len, struct err *e)
{
	struct crypto_hash *h;
	if (!crypto_hash_new(CRYPTO_SHA384, &h, e))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(m->images) && m->images[i];
		i++) {
		auto_buf path = { 0 };
		ok = buf_fmt(&path, "%s/%s/%s", dir, m->technology,
			     m->images[i]) ||
			err_fail(e, ERR_LIMIT, "out of memory");
		ok = ok && add_image(h, buf_cstr(&path), m->sized, e);
	}
	ok = ok && crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	*len = CRYPTO_SHA384_BYTES;
	return ok;
}

bool attest_measure(const char *technology, const char *image_dir,
	uint8_t out[64], size_t *len, struct err *e)
{
	uint8_t value[64] = { 0 };
	size_t n = 0;
	const struct measured *m = NULL;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(technology, all[i].technology))
			m = &all[i];
	if (!m)
		return err_fail(e, ERR_INPUT,
			"measure: unknown technology, expected process or kvm");
	if (!measure(m, image_dir, value, &n, e))
		return err_wrap(e, "measure %s", technology);
	memcpy(out, value, n);
	*len = n;
	return true;
}
