/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

TEST(closing_closes_once)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_close, GUEST_STDIN), 0);
	CHECK_INT(g->in.closed, 1);
	CHECK_INT(CALL(g, fd_close, GUEST_STDIN), WASI_BADF);
	CHECK_INT(CALL(g, fd_close, GUEST_DIR), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, ".", false), WASI_BADF);
	CHECK_INT(CALL(g, fd_close, 0xffffffff), WASI_BADF);
	guest_free(g);
}

TEST(renumbering_moves_and_closes_what_was_there)
{
	struct guest *g = guest_new();
	uint32_t a, b;
	CHECK_INT(guest_open(g, GUEST_DIR, "a", OFLAG_CREAT, &a), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "b", OFLAG_CREAT, &b), 0);
	CHECK_INT(guest_write(g, a, "from a"), 0);
	CHECK_INT(CALL(g, fd_renumber, a, GUEST_STDOUT), 0);
	CHECK_INT(g->out.closed, 1);
	CHECK_INT(guest_write(g, GUEST_STDOUT, "!"), 0);
	CHECK_INT(CALL(g, fd_close, a), WASI_BADF);
	CHECK_INT(CALL(g, fd_renumber, b, a), WASI_BADF);
	CHECK_INT(CALL(g, fd_renumber, a, b), WASI_BADF);
	CHECK_INT(CALL(g, fd_renumber, b, b), 0);
	CHECK_INT(guest_write(g, b, "still open"), 0);
	CHECK_INT(CALL(g, fd_renumber, b, 0xffffffff), WASI_BADF);
	guest_free(g);
}

TEST(a_preopen_can_be_moved_and_is_one_there)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_renumber, GUEST_RO, GUEST_DIR), 0);
	CHECK_INT(CALL(g, fd_prestat_get, GUEST_DIR, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT + 4, 4), 3);
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "x")),
		WASI_ROFS);
	guest_free(g);
}
