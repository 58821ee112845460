/* SPDX-License-Identifier: Apache-2.0 */
#include "client/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "channel/frame.h"
#include "codec/hex.h"

enum { MAX_NAME = 255 };

void client_results_init(struct client_results *r,
	const struct client_workload *w)
{
	*r = (struct client_results){ .w = w, .dir_fd = -1, .fd = -1 };
}

static void forget(struct client_results *r)
{
	if (r->fd >= 0)
		close(r->fd);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	crypto_hash_free(r->hash);
	r->hash = NULL;
	r->fd = r->dir_fd = -1;
	r->temporary[0] = '\0';
}

void client_results_fini(struct client_results *r)
{
	if (r->dir_fd >= 0 && r->temporary[0])
		unlinkat(r->dir_fd, r->temporary, 0);
	forget(r);
}

static bool failed(const char *what, struct bytes path, struct err *e)
{
	return err_fail(e, ERR_HOST, "result %.*s: %s: %s",
		(int)size_min(path.len, 100), (const char *)path.ptr, what,
		strerror(errno));
}

/* The first component of *path, which then begins with the next one. */
static bool component(struct bytes *path, char name[MAX_NAME + 1],
	struct err *e)
{
	const uint8_t *slash = memchr(path->ptr, '/', path->len);
	size_t n = slash ? (size_t)(slash - path->ptr) : path->len;
	/* frame_file_parse refuses them already; this is where it matters. */
	bool dots =
		n <= 2 && n && path->ptr[0] == '.' && path->ptr[n - 1] == '.';
	if (!n || n > MAX_NAME || dots || memchr(path->ptr, 0, n))
		return err_fail(e, ERR_INPUT, "result: path refused");
	memcpy(name, path->ptr, n);
	name[n] = '\0';
	*path = bytes_from(*path, slash ? n + 1 : n);
	return true;
}

/* Opens the directory `name` below dir, making it; follows no link. */
static int enter(int dir, const char *name)
{
	static const int flags =
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, name, flags);
	if (fd < 0 && errno == ENOENT &&
		(!mkdirat(dir, name, 0777) || errno == EEXIST))
		fd = openat(dir, name, flags);
	return fd;
}

/* Walks to the last component's directory; `name` is that component. */
static bool walk(const char *host, struct bytes path, int *out,
	char name[MAX_NAME + 1], struct err *e)
{
	struct bytes rest = path;
	auto_fd dir = open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return failed(host, path, e);
	if (!component(&rest, name, e))
		return false;
	while (rest.len) {
		int next = enter(dir, name);
		if (next < 0)
			return failed(name, path, e);
		close(dir);
		dir = next;
		if (!component(&rest, name, e))
			return false;
	}
	*out = fd_move(&dir);
	return true;
}

/* Permissions of a file that is replaced stay; else the umask decides, and so
 * it does when they can't be set. */
static void keep_mode(int dir, const char *name, int fd)
{
	struct stat st;
	bool there = !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) &&
		S_ISREG(st.st_mode);
	int set = there ? fchmod(fd, st.st_mode & 0777) : 0;
	(void)set;
}

static bool finish(struct client_results *r, struct err *e)
{
	uint8_t sum[CRYPTO_SHA256_BYTES];
	struct bytes name = bytes_str(r->name);
	if (!crypto_hash_end(r->hash, sum, e))
		return false;
	if (!bytes_equal(BYTES_ARRAY(sum), BYTES_ARRAY(r->sha256)))
		return err_fail(e, ERR_HOST, "result %s: wrong digest",
			r->name);
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)(r->mtime_ns / 1000000000u),
			.tv_nsec = (long)(r->mtime_ns % 1000000000u) } };
	keep_mode(r->dir_fd, r->name, r->fd);
	if (futimens(r->fd, times) ||
		renameat(r->dir_fd, r->temporary, r->dir_fd, r->name))
		return failed("rename", name, e);
	r->files++;
	forget(r);
	return true;
}

static bool begin_file(struct client_results *r, const struct frame_file *f,
	struct err *e)
{
	uint8_t random[8];
	char hex[17];
	if (!crypto_random(random, sizeof random, e))
		return false;
	hex_encode(BYTES_ARRAY(random), hex);
	fmt(r->temporary, sizeof r->temporary, ".donjon-%s", hex);
	r->fd = openat(r->dir_fd, r->temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (r->fd < 0) {
		r->temporary[0] = '\0';
		return failed("create", f->path, e);
	}
	if (!crypto_hash_new(CRYPTO_SHA256, &r->hash, e))
		return false;
	memcpy(r->sha256, f->sha256, sizeof r->sha256);
	r->mtime_ns = f->mtime_ns;
	r->bytes += f->size;
	return f->size ? true : finish(r, e);
}

bool client_results_file(struct client_results *r, struct bytes payload,
	struct err *e)
{
	struct frame_file f;
	if (!frame_file_parse(payload, &f, e))
		return false;
	r->left = f.size;
	if (!r->w)
		return true;
	if (f.mount >= r->w->mount_count || !r->w->mounts[f.mount].writable ||
		r->w->mounts[f.mount].packaged || r->w->mounts[f.mount].scratch)
		return err_fail(e, ERR_INPUT, "result: for no directory");
	if (!walk(r->w->mounts[f.mount].host, f.path, &r->dir_fd, r->name, e))
		return false;
	if (!f.directory)
		return begin_file(r, &f, e);
	auto_fd made = enter(r->dir_fd, r->name);
	if (made < 0)
		return failed("directory", f.path, e);
	forget(r);
	return true;
}

bool client_results_data(struct client_results *r, struct bytes payload,
	struct err *e)
{
	if (payload.len > r->left)
		return err_fail(e, ERR_INPUT, "result: more than its size");
	r->left -= payload.len;
	if (!r->w)
		return true;
	if (!crypto_hash_add(r->hash, payload, e))
		return false;
	for (struct bytes rest = payload; rest.len;) {
		ssize_t n = write(r->fd, rest.ptr, rest.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed("write", bytes_str(r->name), e);
		rest = bytes_from(rest, (size_t)n);
	}
	return r->left ? true : finish(r, e);
}
