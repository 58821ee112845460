/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "repository/package.h"
#include "repository/zip.h"

/* Unpacked, in this process' memory: not even a disk sees it. */
#define UNPACKED_MAX (UINT64_C(8) << 30)

static bool index_file(int fd, struct repository_tar *out, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st))
		return err_fail(e, ERR_HOST, "stat: %s", strerror(errno));
	const struct repository_source s = { .fd = fd,
		.size = (uint64_t)st.st_size };
	return repository_tar_index(&s, out, e);
}

static bool unpack(const struct repository_source *s, bool zip, int fd,
	struct repository_tar *out, struct err *e)
{
	uint64_t size;
	if (zip)
		return repository_zip_unpack(s, fd, UNPACKED_MAX, out, e);
	return repository_gunzip(s, fd, UNPACKED_MAX, &size, e) &&
		index_file(fd, out, e);
}

bool repository_archive_open(const char *path, struct repository_archive *out,
	struct err *e)
{
	uint8_t head[4] = { 0 };
	struct stat st;
	struct repository_archive a = { .fd = -1 };
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	const struct repository_source s = { .fd = fd,
		.size = (uint64_t)st.st_size };
	if (s.size >= sizeof head &&
		!repository_source_read(&s, 0, head, sizeof head, e))
		return false;
	bool zip = repository_zip_is(BYTES_ARRAY(head));
	if (!zip && (head[0] != 0x1f || head[1] != 0x8b)) {
		if (!repository_tar_index(&s, &a.index, e))
			return err_wrap(e,
				"%s: neither a folder nor an archive", path);
		a.fd = fd_move(&fd);
		*out = a;
		return true;
	}
	auto_fd plain = memfd_create("archive", MFD_CLOEXEC);
	if (plain < 0)
		return err_fail(e, ERR_HOST, "memfd: %s", strerror(errno));
	if (!unpack(&s, zip, plain, &a.index, e))
		return err_wrap(e, "%s", path);
	a.fd = fd_move(&plain);
	*out = a;
	return true;
}

void repository_archive_close(struct repository_archive *a)
{
	repository_tar_fini(&a->index);
	if (a->fd >= 0)
		close(a->fd);
	*a = (struct repository_archive){ .fd = -1 };
}
