/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

TEST(flags_say_what_may_be_there)
{
	static const struct {
		const char *path;
		unsigned oflags;
		uint64_t base;
		int result;
	} rows[] = {
		{ "f", 0, RIGHT_FD_READ, 0 },
		{ "f", OFLAG_CREAT, RIGHT_FD_READ, 0 },
		{ "f", OFLAG_CREAT | OFLAG_EXCL, RIGHT_FD_READ, WASI_EXIST },
		{ "f", OFLAG_EXCL, RIGHT_FD_READ, 0 },
		{ "f", OFLAG_DIRECTORY, RIGHT_FD_READ, WASI_NOTDIR },
		{ "f/", 0, RIGHT_FD_READ, WASI_NOTDIR },
		{ "none", 0, RIGHT_FD_READ, WASI_NOENT },
		{ "none/", 0, RIGHT_FD_READ, WASI_NOENT },
		{ "none/", OFLAG_CREAT, RIGHT_FD_READ, WASI_ISDIR },
		{ "none", OFLAG_DIRECTORY, RIGHT_FD_READ, WASI_NOENT },
		{ "none", OFLAG_CREAT | OFLAG_DIRECTORY, 0, WASI_INVAL },
		{ "d", 0, RIGHT_FD_READ, 0 },
		{ "d/", 0, 0, 0 },
		{ "d", OFLAG_DIRECTORY, RIGHT_FD_READ, 0 },
		{ "d", 0, RIGHT_FD_WRITE, WASI_ISDIR },
		{ "d", OFLAG_DIRECTORY, RIGHT_FD_WRITE, WASI_ISDIR },
		{ "d", OFLAG_CREAT, RIGHT_FD_READ, WASI_ISDIR },
		{ "d", OFLAG_TRUNC, RIGHT_FD_READ, WASI_ISDIR },
		{ "l", 0, RIGHT_FD_READ, 0 },
		{ "l", OFLAG_CREAT | OFLAG_EXCL, 0, WASI_EXIST },
		{ "dangling", 0, 0, WASI_NOENT },
		{ "dangling", OFLAG_CREAT | OFLAG_EXCL, 0, WASI_EXIST },
		{ "f", 16, 0, WASI_INVAL },
	};
	struct guest *g = guest_new();
	CHECK_INT(guest_file(g, "f", "text"), 0);
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "d")), 0);
	CHECK_INT(CALL(g, path_symlink, P(g, "f"), GUEST_DIR, P(g, "l")), 0);
	CHECK_INT(CALL(g, path_symlink, P(g, "made"), GUEST_DIR,
			  P(g, "dangling")),
		0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t fd;
		int r = guest_open_as(g, GUEST_DIR, rows[i].path,
			rows[i].oflags, rows[i].base, 0, &fd);
		if (r != rows[i].result)
			fail_msg("row %zu %s: %d", i, rows[i].path, r);
		if (!r)
			CHECK_INT(CALL(g, fd_close, fd), 0);
	}
	guest_free(g);
}

TEST(creating_through_a_dangling_link_makes_its_target)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(CALL(g, path_symlink, P(g, "made"), GUEST_DIR, P(g, "l")), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "l", OFLAG_CREAT, &fd), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "made", false), 0);
	CHECK_INT(ST_TYPE, FILETYPE_FILE);
	guest_free(g);
}

TEST(links_that_are_not_followed_are_not_opened)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, path_symlink, P(g, "d"), GUEST_DIR, P(g, "l")), 0);
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "d")), 0);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "l"), 0, 0, 0, 0,
			  GUEST_OUT),
		WASI_LOOP);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "l"), OFLAG_DIRECTORY,
			  0, 0, 0, GUEST_OUT),
		WASI_NOTDIR);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "l/"), 0, 0, 0, 0,
			  GUEST_OUT),
		0);
	guest_free(g);
}

