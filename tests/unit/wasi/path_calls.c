/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

static int mkdir_(struct guest *g, const char *p)
{
	return CALL(g, path_create_directory, GUEST_DIR, P(g, p));
}

static int symlink_(struct guest *g, const char *to, const char *p)
{
	return CALL(g, path_symlink, P(g, to), GUEST_DIR, P(g, p));
}

static int unlink_(struct guest *g, const char *p)
{
	return CALL(g, path_unlink_file, GUEST_DIR, P(g, p));
}

static int rmdir_(struct guest *g, const char *p)
{
	return CALL(g, path_remove_directory, GUEST_DIR, P(g, p));
}

static int rename_(struct guest *g, const char *a, const char *b)
{
	return CALL(g, path_rename, GUEST_DIR, P(g, a), GUEST_DIR, P(g, b));
}

static int link_(struct guest *g, const char *a, const char *b)
{
	return CALL(g, path_link, GUEST_DIR, 0, P(g, a), GUEST_DIR, P(g, b));
}

TEST(directories_are_made_once)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(mkdir_(g, "d"), WASI_EXIST);
	CHECK_INT(mkdir_(g, "d/"), WASI_EXIST);
	CHECK_INT(mkdir_(g, "e/"), 0);
	CHECK_INT(mkdir_(g, "."), WASI_EXIST);
	CHECK_INT(mkdir_(g, "d/.."), WASI_EXIST);
	CHECK_INT(mkdir_(g, "x/y"), WASI_NOENT);
	CHECK_INT(symlink_(g, "none", "l"), 0);
	CHECK_INT(mkdir_(g, "l"), WASI_EXIST);
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(mkdir_(g, "f/x"), WASI_NOTDIR);
	guest_free(g);
}

TEST(removal_tells_files_from_directories)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(guest_file(g, "d/f", ""), 0);
	CHECK_INT(symlink_(g, "d", "l"), 0);
	CHECK_INT(unlink_(g, "d"), WASI_ISDIR);
	CHECK_INT(unlink_(g, "d/"), WASI_ISDIR);
	CHECK_INT(unlink_(g, "d/."), WASI_ISDIR);
	CHECK_INT(rmdir_(g, "d"), WASI_NOTEMPTY);
	CHECK_INT(rmdir_(g, "."), WASI_INVAL);
	CHECK_INT(rmdir_(g, "d/."), WASI_INVAL);
	CHECK_INT(rmdir_(g, "d/f"), WASI_NOTDIR);
	CHECK_INT(rmdir_(g, "d/f/"), WASI_NOTDIR);
	CHECK_INT(unlink_(g, "d/f/"), WASI_NOTDIR);
	CHECK_INT(rmdir_(g, "l"), WASI_NOTDIR);
	CHECK_INT(rmdir_(g, "l/"), WASI_NOTDIR);
	CHECK_INT(unlink_(g, "l/"), WASI_NOTDIR);
	CHECK_INT(unlink_(g, "none"), WASI_NOENT);
	CHECK_INT(unlink_(g, "l/f"), 0);
	CHECK_INT(unlink_(g, "l"), 0);
	CHECK_INT(rmdir_(g, "d/"), 0);
	guest_free(g);
}

TEST(renames_follow_posix)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(guest_file(g, "f", "f"), 0);
	CHECK_INT(symlink_(g, "d", "l"), 0);
	CHECK_INT(rename_(g, "f", "g/"), WASI_NOTDIR);
	CHECK_INT(rename_(g, "f/", "g"), WASI_NOTDIR);
	CHECK_INT(rename_(g, "d/", "e/"), 0);
	CHECK_INT(rename_(g, "e", "d"), 0);
	CHECK_INT(rename_(g, "l/", "m"), WASI_NOTDIR);
	CHECK_INT(rename_(g, "l", "m"), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "m", false), 0);
	CHECK_INT(ST_TYPE, FILETYPE_SYMLINK);
	CHECK_INT(rename_(g, "d", "d/x"), WASI_INVAL);
	CHECK_INT(rename_(g, "d", "m/x"), WASI_INVAL);
	CHECK_INT(rename_(g, "d", "f"), WASI_NOTDIR);
	CHECK_INT(rename_(g, "d", "f/"), WASI_NOTDIR);
	CHECK_INT(rename_(g, "f", "d"), WASI_ISDIR);
	CHECK_INT(rename_(g, ".", "x"), WASI_BUSY);
	CHECK_INT(rename_(g, "f", "."), WASI_BUSY);
	CHECK_INT(rename_(g, "none", "x"), WASI_NOENT);
	CHECK_INT(rename_(g, "f", "d/f"), 0);
	CHECK_INT(rename_(g, "d/f", "d/f"), 0);
	/* Over a link: the link goes, not what it leads to. */
	CHECK_INT(rename_(g, "d/f", "m"), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "m", false), 0);
	CHECK_INT(ST_TYPE, FILETYPE_FILE);
	guest_free(g);
}

