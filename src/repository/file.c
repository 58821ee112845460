/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "repository/package.h"

enum { BLOCK = 1 << 16 };

bool repository_read_fd(int fd, size_t max, struct buf *out, struct err *e)
{
	size_t begin = out->len, block = BLOCK;
	struct stat st;
	/* A regular file in one piece, and one byte more to see its end. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		if ((uint64_t)st.st_size > max)
			return err_fail(e, ERR_LIMIT, "larger than %zu bytes",
				max);
		block = (size_t)st.st_size + 1;
	}
	for (;;) {
		uint8_t *to = buf_reserve(out, block);
		if (!to)
			return err_fail(e, ERR_LIMIT, "no memory");
		ssize_t n = read(fd, to, block);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_INPUT, "%s", strerror(errno));
		if (!n)
			return true;
		buf_commit(out, (size_t)n);
		if (out->len - begin > max)
			return err_fail(e, ERR_LIMIT, "larger than %zu bytes",
				max);
		block = BLOCK;
	}
}

bool repository_read_file(const char *path, size_t max_bytes, struct buf *out,
	struct err *e)
{
	if (!strcmp(path, "-"))
		return repository_read_fd(STDIN_FILENO, max_bytes, out, e) ||
			err_wrap(e, "standard input");
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	return repository_read_fd(fd, max_bytes, out, e) ||
		err_wrap(e, "%s", path);
}
