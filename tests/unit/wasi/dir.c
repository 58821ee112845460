/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../test.h"
#include "helpers/guest.h"

enum { BUF = 0x2000, USED = 0x100 };

/* One fd_readdir; the names joined by commas in out, the cookie to go on. */
static uint64_t names(struct guest *g, uint32_t fd, uint32_t room,
	uint64_t cookie, char *out, bool *end)
{
	CHECK_INT(CALL(g, fd_readdir, fd, BUF, room, cookie, USED), 0);
	uint32_t used = (uint32_t)guest_get(g, USED, 4), at = 0;
	*end = used < room;
	out[0] = 0;
	while (used - at >= DIRENT_BYTES) {
		uint32_t len = (uint32_t)guest_get(g, BUF + at + 16, 4);
		if (used - at - DIRENT_BYTES < len)
			break;
		size_t had = strlen(out);
		memcpy(out + had, g->caller.memory + BUF + at + DIRENT_BYTES,
			len);
		memcpy(out + had + len, ",", 2);
		cookie = guest_get(g, BUF + at, 8);
		at += DIRENT_BYTES + len;
	}
	return cookie;
}

TEST(a_directory_lists_itself_its_parent_and_its_names)
{
	struct guest *g = guest_new();
	char text[256];
	bool end;
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "d")), 0);
	CHECK_INT(CALL(g, path_symlink, P(g, "f"), GUEST_DIR, P(g, "l")), 0);
	names(g, GUEST_DIR, 4096, 0, text, &end);
	CHECK_STR(text, ".,..,f,d,l,");
	CHECK(end);
	CHECK_INT(guest_get(g, BUF + 20, 1), FILETYPE_DIRECTORY);
	uint64_t ino = guest_get(g, BUF + 8, 8);
	CHECK_INT(CALL(g, fd_filestat_get, GUEST_DIR, GUEST_OUT), 0);
	CHECK_INT(ST_INO, ino);
	guest_free(g);
}

TEST(a_cookie_goes_on_where_it_was_given)
{
	struct guest *g = guest_new();
	char name[16], text[256], all[4096] = "";
	bool end = false;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "file%d", i);
		CHECK_INT(guest_file(g, name, ""), 0);
	}
	unsigned count = 0;
	for (uint64_t cookie = 0; !end; count++) {
		/* Not a multiple of anything: entries are cut. */
		cookie = names(g, GUEST_DIR, 101, cookie, text, &end);
		CHECK(text[0] || end);
		strncat(all, text, sizeof all - strlen(all) - 1);
	}
	CHECK(count > 10);
	CHECK(!strncmp(all, ".,..,file0,file1,", 17));
	CHECK(strstr(all, ",file39,") + 8 == all + strlen(all));
	guest_free(g);
}

TEST(files_removed_while_listing_hide_no_others)
{
	struct guest *g = guest_new();
	char name[16], text[256];
	bool end = false;
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "f%d", i);
		CHECK_INT(guest_file(g, name, ""), 0);
	}
	int removed = 0;
	for (uint64_t cookie = 2; !end;) {
		/* What rm -r does: list some, remove them, go on. */
		cookie = names(g, GUEST_DIR, 120, cookie, text, &end);
		for (char *p = text, *q; (q = strchr(p, ',')); p = q + 1) {
			*q = 0;
			CHECK_INT(CALL(g, path_unlink_file, GUEST_DIR, P(g, p)),
				0);
			removed++;
		}
	}
	CHECK_INT(removed, 30);
	guest_free(g);
}

TEST(a_full_buffer_says_that_there_is_more)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_file(g, "name", ""), 0);
	for (uint32_t room = 0; room < 3 * DIRENT_BYTES + 7; room++) {
		CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, BUF, room, 0, USED),
			0);
		CHECK_INT(guest_get(g, USED, 4), room);
		CHECK_INT(guest_get(g, BUF + room, 1), 0);
	}
	CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, BUF, 1000, 0, USED), 0);
	CHECK_INT(guest_get(g, USED, 4), 3 * DIRENT_BYTES + 7);
	guest_free(g);
}

TEST(any_cookie_is_safe)
{
	struct guest *g = guest_new();
	static const uint64_t cookies[] = { 3, 4, 99, UINT64_MAX - 1,
		UINT64_MAX };
	CHECK_INT(guest_file(g, "f", ""), 0);
	CHECK_INT(CALL(g, path_unlink_file, GUEST_DIR, P(g, "f")), 0);
	for (size_t i = 0; i < ARRAY_LEN(cookies); i++) {
		CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, BUF, 100, cookies[i],
				  USED),
			0);
		CHECK_INT(guest_get(g, USED, 4), 0);
	}
	guest_free(g);
}

TEST(only_directories_are_listed_and_only_into_memory)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, fd_readdir, GUEST_STDIN, BUF, 100, 0, USED),
		WASI_NOTDIR);
	CHECK_INT(CALL(g, fd_readdir, 50, BUF, 100, 0, USED), WASI_BADF);
	CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, GUEST_MEMORY - 50, 100, 0,
			  USED),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, BUF, 0xffffffff, 0, USED),
		WASI_FAULT);
	CHECK_INT(CALL(g, fd_readdir, GUEST_DIR, BUF, 100, 0, 0xffffffff),
		WASI_FAULT);
	guest_free(g);
}