TEST(hard_links_name_the_file_and_not_what_a_link_leads_to)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(guest_file(g, "f", "text"), 0);
	CHECK_INT(symlink_(g, "f", "l"), 0);
	CHECK_INT(link_(g, "f", "d/g"), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "d/g", false), 0);
	CHECK_INT(ST_NLINK, 2);
	CHECK_INT(ST_SIZE, 4);
	CHECK_INT(link_(g, "f", "d/g"), WASI_EXIST);
	CHECK_INT(link_(g, "f", "d"), WASI_EXIST);
	CHECK_INT(link_(g, "f", "l"), WASI_EXIST);
	CHECK_INT(link_(g, "f", "x/"), WASI_NOENT);
	CHECK_INT(link_(g, "f/", "x"), WASI_NOTDIR);
	CHECK_INT(link_(g, "d", "x"), WASI_PERM);
	CHECK_INT(link_(g, "none", "x"), WASI_NOENT);
	CHECK_INT(link_(g, "l", "m"), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "m", false), 0);
	CHECK_INT(ST_TYPE, FILETYPE_SYMLINK);
	CHECK_INT(CALL(g, path_link, GUEST_DIR, LOOKUP_FOLLOW, P(g, "l"),
			  GUEST_DIR, P(g, "x")),
		WASI_INVAL);
	guest_free(g);
}

TEST(links_are_read_as_far_as_there_is_room)
{
	struct guest *g = guest_new();
	CHECK_INT(symlink_(g, "target", "l"), 0);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "l"), 0x1000, 10,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 6);
	CHECK_MEM(g->caller.memory + 0x1000, "target\0", 7);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "l"), 0x1100, 4,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 4);
	CHECK_MEM(g->caller.memory + 0x1100, "targ\0", 5);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "."), 0x1000, 10,
			  GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "x"), 0x1000, 10,
			  GUEST_OUT),
		WASI_NOENT);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "l"), 0xfffffff0, 10,
			  GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "l"), 0x1000, 10,
			  0xfffffffd),
		WASI_FAULT);
	guest_free(g);
}

TEST(symbolic_links_need_a_free_name_without_a_slash)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(symlink_(g, "x", "l/"), WASI_NOENT);
	CHECK_INT(symlink_(g, "x", "d"), WASI_EXIST);
	CHECK_INT(symlink_(g, "x", "d/"), WASI_EXIST);
	CHECK_INT(symlink_(g, "x", "f"), WASI_EXIST);
	CHECK_INT(symlink_(g, "x", "f/"), WASI_NOTDIR);
	CHECK_INT(symlink_(g, "", "l"), WASI_NOENT);
	CHECK_INT(symlink_(g, "x", "l"), 0);
	CHECK_INT(symlink_(g, "x", "l"), WASI_EXIST);
	guest_free(g);
}

TEST(times_are_set_on_the_link_or_on_what_it_leads_to)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(symlink_(g, "f", "l"), 0);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, 0, P(g, "l"), 11,
			  22, FST_ATIM | FST_MTIM),
		0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l", false), 0);
	CHECK_INT(ST_MTIM, 22);
	CHECK_INT(guest_get(g, GUEST_OUT + 40, 8), 11);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l", true), 0);
	CHECK(ST_MTIM > 1000);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, LOOKUP_FOLLOW,
			  P(g, "l"), 11, 33, FST_MTIM),
		0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "f", false), 0);
	CHECK_INT(ST_MTIM, 33);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, 0, P(g, "f"), 0,
			  0, FST_MTIM_NOW),
		0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "f", false), 0);
	CHECK(ST_MTIM > 1000);
	static const unsigned bad[] = { FST_ATIM | FST_ATIM_NOW,
		FST_MTIM | FST_MTIM_NOW, 16 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, 0,
				  P(g, "f"), 1, 2, bad[i]),
			WASI_INVAL);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, 0, P(g, "no"), 1,
			  2, FST_MTIM),
		WASI_NOENT);
	guest_free(g);
}

