/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"

bool file_write(int fd, struct bytes text)
{
	while (text.len) {
		ssize_t n = write(fd, text.ptr, text.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = bytes_from(text, (size_t)n);
	}
	return true;
}

bool file_replace(const char *path, mode_t mode, struct bytes text)
{
	char made[PATH_MAX];
	const char *slash = strrchr(path, '/'),
		   *name = slash ? slash + 1 : path;
	/* Hidden: who reads the folder meanwhile does not see half a file. */
	if (fmt(made, sizeof made, "%.*s.%s.XXXXXX", (int)(name - path), path,
		    name) >= sizeof made - 1) {
		errno = ENAMETOOLONG;
		return false;
	}
	auto_fd fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return false;
	if (file_write(fd, text) && !fchmod(fd, mode) && !fsync(fd) &&
		!rename(made, path))
		return true;
	int why = errno;
	unlink(made);
	errno = why;
	return false;
}

bool file_create(const char *path, mode_t mode, struct bytes text)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd >= 0 && file_write(fd, text);
}
