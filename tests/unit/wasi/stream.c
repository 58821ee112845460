/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

static bool feed(struct guest *g)
{
	if (g->waits == 3)
		buf_str(&g->in.in, "abc");
	if (g->waits == 5)
		g->out.room = 4;
	return g->waits < 9;
}

TEST(a_blocking_read_waits_for_the_first_byte_only)
{
	struct guest *g = guest_new();
	g->on_wait = feed;
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 3);
	CHECK_INT(g->waits, 3);
	CHECK_INT(g->last_deadline == UINT64_MAX, 1);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "abc", 3);
	g->in.eof = true;
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 0);
	guest_free(g);
}

TEST(a_blocking_write_waits_until_everything_is_taken)
{
	struct guest *g = guest_new();
	g->on_wait = feed;
	g->out.room = 2;
	CHECK_INT(guest_write(g, GUEST_STDOUT, "abcdef"), 0);
	CHECK_INT(g->waits, 5);
	CHECK_STR(buf_cstr(&g->out.out), "abcdef");
	guest_free(g);
}

TEST(a_wait_that_is_told_to_stop_ends_the_program)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 1);
	CHECK_INT(g->caller.end, WASM_STOPPED);
	g->out.room = 2;
	CHECK_INT(CALL(g, fd_write, GUEST_STDOUT, guest_iov(g, 0, 5), 1,
			  GUEST_OUT),
		-1);
	guest_free(g);
}

TEST(non_blocking_streams_say_again)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_fdstat_set_flags, GUEST_STDIN, FDFLAG_NONBLOCK),
		0);
	CHECK_INT(CALL(g, fd_fdstat_set_flags, GUEST_STDOUT, FDFLAG_NONBLOCK),
		0);
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), -WASI_AGAIN);
	g->out.room = 2;
	CHECK_INT(CALL(g, fd_write, GUEST_STDOUT, guest_iov(g, 0, 5), 1,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 2);
	CHECK_INT(guest_write(g, GUEST_STDOUT, "abc"), WASI_AGAIN);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

TEST(a_list_is_filled_with_what_is_there)
{
	struct guest *g = guest_new();
	buf_str(&g->in.in, "abcde");
	guest_set(g, 0x200, 0x1000, 4);
	guest_set(g, 0x204, 2, 4);
	guest_set(g, 0x208, 0x1100, 4);
	guest_set(g, 0x20c, 8, 4);
	CHECK_INT(CALL(g, fd_read, GUEST_STDIN, 0x200, 2, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 5);
	CHECK_MEM(g->caller.memory + 0x1100, "cde", 3);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

TEST(an_error_of_the_stream_reaches_the_program)
{
	struct guest *g = guest_new();
	g->out.error = WASI_PIPE;
	CHECK_INT(guest_write(g, GUEST_STDOUT, "abc"), WASI_PIPE);
	g->in.error = WASI_CONNRESET;
	CHECK_INT(guest_read(g, GUEST_STDIN, 4), -WASI_CONNRESET);
	guest_free(g);
}

TEST(the_direction_of_a_stream_is_kept)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_write(g, GUEST_STDIN, "abc"), WASI_BADF);
	CHECK_INT(guest_read(g, GUEST_STDOUT, 4), -WASI_BADF);
	guest_free(g);
}

TEST(no_bytes_are_moved_at_once)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_read(g, GUEST_STDIN, 0), 0);
	CHECK_INT(guest_write(g, GUEST_STDOUT, ""), 0);
	CHECK_INT(CALL(g, fd_read, GUEST_STDIN, 0xffffffff, 0, GUEST_OUT), 0);
	CHECK_INT(g->waits + g->in.reads, 0);
	guest_free(g);
}
