/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way out that we know (path x links x renames x rights) through every
 * function that takes a path: the answer is an errno, and what lies outside
 * is as it was.
 *
 *	/top			outside: one file
 *	/jail			what the attacker has a descriptor of
 *	/jail/d/e		directories, /jail/f a file
 *	/jail/up, far, via	links to "..", "../..", "d/../.."
 *	/jail/d/back		a link to "../.."
 *	/jail/chain		a link to "up"
 *	/jail/tail		a link to "../top"
 */
#include "../test.h"
#include "helpers/guest.h"

static const char *const paths[] = { "..", "../", "../top", "../new",
	"./../top", "d/../../top", "d/e/../../../top", "/", "/top", "//top",
	"/jail/f", "up", "up/", "up/top", "up/new", "far/top", "via/top",
	"d/back/top", "chain/top", "chain/../top", "tail", "tail/",
	"up/jail/../top", "d/e/../back/top", "moved/back/../../top" };

/* What happens before: nothing, or the ground shifts. */
enum { STAYS, MOVED_IN, MOVED_OUT, SWAPPED, GROUNDS };

struct yard {
	struct guest *g;
	uint32_t jail;
	uint64_t rights;
};

static void yard_open(struct yard *y, unsigned ground, uint64_t rights)
{
	struct guest *g = y->g = guest_new();
	static const char *const dirs[] = { "jail", "jail/d", "jail/d/e" };
	static const char *const links[][2] = { { "..", "jail/up" },
		{ "../..", "jail/far" }, { "d/../..", "jail/via" },
		{ "../..", "jail/d/back" }, { "up", "jail/chain" },
		{ "../top", "jail/tail" } };
	y->rights = rights;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(CALL(g, path_create_directory, GUEST_DIR,
				  P(g, dirs[i])),
			0);
	CHECK_INT(guest_file(g, "top", "outside"), 0);
	CHECK_INT(guest_file(g, "jail/f", "inside"), 0);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		CHECK_INT(CALL(g, path_symlink, P(g, links[i][0]), GUEST_DIR,
				  P(g, links[i][1])),
			0);
	CHECK_INT(CALL(g, path_open, GUEST_DIR, 0, P(g, "jail"),
			  OFLAG_DIRECTORY, rights & RIGHTS_DIRECTORY, rights, 0,
			  GUEST_OUT),
		0);
	y->jail = (uint32_t)guest_get(g, GUEST_OUT, 4);
	if (ground == MOVED_IN)
		CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "jail/d"),
				  GUEST_DIR, P(g, "jail/moved")),
			0);
	if (ground == MOVED_OUT)
		CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "jail/d"),
				  GUEST_DIR, P(g, "d")),
			0);
	if (ground == SWAPPED) {
		/* A directory on the path becomes a link out. */
		CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "jail/d"),
				  GUEST_DIR, P(g, "jail/moved")),
			0);
		CHECK_INT(CALL(g, path_symlink, P(g, ".."), GUEST_DIR,
				  P(g, "jail/d")),
			0);
	}
}

/* Outside there is what there was. */
static void yard_close(struct yard *y, const char *path, unsigned call)
{
	struct guest *g = y->g;
	uint32_t fd;
	bool same = guest_stat(g, GUEST_DIR, "top", false) == 0 &&
		ST_SIZE == 7 && ST_NLINK == 1 && ST_MTIM != 42 &&
		guest_stat(g, GUEST_DIR, "new", false) == WASI_NOENT &&
		guest_stat(g, GUEST_DIR, "jail", false) == 0;
	if (same && guest_open(g, GUEST_DIR, "top", 0, &fd) == 0)
		same = guest_read(g, fd, 100) == 7 &&
			!memcmp(g->caller.memory + GUEST_READ_AT, "outside", 7);
	if (!same)
		fail_msg("function %u, %s: outside was changed", call, path);
	guest_free(g);
}

enum { CALLS = 16 };

