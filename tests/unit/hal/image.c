/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/image.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "base/fmt.h"

enum { SHIM_BYTES = 0x1000, EXEC_BYTES = 0xc00 };

struct folder {
	char path[64];
	struct hal_config cfg;
};

static void folder_make(struct folder *f)
{
	*f = (struct folder){ .path = "/tmp/donjon-images-XXXXXX" };
	CHECK(mkdtemp(f->path));
	f->cfg.image_dir = f->path;
}

static void folder_remove(struct folder *f)
{
	char command[128];
	snprintf(command, sizeof command, "rm -rf %s", f->path);
	CHECK_INT(system(command), 0);
}

static void put(const struct folder *f, const struct hal_tech *t,
	const char *name, const void *bytes, size_t len)
{
	char path[160];
	fmt(path, sizeof path, "%s/%s", f->path, t->name);
	mkdir(path, 0700);
	fmt(path, sizeof path, "%s/%s/%s", f->path, t->name, name);
	FILE *file = fopen(path, "w");
	CHECK(file);
	CHECK(fwrite(bytes, 1, len, file) == len);
	CHECK(!fclose(file));
}

static void drop(const struct folder *f, const struct hal_tech *t,
	const char *name)
{
	char path[160];
	fmt(path, sizeof path, "%s/%s/%s", f->path, t->name, name);
	unlink(path);
}

static const uint8_t *shim_of(const struct hal_tech *t)
{
	static uint8_t b[SHIM_BYTES];
	const uint32_t bytes = SHIM_BYTES;
	memset(b, 0, sizeof b);
	memcpy(b, &t->images.magic, 4);
	memcpy(b + 4, &t->images.version, 4);
	memcpy(b + t->images.bytes_at, &bytes, 4);
	return b;
}

/* One segment to the middle of the file, a table of sections at its end. */
static const uint8_t *exec_of(const struct hal_tech *t)
{
	static uint8_t b[EXEC_BYTES];
	const Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				       ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = (Elf64_Half)t->images.machine,
		.e_phoff = sizeof h,
		.e_phnum = 1,
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shoff = EXEC_BYTES - 2 * sizeof(Elf64_Shdr),
		.e_shnum = 2,
		.e_shentsize = sizeof(Elf64_Shdr) };
	const Elf64_Phdr p = { .p_type = PT_LOAD,
		.p_offset = 0x400,
		.p_filesz = 0x400 };
	memset(b, 0, sizeof b);
	memcpy(b, &h, sizeof h);
	memcpy(b + sizeof h, &p, sizeof p);
	return b;
}

static void put_both(const struct folder *f, const struct hal_tech *t)
{
	if (t->images.magic)
		put(f, t, "shim", shim_of(t), SHIM_BYTES);
	put(f, t, "exec", exec_of(t), EXEC_BYTES);
}

static void is_damaged(const struct folder *f, const struct hal_tech *t,
	const char *name, const char *says)
{
	struct err e = { 0 };
	char path[160];
	fmt(path, sizeof path, "%s/%s/%s", f->path, t->name, name);
	CHECK_INT(hal_images_look(&f->cfg, t, &e), HAL_DAMAGED);
	CHECK_HAS(e.text, path);
	CHECK_HAS(e.text, says);
}

static void try_shim(const struct folder *f, const struct hal_tech *t)
{
	static uint8_t bad[SHIM_BYTES];
	for (size_t n = 1; n < SHIM_BYTES; n += n < 64 ? 1 : 97) {
		put(f, t, "shim", shim_of(t), n);
		is_damaged(f, t, "shim", "");
	}
	put(f, t, "shim", "", 0);
	is_damaged(f, t, "shim", "no image");
	memcpy(bad, shim_of(t), sizeof bad);
	bad[0] ^= 1;
	put(f, t, "shim", bad, sizeof bad);
	is_damaged(f, t, "shim", "not an image of version");
	drop(f, t, "shim");
	is_damaged(f, t, "shim", t->images.make);
	put_both(f, t);
}

static void try_exec(const struct folder *f, const struct hal_tech *t)
{
	static uint8_t bad[EXEC_BYTES];
	for (size_t n = 1; n < EXEC_BYTES; n += n < 200 ? 1 : 97) {
		put(f, t, "exec", exec_of(t), n);
		is_damaged(f, t, "exec", n < 64 ? "not an ELF" : "cut off");
	}
	memcpy(bad, exec_of(t), sizeof bad);
	bad[offsetof(Elf64_Ehdr, e_machine)] ^= 0x40;
	put(f, t, "exec", bad, sizeof bad);
	if (t->images.machine != EM_NONE)
		is_damaged(f, t, "exec", "not a program of this machine");
	bad[EI_CLASS] = ELFCLASS32;
	put(f, t, "exec", bad, sizeof bad);
	is_damaged(f, t, "exec", "not a program of this machine");
	memcpy(bad, exec_of(t), sizeof bad);
	memset(bad + offsetof(Elf64_Ehdr, e_phoff), 0xff, 8);
	put(f, t, "exec", bad, sizeof bad);
	is_damaged(f, t, "exec", "cut off");
}

TEST(images_of_each_technology_are_seen_to_be_missing_damaged_or_whole)
{
	struct folder f;
	folder_make(&f);
	for (const struct hal_tech *const *t = hal_techs(); *t; t++) {
		struct err e = { 0 };
		print_message("%s\n", (*t)->name);
		CHECK_INT(hal_images_look(&f.cfg, *t, &e), HAL_MISSING);
		CHECK_HAS(e.text, (*t)->images.make);
		CHECK_HAS(e.text, "--images");
		put_both(&f, *t);
		CHECK_INT(hal_images_look(&f.cfg, *t, &e), HAL_WHOLE);
		if ((*t)->images.magic)
			try_shim(&f, *t);
		try_exec(&f, *t);
	}
	folder_remove(&f);
}

TEST(a_technology_with_a_damaged_image_is_not_available)
{
	struct folder f;
	struct err e = { 0 };
	const struct hal_tech *t = NULL, *const *all = hal_techs();
	folder_make(&f);
	while (*all && strcmp((*all)->name, "process") != 0)
		all++;
	put_both(&f, *all);
	CHECK(hal_find("process", &f.cfg, &t, &e));
	put(&f, *all, "exec", exec_of(*all), EXEC_BYTES / 2);
	CHECK(!hal_find("process", &f.cfg, &t, &e));
	CHECK_HAS(e.text, "process/exec: cut off");
	CHECK(!hal_find("auto", &f.cfg, &t, &e));
	folder_remove(&f);
}

TEST(an_image_is_a_file_of_bounded_length)
{
	struct folder f;
	struct err e = { 0 };
	char path[160];
	int fd = -1;
	uint64_t bytes = 0;
	const struct hal_tech *t = hal_techs()[0];
	folder_make(&f);
	put(&f, t, "exec", "12345", 5);
	CHECK(image_open(f.path, t->name, "exec", 5, &fd, &bytes, &e));
	CHECK_INT(bytes, 5);
	close(fd);
	CHECK(!image_open(f.path, t->name, "exec", 4, &fd, &bytes, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	fmt(path, sizeof path, "%s/%s/shim", f.path, t->name);
	CHECK(!mkfifo(path, 0600));
	CHECK(!image_open(f.path, t->name, "shim", 4, &fd, &bytes, &e));
	CHECK_HAS(e.text, "shim: no image");
	folder_remove(&f);
}
