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

int file_begin(const char *path, char *made, size_t size)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;
	/* Hidden: who reads all files of a folder takes no half of one. */
	if (fmt(made, size, "%.*s.%s.XXXXXX", folder, path, path + folder) >=
		size - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkostemp(made, O_CLOEXEC);
}

bool file_end(int fd, const char *made, bool whole, mode_t mode,
	const char *path)
{
	if (whole && !fchmod(fd, mode) && !fsync(fd) && !rename(made, path))
		return true;
	int why = errno;
	unlink(made);
	errno = why;
	return false;
}

bool file_replace(const char *path, mode_t mode, struct bytes text)
{
	char made[PATH_MAX];
	auto_fd fd = file_begin(path, made, sizeof made);
	return fd >= 0 && file_end(fd, made, file_write(fd, text), mode, path);
}

bool file_create(const char *path, mode_t mode, struct bytes text)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd >= 0 && file_write(fd, text);
}

bool file_own_folder(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	if (n < 0)
		return false;
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (!slash || (size_t)n == size - 1) {
		errno = ENAMETOOLONG;
		return false;
	}
	*slash = '\0';
	return true;
}