/* The errno of each function in turn, with the path where a path goes. */
static int attack(struct yard *y, unsigned call, const char *path)
{
	struct guest *g = y->g;
	uint32_t d = y->jail;
	switch (call) {
	case 0: /* both ways of following */
		return CALL(g, path_filestat_get, d, 1, P(g, path), GUEST_OUT);
	case 1:
		return CALL(g, path_open, d, 1, P(g, path), 0, RIGHT_FD_READ, 0,
			0, GUEST_OUT);
	case 2:
		return CALL(g, path_open, d, 1, P(g, path), OFLAG_CREAT,
			RIGHT_FD_READ | RIGHT_FD_WRITE, 0, 0, GUEST_OUT);
	case 3:
		return CALL(g, path_open, d, 1, P(g, path), OFLAG_TRUNC,
			RIGHT_FD_WRITE, 0, 0, GUEST_OUT);
	case 4:
		return CALL(g, path_open, d, 1, P(g, path), OFLAG_DIRECTORY,
			y->rights & RIGHTS_DIRECTORY, y->rights, 0, GUEST_OUT);
	case 5:
		return CALL(g, path_create_directory, d, P(g, path));
	case 6: /* a name that is a link goes, and only it */
		return CALL(g, path_unlink_file, d, P(g, path));
	case 7:
		return CALL(g, path_remove_directory, d, P(g, path));
	case 8:
		return CALL(g, path_rename, d, P(g, "f"), d, P(g, path));
	case 9:
		return CALL(g, path_rename, d, P(g, path), d, P(g, "g"));
	case 10:
		return CALL(g, path_link, d, 1, P(g, path), d, P(g, "g"));
	case 11:
		return CALL(g, path_link, d, 0, P(g, "f"), d, P(g, path));
	case 12:
		return CALL(g, path_symlink, P(g, "x"), d, P(g, path));
	case 13: /* of a link itself it is no way out */
		return CALL(g, path_readlink, d, P(g, path), 0x3000, 64,
			GUEST_OUT);
	case 14:
		return CALL(g, path_filestat_set_times, d, 1, P(g, path), 42,
			42, FST_MTIM);
	default: /* and what a link made inside could lead to */
		CALL(g, path_symlink, P(g, path), d, P(g, "mine"));
		return CALL(g, path_open, d, 1, P(g, "mine"), 0, RIGHT_FD_READ,
			0, 0, GUEST_OUT);
	}
}

/* These act on a name in the jail when the path's last part is a link. */
static bool on_the_name(unsigned call, const char *path)
{
	size_t n = strlen(path);
	bool link = !strcmp(path, "up") || !strcmp(path, "tail");
	return n && link && (call == 6 || call == 8 || call == 9 || call == 13);
}

TEST(no_way_leads_out)
{
	static const uint64_t rights[] = { RIGHTS_ALL, RIGHTS_DIRECTORY,
		RIGHT_PATH_OPEN | RIGHT_FD_READ | RIGHT_PATH_FILESTAT_GET, 0 };
	for (unsigned ground = 0; ground < GROUNDS; ground++)
		for (size_t r = 0; r < ARRAY_LEN(rights); r++)
			for (size_t p = 0; p < ARRAY_LEN(paths); p++)
				for (unsigned call = 0; call < CALLS; call++) {
					struct yard y;
					yard_open(&y, ground, rights[r]);
					int got = attack(&y, call, paths[p]);
					if (!got &&
						!on_the_name(call, paths[p]))
						fail_msg("ground %u, function "
							 "%u: %s leads "
							 "somewhere",
							ground, call, paths[p]);
					yard_close(&y, paths[p], call);
				}
}

/* A descriptor below the jail is a jail of its own, wherever it is moved. */
TEST(a_directory_that_was_moved_out_takes_its_border_along)
{
	struct yard y;
	yard_open(&y, STAYS, RIGHTS_ALL);
	struct guest *g = y.g;
	uint32_t e;
	CHECK_INT(guest_open(g, y.jail, "d/e", OFLAG_DIRECTORY, &e), 0);
	CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "jail/d/e"), GUEST_DIR,
			  P(g, "e")),
		0);
	for (size_t p = 0; p < ARRAY_LEN(paths); p++)
		CHECK(guest_stat(g, e, paths[p], true) != 0);
	yard_close(&y, "e", 0);
}
