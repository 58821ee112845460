/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/process_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/hal_priv.h"
#include "hal/image.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u /* Linux 6.3; older kernels make all of them so */
#endif

/* More than any image of ours, sanitizers and debug information included. */
#define IMAGE_MAX (256u << 20)

enum { SEAL_TRIES = 200 }; /* 5 ms apart */

static bool check_elf(int fd, uint64_t bytes, struct err *e)
{
	uint8_t head[IMAGE_HEAD];
	ssize_t n = pread(fd, head, sizeof head, 0);
	return image_exec_check(bytes_of(head, n < 0 ? 0 : (size_t)n), bytes,
		hal_process.images.machine, e);
}

static int new_memfd(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("donjon-exec", flags | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("donjon-exec", flags);
	return fd;
}

/* Within the kernel; a file that shrank meanwhile is refused. */
static bool copy(int from, int to, uint64_t size, struct err *e)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_fail(e, ERR_HOST, "copy image: %s",
				n ? strerror(errno) : "it shrank");
		size -= (uint64_t)n;
	}
	return true;
}

/* A busy kernel holds pages for a moment after a copy, and does not seal them
 * meanwhile (EBUSY). */
static bool seal(int fd, struct err *e)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	for (int i = 0;; i++) {
		if (fcntl(fd, F_ADD_SEALS,
			    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
				    F_SEAL_SEAL) == 0)
			return true;
		if (errno != EBUSY || i == SEAL_TRIES)
			return err_fail(e, ERR_HOST, "seal: %s",
				strerror(errno));
		nanosleep(&moment, NULL);
	}
}

bool process_image_load(const char *image_dir, int *memfd, struct err *e)
{
	auto_fd file = -1;
	uint64_t size;
	if (!image_open(image_dir, hal_process.name, "exec", IMAGE_MAX, &file,
		    &size, e))
		return false;
	auto_fd fd = new_memfd();
	if (fd < 0)
		return err_fail(e, ERR_HOST, "memfd: %s", strerror(errno));
	if (!copy(file, fd, size, e))
		return false;
	if (!check_elf(fd, size, e))
		return err_wrap(e, "%s/process/exec", image_dir);
	/* Nobody may read it: then the kernel makes who runs it undumpable,
	 * which a process can't do for its own next program. */
	if (!HAL_SANITIZED && fchmod(fd, 0111) != 0)
		return err_fail(e, ERR_HOST, "fchmod: %s", strerror(errno));
	if (!seal(fd, e))
		return false;
	*memfd = fd_move(&fd);
	return true;
}

bool process_image_measure(int memfd, uint8_t out[48], struct err *e)
{
	struct stat st;
	if (fstat(memfd, &st) != 0)
		return err_fail(e, ERR_HOST, "image: %s", strerror(errno));
	size_t len = (size_t)st.st_size;
	void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, memfd,
		0);
	if (p == MAP_FAILED)
		return err_fail(e, ERR_HOST, "map image: %s", strerror(errno));
	bool ok = crypto_digest(CRYPTO_SHA384, bytes_of(p, len), out, e);
	munmap(p, len);
	return ok;
}
