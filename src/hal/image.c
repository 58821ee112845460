/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/reader.h"

bool image_open(const char *image_dir, const char *tech, const char *name,
	uint64_t most, int *fd, uint64_t *bytes, struct err *e)
{
	char path[4096];
	struct stat st;
	fmt(path, sizeof path, "%s/%s/%s", image_dir, tech, name);
	auto_fd file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file < 0) {
		int why = errno;
		err_put(e, ERR_HOST, "no Keep image at %s: %s", path,
			strerror(why));
		errno = why;
		return false;
	}
	errno = 0;
	if (fstat(file, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 1)
		return err_fail(e, ERR_HOST, "%s: no image", path);
	if ((uint64_t)st.st_size > most)
		return err_fail(e, ERR_LIMIT, "%s: %lld bytes, room for %llu",
			path, (long long)st.st_size, (unsigned long long)most);
	*bytes = (uint64_t)st.st_size;
	*fd = fd_move(&file);
	return true;
}

/* The segments, and the table behind them, end within the file. */
static bool is_whole(struct bytes head, const Elf64_Ehdr *h, uint64_t bytes)
{
	struct reader r = { .in = head };
	uint64_t tables = (uint64_t)h->e_shnum * h->e_shentsize;
	reader_take(&r, h->e_phoff);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		struct bytes one = reader_take(&r, sizeof(Elf64_Phdr));
		Elf64_Phdr p;
		if (r.failed)
			return false;
		memcpy(&p, one.ptr, sizeof p);
		if (p.p_offset > bytes || p.p_filesz > bytes - p.p_offset)
			return false;
	}
	return h->e_shoff <= bytes && tables <= bytes - h->e_shoff;
}

bool image_exec_check(struct bytes head, uint64_t bytes, unsigned machine,
	struct err *e)
{
	Elf64_Ehdr h;
	if (head.len < sizeof h || memcmp(head.ptr, ELFMAG, SELFMAG) != 0)
		return err_fail(e, ERR_HOST, "not an ELF file");
	memcpy(&h, head.ptr, sizeof h);
	if (h.e_ident[EI_CLASS] != ELFCLASS64 ||
		(machine != EM_NONE && h.e_machine != machine) ||
		(h.e_type != ET_DYN && h.e_type != ET_EXEC))
		return err_fail(e, ERR_HOST, "not a program of this machine");
	head.len = size_min(head.len, IMAGE_HEAD);
	return is_whole(head, &h, bytes) ||
		err_fail(e, ERR_HOST, "cut off, or its head is no head");
}

/* --- before one is needed ------------------------------------------------ */

static bool shim_check(struct bytes head, uint64_t bytes,
	const struct hal_images *i, struct err *e)
{
	struct reader r = { .in = head };
	uint32_t magic = reader_u32le(&r), version = reader_u32le(&r);
	if (magic != i->magic || version != i->version)
		return err_fail(e, ERR_HOST, "not an image of version %u",
			i->version);
	r = (struct reader){ .in = head };
	reader_take(&r, i->bytes_at);
	uint32_t want = reader_u32le(&r);
	return want == bytes ||
		err_fail(e, ERR_HOST, "%llu bytes of %u",
			(unsigned long long)bytes, want);
}

static enum hal_found look(const struct hal_config *cfg,
	const struct hal_tech *t, const char *name, struct err *why)
{
	const struct hal_images *i = &t->images;
	uint8_t head[IMAGE_HEAD];
	uint64_t bytes;
	auto_fd fd = -1;
	if (!image_open(cfg->image_dir, t->name, name, UINT32_MAX, &fd, &bytes,
		    why)) {
		if (errno != ENOENT)
			return HAL_DAMAGED;
		char text[sizeof why->text];
		fmt(text, sizeof text, "%s", why->text);
		err_put(why, ERR_HOST,
			"%s: %s, or name its folder with "
			"--images",
			text, i->make);
		return HAL_MISSING;
	}
	ssize_t n = pread(fd, head, sizeof head, 0);
	struct bytes read = bytes_of(head, n < 0 ? 0 : (size_t)n);
	if (*name == 's' ? shim_check(read, bytes, i, why) :
			   image_exec_check(read, bytes, i->machine, why))
		return HAL_WHOLE;
	(void)!err_wrap(why, "%s/%s/%s", cfg->image_dir, t->name, name);
	return HAL_DAMAGED;
}

enum hal_found hal_images_look(const struct hal_config *cfg,
	const struct hal_tech *t, struct err *why)
{
	struct err later = { 0 };
	bool shimmed = t->images.magic;
	enum hal_found shim = shimmed ? look(cfg, t, "shim", why) : HAL_WHOLE;
	enum hal_found exec = look(cfg, t, "exec", &later);
	if (shim == HAL_WHOLE)
		*why = later;
	if (shim == exec || (!shimmed && exec != HAL_WHOLE))
		return exec;
	return HAL_DAMAGED;
}