TEST(nothing_changes_below_a_read_only_preopen)
{
	struct guest *g = guest_new();
	uint32_t fd, d;
	CHECK_INT(guest_file(g, "mine", "mine"), 0);
	CHECK_INT(CALL(g, path_create_directory, GUEST_RO, P(g, "x")),
		WASI_ROFS);
	CHECK_INT(CALL(g, path_create_directory, GUEST_RO, P(g, "d")),
		WASI_EXIST);
	CHECK_INT(CALL(g, path_unlink_file, GUEST_RO, P(g, "f")), WASI_ROFS);
	CHECK_INT(CALL(g, path_remove_directory, GUEST_RO, P(g, "d")),
		WASI_ROFS);
	CHECK_INT(CALL(g, path_symlink, P(g, "f"), GUEST_RO, P(g, "x")),
		WASI_ROFS);
	CHECK_INT(CALL(g, path_rename, GUEST_RO, P(g, "f"), GUEST_RO,
			  P(g, "g")),
		WASI_ROFS);
	CHECK_INT(CALL(g, path_rename, GUEST_RO, P(g, "f"), GUEST_DIR,
			  P(g, "g")),
		WASI_XDEV);
	CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "mine"), GUEST_RO,
			  P(g, "g")),
		WASI_XDEV);
	/* A second name in a writable place would make it writable. */
	CHECK_INT(CALL(g, path_link, GUEST_RO, 0, P(g, "f"), GUEST_DIR,
			  P(g, "g")),
		WASI_XDEV);
	CHECK_INT(CALL(g, path_link, GUEST_RO, 0, P(g, "f"), GUEST_RO,
			  P(g, "g")),
		WASI_ROFS);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_RO, 0, P(g, "f"), 1, 1,
			  FST_MTIM),
		WASI_ROFS);
	CHECK_INT(guest_open_as(g, GUEST_RO, "x", OFLAG_CREAT, RIGHT_FD_READ, 0,
			  &fd),
		WASI_ROFS);
	CHECK_INT(guest_open_as(g, GUEST_RO, "f", 0, RIGHT_FD_WRITE, 0, &fd),
		WASI_ROFS);
	CHECK_INT(guest_open_as(g, GUEST_RO, "f", OFLAG_TRUNC, RIGHT_FD_READ, 0,
			  &fd),
		WASI_ROFS);
	/* A directory below it is no better, nor is a file's descriptor. */
	CHECK_INT(guest_open(g, GUEST_RO, "d", OFLAG_DIRECTORY, &d), 0);
	CHECK_INT(CALL(g, path_create_directory, d, P(g, "x")), WASI_ROFS);
	CHECK_INT(guest_open_as(g, GUEST_RO, "f", 0,
			  RIGHTS_FILE & ~RIGHT_FD_WRITE, 0, &fd),
		0);
	CHECK_INT(CALL(g, fd_filestat_set_size, fd, 0), WASI_ROFS);
	CHECK_INT(CALL(g, fd_allocate, fd, 0, 100), WASI_ROFS);
	CHECK_INT(CALL(g, fd_filestat_set_times, fd, 1, 1, FST_MTIM),
		WASI_ROFS);
	CHECK_INT(guest_read(g, fd, 100), 8);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "readonly", 8);
	guest_free(g);
}

/* Every function on a path: its right, dropped, is missed. */
TEST(each_path_function_needs_its_right)
{
	struct guest *g = guest_new();
	CHECK_INT(mkdir_(g, "d"), 0);
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_DIR, 0, 0), 0);
	CHECK_INT(mkdir_(g, "x"), WASI_NOTCAPABLE);
	CHECK_INT(unlink_(g, "f"), WASI_NOTCAPABLE);
	CHECK_INT(rmdir_(g, "d"), WASI_NOTCAPABLE);
	CHECK_INT(symlink_(g, "f", "x"), WASI_NOTCAPABLE);
	CHECK_INT(rename_(g, "f", "x"), WASI_NOTCAPABLE);
	CHECK_INT(link_(g, "f", "x"), WASI_NOTCAPABLE);
	CHECK_INT(guest_stat(g, GUEST_DIR, "f", false), WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_filestat_set_times, GUEST_DIR, 0, P(g, "f"), 0,
			  0, 0),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_readlink, GUEST_DIR, P(g, "f"), 0, 0, GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "f"), 0, 0, 0, 0,
			  GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, 0, 0, 0, GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_filestat_get, GUEST_DIR, GUEST_OUT),
		WASI_NOTCAPABLE);
	guest_free(g);
}

TEST(paths_begin_in_directories)
{
	struct guest *g = guest_new();
	uint32_t fds[] = { GUEST_STDIN, GUEST_NULL, GUEST_SOCKET, 7 };
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		CHECK_INT(guest_stat(g, fds[i], "f", false), WASI_NOTDIR);
		CHECK_INT(guest_open(g, fds[i], "f", OFLAG_CREAT, &fd),
			WASI_NOTDIR);
	}
	CHECK_INT(guest_stat(g, 33, "f", false), WASI_BADF);
	guest_free(g);
}
