/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"
#include "wasi/wasi_priv.h"

TEST(descriptors_tell_their_type_flags_and_rights)
{
	static const struct {
		uint32_t fd;
		unsigned type;
		bool seeks;
	} rows[] = {
		{ GUEST_STDIN, FILETYPE_CHARACTER, false }, /* a terminal */
		{ GUEST_STDOUT, FILETYPE_UNKNOWN, false },
		{ GUEST_NULL, FILETYPE_CHARACTER, true },
		{ GUEST_DIR, FILETYPE_DIRECTORY, false },
		{ GUEST_SOCKET, FILETYPE_SOCKET_STREAM, false },
		{ GUEST_FREE, FILETYPE_FILE, true },
	};
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(CALL(g, fd_fdstat_get, rows[i].fd, GUEST_OUT), 0);
		CHECK_INT(guest_get(g, GUEST_OUT, 1), rows[i].type);
		uint64_t base = guest_get(g, GUEST_OUT + 8, 8);
		CHECK_INT(base & RIGHT_FD_SEEK ? 1 : 0, rows[i].seeks);
		CHECK_INT(CALL(g, fd_filestat_get, rows[i].fd, GUEST_OUT), 0);
		CHECK_INT(ST_TYPE, rows[i].type);
	}
	CHECK_INT(CALL(g, fd_fdstat_get, 63, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_fdstat_get, 0, GUEST_MEMORY - 23), WASI_FAULT);
	guest_free(g);
}

TEST(flags_are_set_and_unknown_ones_refused)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_fdstat_set_flags, 0, FDFLAG_NONBLOCK), 0);
	CHECK_INT(CALL(g, fd_fdstat_get, 0, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 2, 2), FDFLAG_NONBLOCK);
	CHECK_INT(CALL(g, fd_fdstat_set_flags, 0, 32), WASI_INVAL);
	CHECK_INT(CALL(g, fd_fdstat_set_flags, 0, 0x10000), WASI_INVAL);
	guest_free(g);
}

TEST(rights_are_given_up_for_good)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_fdstat_get, GUEST_DIR, GUEST_OUT), 0);
	uint64_t base = guest_get(g, GUEST_OUT + 8, 8);
	uint64_t down = guest_get(g, GUEST_OUT + 16, 8);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_DIR, base, down), 0);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_DIR,
			  base & ~RIGHT_PATH_OPEN, down),
		0);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_DIR, base, down),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, GUEST_STDIN, UINT64_MAX, 0),
		WASI_NOTCAPABLE);
	guest_free(g);
}

TEST(the_old_filestat_is_shorter)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_file(g, "f", "12345"), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", 0, &fd), 0);
	CHECK_INT(CALL(g, fd_filestat_set_times, fd, 11, 22,
			  FST_ATIM | FST_MTIM),
		0);
	memset(g->caller.memory + GUEST_OUT, 0xee, 0x80);
	CHECK_INT(CALL_OLD(g, fd_filestat_get, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 16, 1), FILETYPE_FILE);
	CHECK_INT(guest_get(g, GUEST_OUT + 20, 4), 1);
	CHECK_INT(guest_get(g, GUEST_OUT + 24, 8), 5);
	CHECK_INT(guest_get(g, GUEST_OUT + 32, 8), 11);
	CHECK_INT(guest_get(g, GUEST_OUT + 40, 8), 22);
	CHECK_INT(guest_get(g, GUEST_OUT + 56, 1), 0xee);
	CHECK_INT(CALL_OLD(g, path_filestat_get, GUEST_DIR, 0, P(g, "f"),
			  GUEST_MEMORY - 56),
		0);
	CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 0, P(g, "f"),
			  GUEST_MEMORY - 56),
		WASI_FAULT);
	guest_free(g);
}

