/* SPDX-License-Identifier: Apache-2.0 */
/* Where paths lead, and that none leads out. */
#include "../test.h"
#include "helpers/guest.h"
#include "wasi/wasi_priv.h"

/* a/b/c/file, a/b/link -> c, a/up -> .., loop <-> loop2, out -> ../.. */
static struct guest *tree(void)
{
	static const char *const dirs[] = { "a", "a/b", "a/b/c", "e" };
	static const char *const links[][2] = { { "c", "a/b/link" },
		{ "..", "a/up" }, { "loop2", "loop" }, { "loop", "loop2" },
		{ "../..", "a/out" }, { "a/b/c/file", "tofile" },
		{ "none", "dangling" }, { "a/", "slashed" }, { "up", "a/via" },
		{ "a/b/../b/./c", "winding" } };
	struct guest *g = guest_new();
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(CALL(g, path_create_directory, GUEST_DIR,
				  P(g, dirs[i])),
			0);
	CHECK_INT(guest_file(g, "a/b/c/file", "x"), 0);
	CHECK_INT(guest_file(g, "top", "x"), 0);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		CHECK_INT(CALL(g, path_symlink, P(g, links[i][0]), GUEST_DIR,
				  P(g, links[i][1])),
			0);
	return g;
}

TEST(paths_lead_where_posix_says)
{
	static const struct {
		const char *path;
		bool follow;
		int result;
		unsigned type;
	} rows[] = {
		{ "a/b/c/file", false, 0, FILETYPE_FILE },
		{ "a//b/./c/../c///file", false, 0, FILETYPE_FILE },
		{ "a/../a/b/../../a/b", false, 0, FILETYPE_DIRECTORY },
		{ ".", false, 0, FILETYPE_DIRECTORY },
		{ "./", false, 0, FILETYPE_DIRECTORY },
		{ "a/..", false, 0, FILETYPE_DIRECTORY },
		{ "a/b/link", false, 0, FILETYPE_SYMLINK },
		{ "a/b/link", true, 0, FILETYPE_DIRECTORY },
		{ "a/b/link/", false, 0, FILETYPE_DIRECTORY },
		{ "a/b/link/file", false, 0, FILETYPE_FILE },
		{ "a/up/top", false, 0, FILETYPE_FILE },
		{ "a/up/a/up/a/up/top", false, 0, FILETYPE_FILE },
		{ "a/via/top", false, 0, FILETYPE_FILE },
		{ "winding/file", false, 0, FILETYPE_FILE },
		{ "slashed", true, 0, FILETYPE_DIRECTORY },
		{ "slashed/b", false, 0, FILETYPE_DIRECTORY },
		{ "tofile", true, 0, FILETYPE_FILE },
		{ "tofile/", false, WASI_NOTDIR, 0 },
		{ "tofile/x", false, WASI_NOTDIR, 0 },
		{ "top/", false, WASI_NOTDIR, 0 },
		{ "top/.", false, WASI_NOTDIR, 0 },
		{ "top/..", false, WASI_NOTDIR, 0 },
		{ "none", false, WASI_NOENT, 0 },
		{ "none/..", false, WASI_NOENT, 0 },
		{ "none/x", false, WASI_NOENT, 0 },
		{ "dangling", false, 0, FILETYPE_SYMLINK },
		{ "dangling", true, WASI_NOENT, 0 },
		{ "loop", true, WASI_LOOP, 0 },
		{ "loop/x", false, WASI_LOOP, 0 },
		{ "", false, WASI_NOENT, 0 },
	};
	struct guest *g = tree();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = guest_stat(g, GUEST_DIR, rows[i].path, rows[i].follow);
		if (r != rows[i].result || (!r && ST_TYPE != rows[i].type))
			fail_msg("%s: %d, type %d", rows[i].path, r,
				(int)ST_TYPE);
	}
	guest_free(g);
}

TEST(no_path_leads_out_of_its_directory)
{
	static const char *const out[] = { "..", "../", "a/../..", "/", "/a",
		"//", "a/out", "a/out/", "a/out/x", "a/b/link/../../../..",
		"a/up/..", "a/via/..", "./..", "e/../../e", "../a" };
	struct guest *g = tree();
	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		uint32_t fd;
		int r = guest_stat(g, GUEST_DIR, out[i], true);
		int o = guest_open(g, GUEST_DIR, out[i], OFLAG_CREAT, &fd);
		int m = CALL(g, path_create_directory, GUEST_DIR, P(g, out[i]));
		if (r != WASI_PERM || o != WASI_PERM ||
			(m != WASI_PERM && m != WASI_EXIST))
			fail_msg("%s: %d %d %d", out[i], r, o, m);
	}
	guest_free(g);
}

