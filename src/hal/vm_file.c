/* SPDX-License-Identifier: Apache-2.0 */
/* What a host's operator puts beside the software root. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/vm_priv.h"

static bool read_file(int fd, const char *path, size_t most, struct buf *out,
	struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !st.st_size ||
		st.st_size > (off_t)most)
		return err_fail(e, ERR_HOST, "%s: not a file of that kind",
			path);
	uint8_t *to = buf_reserve(out, (size_t)st.st_size);
	if (!to)
		return err_fail(e, ERR_LIMIT, "%s: no memory", path);
	ssize_t n = read(fd, to, (size_t)st.st_size);
	if (n != st.st_size)
		return err_fail(e, ERR_HOST, "read %s: %s", path,
			n < 0 ? strerror(errno) : "it shrank");
	buf_commit(out, (size_t)n);
	return true;
}

void vm_beside_root(const struct hal_config *cfg, const char *name, char *out,
	size_t size)
{
	const char *slash = strrchr(cfg->root_path, '/');
	fmt(out, size, "%.*s%s", slash ? (int)(slash + 1 - cfg->root_path) : 0,
		cfg->root_path, name);
}

void vm_named_beside_root(const struct hal_config *cfg, const char *name,
	const char *otherwise, char *out, size_t size)
{
	char path[1024];
	vm_beside_root(cfg, name, path, sizeof path);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	size_t len = n > 0 ? (size_t)n : 0;
	while (len && (out[len - 1] == '\n' || out[len - 1] == ' '))
		len--;
	out[len] = '\0';
	if (!len)
		fmt(out, size, "%s", otherwise);
}

bool vm_file_lock(const struct hal_config *cfg, const char *name, size_t most,
	struct buf *out, int *lock, struct err *e)
{
	char path[4096];
	vm_beside_root(cfg, name, path, sizeof path);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
	if (lock && flock(fd, LOCK_SH | LOCK_NB) != 0)
		return err_fail(e, ERR_HOST, "%s: %s", path,
			errno == EWOULDBLOCK ? "is being replaced" :
					       strerror(errno));
	if (!read_file(fd, path, most, out, e))
		return false;
	if (lock)
		*lock = fd_move(&fd);
	return true;
}

bool vm_file_beside_root(const struct hal_config *cfg, const char *name,
	size_t most, struct buf *out, struct err *e)
{
	return vm_file_lock(cfg, name, most, out, NULL, e);
}
