/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../test.h"
#include "helpers/guest.h"

TEST(a_file_is_written_read_and_sought)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(fd, GUEST_FREE);
	CHECK_INT(guest_write(g, fd, "hello world"), 0);
	CHECK_INT(CALL(g, fd_tell, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 11);
	CHECK_INT(CALL(g, fd_seek, fd, (uint64_t)-5, WHENCE_CUR, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 6);
	CHECK_INT(guest_read(g, fd, 100), 5);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "world", 5);
	CHECK_INT(guest_read(g, fd, 100), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 2, WHENCE_END, GUEST_OUT), 0);
	CHECK_INT(guest_write(g, fd, "!"), 0);
	CHECK_INT(CALL(g, fd_pread, fd, guest_iov(g, GUEST_READ_AT, 9), 1, 8,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 6);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "rld\0\0!", 6);
	CHECK_INT(CALL(g, fd_pwrite, fd, guest_iov(g, guest_text(g, "HE"), 2),
			  1, 0, GUEST_OUT),
		0);
	CHECK_INT(CALL(g, fd_tell, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 14);
	guest_free(g);
}

TEST(seeking_before_the_start_or_past_the_end_of_numbers_fails)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(CALL(g, fd_seek, fd, (uint64_t)-1, WHENCE_SET, GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(CALL(g, fd_seek, fd, INT64_MAX, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 1, WHENCE_CUR, GUEST_OUT),
		WASI_OVERFLOW);
	CHECK_INT(guest_write(g, fd, "x"), WASI_FBIG);
	CHECK_INT(guest_read(g, fd, 8), 0);
	CHECK_INT(CALL(g, fd_seek, fd, (uint64_t)INT64_MIN, WHENCE_CUR,
			  GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(CALL(g, fd_seek, fd, 0, 3, GUEST_OUT), WASI_INVAL);
	CHECK_INT(CALL(g, fd_pread, fd, guest_iov(g, 0, 4), 1, UINT64_MAX,
			  GUEST_OUT),
		WASI_INVAL);
	guest_free(g);
}

TEST(the_old_order_of_whence_is_current_end_set)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(guest_write(g, fd, "0123456789"), 0);
	CHECK_INT(CALL_OLD(g, fd_seek, fd, 4, 2, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 4);
	CHECK_INT(CALL_OLD(g, fd_seek, fd, 1, 0, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 5);
	CHECK_INT(CALL_OLD(g, fd_seek, fd, 1, 1, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 11);
	guest_free(g);
}

TEST(append_writes_at_the_end_wherever_the_position_is)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", OFLAG_CREAT, RIGHTS_FILE,
			  FDFLAG_APPEND, &fd),
		0);
	CHECK_INT(guest_write(g, fd, "aa"), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 0, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(guest_write(g, fd, "bb"), 0);
	CHECK_INT(CALL(g, fd_tell, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 4);
	CHECK_INT(CALL(g, fd_pwrite, fd, guest_iov(g, guest_text(g, "cc"), 2),
			  1, 0, GUEST_OUT),
		0);
	CHECK_INT(CALL(g, fd_fdstat_set_flags, fd, 0), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 0, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(guest_write(g, fd, "d"), 0);
	CHECK_INT(CALL(g, fd_seek, fd, 0, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(guest_read(g, fd, 100), 6);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "dabbcc", 6);
	guest_free(g);
}

TEST(lists_of_buffers_are_filled_in_order)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_file(g, "f", "abcdefghij"), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", 0, &fd), 0);
	uint32_t lens[] = { 3, 0, 4, 100 };
	for (uint32_t i = 0; i < 4; i++) {
		guest_set(g, 0x200 + i * 8, 0x1000 + i * 0x100, 4);
		guest_set(g, 0x204 + i * 8, lens[i], 4);
	}
	CHECK_INT(CALL(g, fd_read, fd, 0x200, 4, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 10);
	CHECK_MEM(g->caller.memory + 0x1000, "abc", 4);
	CHECK_MEM(g->caller.memory + 0x1200, "defg", 5);
	CHECK_MEM(g->caller.memory + 0x1300, "hij", 4);
	guest_free(g);
}

TEST(a_read_over_its_own_list_stays_in_memory)
{
	struct guest *g = guest_new();
	uint32_t fd;
	/* The first buffer is the list: its rest then points anywhere. */
	CHECK_INT(guest_file(g, "f",
			  "\1\1\1\1\1\1\1\1\xff\xff\xff\xff\xff\xff\xff\x7f"
			  "rest"),
		0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", 0, &fd), 0);
	guest_set(g, 0x200, 0x200, 4);
	guest_set(g, 0x204, 16, 4);
	guest_set(g, 0x208, 0x300, 4);
	guest_set(g, 0x20c, 16, 4);
	CHECK_INT(CALL(g, fd_read, fd, 0x200, 2, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 16);
	guest_free(g);
}

TEST(a_million_buffers_are_taken_in_stride)
{
	struct guest *g = guest_new();
	uint32_t fd;
	enum { N = 1 << 20 };
	free(g->caller.memory);
	g->caller.size = N * 8 + 0x10000;
	g->caller.memory = calloc(1, g->caller.size);
	CHECK(g->caller.memory);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	for (uint32_t i = 0; i < N; i++) {
		guest_set(g, 0x10000 + i * 8, 0x8000, 4);
		guest_set(g, 0x10004 + i * 8, 1, 4);
	}
	CHECK_INT(CALL(g, fd_write, fd, 0x10000, N, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), N);
	CHECK_INT(CALL(g, fd_write, fd, 0x10000, N + 1, GUEST_OUT), WASI_FAULT);
	/* All of memory, a million times: what one call moves is bounded. */
	for (uint32_t i = 0; i < N; i++) {
		guest_set(g, 0x10000 + i * 8, 0, 4);
		guest_set(g, 0x10004 + i * 8, g->caller.size, 4);
	}
	CHECK_INT(CALL(g, fd_write, GUEST_NULL, 0x10000, N, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 0x7ffff000);
	guest_free(g);
}

TEST(a_list_is_checked_whole_before_anything_moves)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	guest_set(g, 0x200, 0x1000, 4);
	guest_set(g, 0x204, 16, 4);
	guest_set(g, 0x208, GUEST_MEMORY - 4, 4);
	guest_set(g, 0x20c, 5, 4);
	CHECK_INT(CALL(g, fd_write, fd, 0x200, 2, GUEST_OUT), WASI_FAULT);
	CHECK_INT(CALL(g, fd_write, fd, 0x200, 1, 0xfffffffe), WASI_FAULT);
	CHECK_INT(CALL(g, fd_write, fd, GUEST_MEMORY - 15, 2, GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_write, fd, 0x200, 0xffffffff, GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_filestat_get, fd, GUEST_OUT), 0);
	CHECK_INT(ST_SIZE, 0);
	guest_free(g);
}

TEST(a_full_file_system_writes_what_fits_and_then_says_so)
{
	struct memfs_config cfg = { .max_bytes = 0x20000 + 300 };
	struct guest *g = guest_new_with(&cfg);
	uint32_t fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "f", OFLAG_CREAT, &fd), 0);
	CHECK_INT(CALL(g, fd_pwrite, fd, guest_iov(g, 0, GUEST_MEMORY), 1,
			  0x8000, GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), GUEST_MEMORY);
	CHECK_INT(CALL(g, fd_pwrite, fd, guest_iov(g, 0, GUEST_MEMORY), 1,
			  0x1fff0, GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 16);
	CHECK_INT(CALL(g, fd_pwrite, fd, guest_iov(g, 0, 1), 1, 0x20000,
			  GUEST_OUT),
		WASI_NOSPC);
	guest_free(g);
}

TEST(the_null_device_swallows_everything_and_is_empty)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_write(g, GUEST_NULL, "gone"), 0);
	CHECK_INT(guest_read(g, GUEST_NULL, 10), 0);
	CHECK_INT(CALL(g, fd_seek, GUEST_NULL, 99, WHENCE_SET, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 0);
	CHECK_INT(CALL(g, fd_pwrite, GUEST_NULL, guest_iov(g, 0, 7), 1, 5,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 7);
	guest_free(g);
}

TEST(streams_have_no_position_and_directories_no_data)
{
	struct guest *g = guest_new();
	uint32_t iov = guest_iov(g, 0x1000, 4);
	CHECK_INT(CALL(g, fd_seek, GUEST_STDIN, 0, WHENCE_CUR, GUEST_OUT),
		WASI_SPIPE);
	CHECK_INT(CALL(g, fd_tell, GUEST_STDOUT, GUEST_OUT), WASI_SPIPE);
	CHECK_INT(CALL(g, fd_pread, GUEST_STDIN, iov, 1, 0, GUEST_OUT),
		WASI_SPIPE);
	CHECK_INT(CALL(g, fd_pwrite, GUEST_STDOUT, iov, 1, 0, GUEST_OUT),
		WASI_SPIPE);
	CHECK_INT(CALL(g, fd_read, GUEST_DIR, iov, 1, GUEST_OUT), WASI_ISDIR);
	CHECK_INT(CALL(g, fd_write, GUEST_DIR, iov, 1, GUEST_OUT), WASI_ISDIR);
	CHECK_INT(CALL(g, fd_seek, GUEST_DIR, 0, WHENCE_CUR, GUEST_OUT),
		WASI_ISDIR);
	CHECK_INT(CALL(g, fd_tell, GUEST_DIR, GUEST_OUT), WASI_ISDIR);
	CHECK_INT(CALL(g, fd_read, 63, iov, 1, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_seek, 63, 0, WHENCE_SET, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_tell, 63, GUEST_OUT), WASI_BADF);
	CHECK_INT(CALL(g, fd_tell, GUEST_NULL, GUEST_MEMORY - 7), WASI_FAULT);
	CHECK_INT(CALL(g, fd_seek, GUEST_NULL, 0, WHENCE_SET, GUEST_MEMORY - 7),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_read, 0xffffffff, iov, 1, GUEST_OUT), WASI_BADF);
	guest_free(g);
}

TEST(reading_and_writing_need_their_rights)
{
	struct guest *g = guest_new();
	uint32_t r, w, t;
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", OFLAG_CREAT, RIGHT_FD_READ,
			  0, &r),
		0);
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", 0, RIGHT_FD_WRITE, 0, &w),
		0);
	CHECK_INT(guest_open_as(g, GUEST_DIR, "f", 0, RIGHT_FD_TELL, 0, &t), 0);
	CHECK_INT(guest_write(g, r, "x"), WASI_BADF);
	CHECK_INT(guest_read(g, w, 1), -WASI_BADF);
	CHECK_INT(CALL(g, fd_seek, r, 0, WHENCE_SET, GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_pread, r, guest_iov(g, 0x1000, 4), 1, 0,
			  GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_tell, r, GUEST_OUT), WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, fd_tell, t, GUEST_OUT), 0);
	CHECK_INT(CALL(g, fd_seek, t, 0, WHENCE_CUR, GUEST_OUT), 0);
	CHECK_INT(CALL(g, fd_seek, t, 1, WHENCE_CUR, GUEST_OUT),
		WASI_NOTCAPABLE);
	guest_free(g);
}