TEST(a_directory_descriptor_is_a_border_too)
{
	struct guest *g = tree();
	uint32_t a, fd;
	CHECK_INT(guest_open(g, GUEST_DIR, "a", OFLAG_DIRECTORY, &a), 0);
	CHECK_INT(guest_stat(g, a, "b/c/file", false), 0);
	CHECK_INT(guest_stat(g, a, "..", false), WASI_PERM);
	CHECK_INT(guest_stat(g, a, "up/top", false), WASI_PERM);
	CHECK_INT(guest_stat(g, a, "b/../../top", false), WASI_PERM);
	/* Moving the directory elsewhere moves the border with it. */
	CHECK_INT(CALL(g, path_rename, GUEST_DIR, P(g, "a"), GUEST_DIR,
			  P(g, "e/moved")),
		0);
	CHECK_INT(guest_stat(g, a, "b/c/file", false), 0);
	CHECK_INT(guest_stat(g, a, "..", false), WASI_PERM);
	CHECK_INT(guest_stat(g, a, "up/moved", false), WASI_PERM);
	/* A directory that was moved out of it is not below it any more. */
	CHECK_INT(guest_open(g, a, "b", OFLAG_DIRECTORY, &fd), 0);
	CHECK_INT(CALL(g, path_rename, a, P(g, "b"), GUEST_DIR, P(g, "b")), 0);
	CHECK_INT(guest_stat(g, fd, "../top", false), WASI_PERM);
	CHECK_INT(guest_stat(g, fd, "c/../c/file", false), 0);
	guest_free(g);
}

TEST(a_removed_directory_descriptor_leads_nowhere)
{
	struct guest *g = guest_new();
	uint32_t d, fd;
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "d")), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "d", OFLAG_DIRECTORY, &d), 0);
	CHECK_INT(CALL(g, path_remove_directory, GUEST_DIR, P(g, "d")), 0);
	CHECK_INT(guest_stat(g, d, ".", false), 0);
	CHECK_INT(guest_stat(g, d, "..", false), WASI_PERM);
	CHECK_INT(guest_open(g, d, "f", OFLAG_CREAT, &fd), WASI_NOENT);
	CHECK_INT(CALL(g, path_create_directory, d, P(g, "x")), WASI_NOENT);
	guest_free(g);
}

TEST(absolute_links_are_neither_made_nor_followed)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, path_symlink, P(g, "/"), GUEST_DIR, P(g, "l")),
		WASI_PERM);
	CHECK_INT(CALL(g, path_symlink, P(g, "/a/b"), GUEST_DIR, P(g, "l")),
		WASI_PERM);
	/* One that came with the files is no way out either. */
	struct vfs *v = memfs_vfs(g->fs);
	CHECK_INT(v->ops->symlink(v, g->root, BYTES_LIT("l"),
			  BYTES_LIT("/ro/f")),
		0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l", true), WASI_PERM);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l", false), 0);
	guest_free(g);
}

TEST(names_and_paths_have_a_longest)
{
	struct guest *g = guest_new();
	static char name[300], path[5000];
	memset(name, 'n', 256);
	CHECK_INT(guest_stat(g, GUEST_DIR, name, false), WASI_NAMETOOLONG);
	name[255] = 0;
	CHECK_INT(guest_stat(g, GUEST_DIR, name, false), WASI_NOENT);
	memset(path, '.', 4096);
	for (size_t i = 1; i < 4096; i += 2)
		path[i] = '/';
	CHECK_INT(guest_stat(g, GUEST_DIR, path, false), 0);
	path[4096] = '/';
	CHECK_INT(guest_stat(g, GUEST_DIR, path, false), WASI_NAMETOOLONG);
	guest_free(g);
}

TEST(forty_links_are_followed_and_no_more)
{
	struct guest *g = guest_new();
	char name[8] = "l00", target[8] = "end";
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, P(g, "end")), 0);
	for (int i = 0; i <= 40; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		CHECK_INT(CALL(g, path_symlink, P(g, target), GUEST_DIR,
				  P(g, name)),
			0);
		memcpy(target, name, 4);
	}
	CHECK_INT(guest_stat(g, GUEST_DIR, "l39", true), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l39/", false), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l40", true), WASI_LOOP);
	CHECK_INT(guest_stat(g, GUEST_DIR, "l39/../l00", true), WASI_LOOP);
	guest_free(g);
}