TEST(truncation_empties_and_needs_its_right)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_file(g, "f", "text"), 0);
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", OFLAG_TRUNC, 0, 0, &fd), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "f", false), 0);
	CHECK_INT(ST_SIZE, 0);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_DIR,
			  RIGHTS_DIRECTORY & ~RIGHT_PATH_FILESTAT_SET_SIZE,
			  RIGHTS_DIRECTORY | RIGHTS_FILE),
		0);
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", OFLAG_TRUNC, 0, 0, &fd),
		WASI_NOTCAPABLE);
	guest_free(g);
}

TEST(rights_are_handed_down_and_never_grow)
{
	struct guest *g = guest_new();
	uint32_t d, fd;
	uint64_t down = RIGHT_FD_READ | RIGHT_PATH_OPEN | RIGHT_FD_TELL;
	CHECK_INT(guest_file(g, "f", "text"), 0);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "."), 0,
			  RIGHT_PATH_OPEN | RIGHT_FD_SEEK, down, 0, GUEST_OUT),
		0);
	d = (uint32_t)guest_get(g, GUEST_OUT, 4);
	CHECK_INT(CALL(g, fd_fdstat_get, d, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 8, 8), RIGHT_PATH_OPEN);
	CHECK_INT(guest_get(g, GUEST_OUT + 16, 8), down);
	CHECK_INT(CALL(g, path_open, d, 0, P(g, "f"), 0, RIGHT_FD_WRITE, 0, 0,
			  GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_open, d, 0, P(g, "f"), 0, 0, RIGHT_FD_WRITE, 0,
			  GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_open, d, 0, P(g, "new"), OFLAG_CREAT, 0, 0, 0,
			  GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_open, d, 0, P(g, "f"), 0, down, down, 0,
			  GUEST_OUT),
		0);
	fd = (uint32_t)guest_get(g, GUEST_OUT, 4);
	CHECK_INT(CALL(g, fd_fdstat_get, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 8, 8),
		RIGHT_FD_READ | RIGHT_FD_TELL);
	CHECK_INT(guest_read(g, fd, 10), 4);
	CHECK_INT(guest_write(g, fd, "x"), WASI_BADF);
	/* Bits that mean nothing here are not an error. */
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "f"), 0, UINT64_MAX,
			  UINT64_MAX, 0, GUEST_OUT),
		0);
	guest_free(g);
}

TEST(descriptors_run_out_with_an_errno_and_nothing_is_made)
{
	struct guest *g = guest_new();
	uint32_t fd;
	for (uint32_t i = GUEST_FREE; i < 64; i++) {
		CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
		CHECK_INT(fd, i);
	}
	CHECK_INT(guest_open(g, GUEST_DIR, "g", OFLAG_CREAT, &fd), WASI_MFILE);
	CHECK_INT(guest_stat(g, GUEST_DIR, "g", false), WASI_NOENT);
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_OUT),
		WASI_MFILE);
	CHECK_INT(CALL(g, fd_close, 20), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "g", OFLAG_CREAT, &fd), 0);
	CHECK_INT(fd, 20);
	guest_free(g);
}

TEST(a_file_outlives_its_name_while_it_is_open)
{
	struct guest *g = guest_new();
	uint32_t fd, other;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(guest_write(g, fd, "still here"), 0);
	CHECK_INT(CALL(g, path_unlink_file, GUEST_DIR, P(g, "f")), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &other), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 0, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(guest_read(g, fd, 100), 10);
	CHECK_INT(guest_read(g, other, 100), 0);
	CHECK_INT(CALL(g, fd_filestat_get, fd, GUEST_OUT), 0);
	CHECK_INT(ST_NLINK, 0);
	guest_free(g);
}

TEST(bad_pointers_and_flags_of_open_change_nothing)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "f"), OFLAG_CREAT, 0, 0,
			  0, GUEST_MEMORY - 3),
		WASI_FAULT);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, 0xfffffff0, 2, OFLAG_CREAT,
			  0, 0, 0, GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 2, P(g, "f"), OFLAG_CREAT, 0, 0,
			  0, GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "f"), OFLAG_CREAT, 0, 0,
			  32, GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(guest_stat(g, GUEST_DIR, "f", false), WASI_NOENT);
	guest_free(g);
}
