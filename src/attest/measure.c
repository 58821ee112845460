/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure.h"

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

static bool measure_file(const char *path, uint8_t out[64], size_t *len,
	struct err *e)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return err_fail(e, ERR_HOST, "open %s: %s", path,
			strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_fail(e, ERR_HOST, "%s: not a file", path);
	struct crypto_hash *h;
	if (!crypto_hash_new(CRYPTO_SHA384, &h, e))
		return false;
	bool ok = add_file(h, fd, path, e) && crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	*len = CRYPTO_SHA384_BYTES;
	return ok;
}

bool attest_measure(const char *technology, const char *image_dir,
	uint8_t out[64], size_t *len, struct err *e)
{
	auto_buf path = { 0 };
	uint8_t value[64] = { 0 };
	size_t n = 0;
	if (strcmp(technology, "process") != 0)
		return err_fail(e, ERR_INPUT,
			"measure: unknown technology, expected process");
	if (!buf_fmt(&path, "%s/process/exec", image_dir))
		return err_fail(e, ERR_LIMIT, "measure: out of memory");
	if (!measure_file(buf_cstr(&path), value, &n, e))
		return err_wrap(e, "measure %s", technology);
	memcpy(out, value, n);
	*len = n;
	return true;
}