TEST(links_that_multiply_are_stopped)
{
	struct guest *g = guest_new();
	char name[4] = "a", target[8];
	CHECK_INT(CALL(g, path_symlink, P(g, "."), GUEST_DIR, P(g, "a")), 0);
	for (char c = 'b'; c <= 'z'; c++) {
		target[0] = target[2] = (char)(c - 1);
		target[1] = '/';
		target[3] = 0;
		name[0] = c;
		CHECK_INT(CALL(g, path_symlink, P(g, target), GUEST_DIR,
				  P(g, name)),
			0);
	}
	CHECK_INT(guest_stat(g, GUEST_DIR, "e", true), 0);
	CHECK_INT(guest_stat(g, GUEST_DIR, "z", true), WASI_LOOP);
	guest_free(g);
}

TEST(path_texts_are_utf8_without_nul_inside_memory)
{
	static const struct {
		const char *text;
		size_t len;
		int result;
	} rows[] = {
		{ "a\0b", 3, WASI_INVAL },
		{ "f\0", 2, WASI_INVAL },
		{ "\xff", 1, WASI_ILSEQ },
		{ "\x80", 1, WASI_ILSEQ },
		{ "\xc3", 1, WASI_ILSEQ },
		{ "\xc0\xaf", 2, WASI_ILSEQ },
		{ "\xe0\x80\xaf", 3, WASI_ILSEQ },
		{ "\xed\xa0\x80", 3, WASI_ILSEQ },
		{ "\xf4\x90\x80\x80", 4, WASI_ILSEQ },
		{ "\xf8\x88\x80\x80\x80", 5, WASI_ILSEQ },
		{ "\xc3\xa4", 2, WASI_NOENT },
		{ "\xe2\x82\xac", 3, WASI_NOENT },
		{ "\xf0\x9f\x98\x80", 4, WASI_NOENT },
	};
	struct guest *g = guest_new();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		guest_put(g, 0x1000, rows[i].text, rows[i].len);
		CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 0, 0x1000,
				  rows[i].len, GUEST_OUT),
			rows[i].result);
	}
	/* Cut in a character whose rest lies behind the path. */
	guest_put(g, 0x1000, "x\xe2\x82\xac", 4);
	for (uint32_t len = 2; len < 4; len++)
		CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 0, 0x1000, len,
				  GUEST_OUT),
			WASI_ILSEQ);
	CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 0, GUEST_MEMORY - 3, 4,
			  GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 0, 0x1000, 0xffffffff,
			  GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(CALL(g, path_filestat_get, GUEST_DIR, 2, P(g, "a"),
			  GUEST_OUT),
		WASI_INVAL);
	guest_free(g);
}

TEST(a_walk_keeps_no_reference)
{
	struct guest *g = tree();
	static const char *const paths[] = { "a/b/link/file", "..", "loop",
		"a/b/c/none", "top/x", "a/..", "dangling", "slashed/" };
	struct wasi_path p;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		for (int how = WASI_NOFOLLOW; how <= WASI_NAME; how++) {
			p.dir = p.node = NULL;
			(void)wasi_path_walk(g->w, g->root, bytes_str(paths[i]),
				(enum wasi_walk)how, &p);
			wasi_path_fini(g->w, &p);
		}
	/* Everything goes when its name goes: nothing is held. */
	static const char *const gone[] = { "a/b/c/file", "a/b/link", "a/up",
		"a/out", "a/via", "loop", "loop2", "top", "tofile", "dangling",
		"slashed", "winding" };
	static const char *const dirs[] = { "a/b/c", "a/b", "a", "e" };
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		CHECK_INT(CALL(g, path_unlink_file, GUEST_DIR, P(g, gone[i])),
			0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(CALL(g, path_remove_directory, GUEST_DIR,
				  P(g, dirs[i])),
			0);
	struct memfs_config none = { 0 };
	struct guest *fresh = guest_new_with(&none);
	CHECK_INT(memfs_used(g->fs), memfs_used(fresh->fs));
	guest_free(fresh);
	guest_free(g);
}