TEST(sizes_are_set_and_allocated)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(CALL(g, fd_filestat_set_size, fd, 100), 0);
	CHECK_INT(CALL(g, fd_allocate, fd, 10, 10), 0);
	CHECK_INT(CALL(g, fd_filestat_get, fd, GUEST_OUT), 0);
	CHECK_INT(ST_SIZE, 100);
	CHECK_INT(CALL(g, fd_allocate, fd, 90, 20), 0);
	CHECK_INT(CALL(g, fd_filestat_get, fd, GUEST_OUT), 0);
	CHECK_INT(ST_SIZE, 110);
	CHECK_INT(CALL(g, fd_allocate, fd, 0, 0), WASI_INVAL);
	CHECK_INT(CALL(g, fd_allocate, fd, INT64_MAX, 1), WASI_FBIG);
	CHECK_INT(CALL(g, fd_allocate, fd, UINT64_MAX, 1), WASI_INVAL);
	CHECK_INT(CALL(g, fd_filestat_set_size, fd, UINT64_MAX), WASI_INVAL);
	CHECK_INT(CALL(g, fd_filestat_set_size, fd, INT64_MAX), WASI_FBIG);
	CHECK_INT(CALL(g, fd_filestat_set_size, GUEST_DIR, 0), WASI_ISDIR);
	CHECK_INT(CALL(g, fd_allocate, GUEST_DIR, 0, 1), WASI_ISDIR);
	CHECK_INT(CALL(g, fd_filestat_set_size, GUEST_STDOUT, 0), WASI_INVAL);
	CHECK_INT(CALL(g, fd_allocate, GUEST_STDOUT, 0, 1), WASI_SPIPE);
	CHECK_INT(CALL(g, fd_allocate, GUEST_NULL, 0, 1), WASI_NODEV);
	guest_free(g);
}

TEST(advice_and_syncing_are_accepted_where_they_make_sense)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(CALL(g, fd_advise, fd, 0, 100, 5), 0);
	CHECK_INT(CALL(g, fd_advise, fd, 0, 100, 6), WASI_INVAL);
	CHECK_INT(CALL(g, fd_advise, GUEST_STDIN, 0, 100, 0), WASI_SPIPE);
	CHECK_INT(CALL(g, fd_advise, GUEST_NULL, 0, 100, 0), 0);
	CHECK_INT(CALL(g, fd_fdstat_set_rights, fd,
			  RIGHT_FD_SYNC | RIGHT_FD_DATASYNC, 0),
		0);
	CHECK_INT(CALL(g, fd_advise, fd, 0, 100, 0), WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_sync, fd), 0);
	CHECK_INT(CALL(g, fd_datasync, fd), 0);
	CHECK_INT(CALL(g, fd_sync, GUEST_DIR), 0);
	CHECK_INT(CALL(g, fd_sync, GUEST_STDOUT), WASI_INVAL);
	CHECK_INT(CALL(g, fd_datasync, 63), WASI_BADF);
	guest_free(g);
}

/* As if a preopen stood behind all others: who scans for it must not stop at
 * a socket. */
TEST(what_stands_before_a_preopen_is_of_an_unknown_kind)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_SOCKET, GUEST_OUT), WASI_BADF);
	g->w->last_preopen = 63;
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_SOCKET, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 1), PRESTAT_UNKNOWN);
	CHECK_INT(guest_get(g, GUEST_OUT + 4, 4), 0);
	CHECK_INT(CALL(g, fd_prestat_dir_name, GUEST_SOCKET, 0x1000, 0), 0);
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_STDIN, GUEST_OUT), WASI_BADF);
	/* What the program opened itself never is. */
	uint32_t fd;
	CHECK_INT(guest_file(g, "f", "x"), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", 0, &fd), 0);
	CHECK_INT(CALL(g, fd_prestat_get, fd, GUEST_OUT), WASI_BADF);
	guest_free(g);
}

TEST(preopens_tell_their_names)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_RO, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 4, 4), 3);
	CHECK_INT(CALL(g, fd_prestat_dir_name, GUEST_RO, 0x1000, 3), 0);
	CHECK_MEM(g->caller.memory + 0x1000, "/ro", 4);
	CHECK_INT(CALL(g, fd_prestat_dir_name, GUEST_RO, 0x1000, 2),
		WASI_NAMETOOLONG);
	CHECK_INT(CALL(g, fd_prestat_dir_name, GUEST_RO, 0xfffffff0, 3),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_STDIN, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_prestat_get, 63, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_RO, GUEST_MEMORY - 7),
		WASI_FAULT);
	guest_free(g);
}
