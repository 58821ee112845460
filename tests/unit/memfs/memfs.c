/* SPDX-License-Identifier: Apache-2.0 */
#include "memfs/memfs.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/buf.h"
#include "wasi/errno.h"

struct world {
	struct memfs *fs;
	struct vfs *v;
	struct vfs_node *root;
	uint64_t time;
};

static uint64_t tick(void *ctx)
{
	return ((struct world *)ctx)->time++;
}

static struct world begin(uint64_t max_bytes, uint64_t max_nodes)
{
	static struct world w;
	struct err e;
	w = (struct world){ .time = 100 };
	struct memfs_config cfg = { .max_bytes = max_bytes,
		.max_nodes = max_nodes,
		.now = tick,
		.ctx = &w };
	CHECK(memfs_new(&cfg, &w.fs, &e));
	w.v = memfs_vfs(w.fs);
	CHECK(memfs_root(w.fs, &w.root, &e));
	return w;
}

static int make(struct world *w, struct vfs_node *dir, const char *name,
	enum vfs_type type, struct vfs_node **out)
{
	struct vfs_node *n;
	int r = w->v->ops->create(w->v, dir, bytes_str(name), type, &n);
	if (out)
		*out = n;
	else if (!r)
		w->v->ops->unref(w->v, n);
	return r;
}

static int look(struct world *w, struct vfs_node *dir, const char *name)
{
	struct vfs_node *n;
	int r = w->v->ops->lookup(w->v, dir, bytes_str(name), &n);
	if (!r)
		w->v->ops->unref(w->v, n);
	return r;
}

static int drop(struct world *w, struct vfs_node *dir, const char *name, bool d)
{
	return w->v->ops->remove(w->v, dir, bytes_str(name), d);
}

static int move(struct world *w, struct vfs_node *from, const char *a,
	struct vfs_node *to, const char *b)
{
	return w->v->ops->rename(w->v, from, bytes_str(a), to, bytes_str(b));
}

static struct vfs_stat stat_of(struct world *w, struct vfs_node *n)
{
	struct vfs_stat st;
	CHECK_INT(w->v->ops->stat(w->v, n, &st), 0);
	return st;
}

static size_t put(struct world *w, struct vfs_node *n, uint64_t at,
	const void *from, size_t len)
{
	int r = w->v->ops->write(w->v, n, at, from, &len);
	return r ? 0 : len;
}

static size_t get(struct world *w, struct vfs_node *n, uint64_t at, uint8_t *to,
	size_t len)
{
	CHECK_INT(w->v->ops->read(w->v, n, at, to, &len), 0);
	return len;
}

/* The names of a directory from a cookie on, joined by commas. */
static uint64_t list(struct world *w, struct vfs_node *dir, uint64_t cookie,
	int max, char *out)
{
	struct vfs_entry e;
	bool more;
	out[0] = 0;
	size_t at = 0;
	for (; max > 0; max--) {
		CHECK_INT(w->v->ops->entry(w->v, dir, cookie, &e, &more), 0);
		if (!more)
			break;
		memcpy(out + at, e.name.ptr, e.name.len);
		at += e.name.len;
		out[at++] = ',';
		out[at] = 0;
		cookie = e.next;
	}
	return cookie;
}

TEST(a_file_holds_what_was_written_at_any_offset)
{
	struct world w = begin(8 << 20, 0);
	struct vfs_node *f;
	enum { SIZE = 3 << 16 };
	uint8_t *model = calloc(1, SIZE + 100), *back = malloc(SIZE + 100);
	CHECK(model && back);
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	uint32_t seed = 7;
	size_t end = 0;
	for (int i = 0; i < 2000; i++) {
		uint8_t block[700];
		seed = seed * 1664525 + 1013904223;
		size_t at = seed % SIZE, n = seed >> 8 & 511;
		if (n > SIZE - at)
			n = SIZE - at;
		if (i % 50 == 49) {
			CHECK_INT(w.v->ops->resize(w.v, f, at), 0);
			if (at < end)
				memset(model + at, 0, end - at);
			end = at;
			continue;
		}
		memset(block, i + 1, n);
		CHECK_INT(put(&w, f, at, block, n), n);
		memcpy(model + at, block, n);
		if (n && at + n > end)
			end = at + n;
		CHECK_INT(stat_of(&w, f).size, end);
	}
	CHECK_INT(get(&w, f, 0, back, SIZE + 100), end);
	CHECK_MEM(model, back, end);
	w.v->ops->unref(w.v, f);
	memfs_free(w.fs);
	free(model);
	free(back);
}

TEST(a_hole_costs_nothing_and_reads_as_zeros)
{
	struct world w = begin(1 << 20, 0);
	struct vfs_node *f;
	uint8_t back[64];
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	CHECK_INT(w.v->ops->resize(w.v, f, 1ull << 40), 0);
	CHECK_INT(w.v->ops->resize(w.v, f, (1ull << 40) + 1), WASI_FBIG);
	CHECK_INT(put(&w, f, 5ull << 30, "abc", 3), 3);
	CHECK_INT(get(&w, f, (5ull << 30) - 2, back, 7), 7);
	CHECK_MEM(back, "\0\0abc\0\0", 7);
	CHECK_INT(get(&w, f, 12345, back, 64), 64);
	CHECK(bytes_all_zero(BYTES_ARRAY(back)));
	CHECK(memfs_used(w.fs) < 0x20000);
	CHECK_INT(get(&w, f, 1ull << 41, back, 64), 0);
	size_t n = 1;
	CHECK_INT(w.v->ops->write(w.v, f, 1ull << 40, back, &n), WASI_FBIG);
	CHECK_INT(put(&w, f, (1ull << 40) - 1, "xy", 2), 1);
	w.v->ops->unref(w.v, f);
	memfs_free(w.fs);
}

TEST(a_file_grows_through_every_size_of_its_table)
{
	struct world w = begin(8 << 20, 0);
	struct vfs_node *f;
	uint8_t back[2];
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	for (int k = 0; k < 16; k++) {
		uint64_t at = (16ull << 20 << k) - 1;
		CHECK_INT(put(&w, f, at, "ab", 2), 2);
		CHECK_INT(get(&w, f, at, back, 2), 2);
		CHECK_MEM(back, "ab", 2);
	}
	uint64_t used = memfs_used(w.fs);
	CHECK_INT(w.v->ops->resize(w.v, f, 16ull << 20), 0);
	CHECK(memfs_used(w.fs) < used);
	CHECK_INT(w.v->ops->resize(w.v, f, 32ull << 20), 0);
	CHECK_INT(get(&w, f, (16ull << 20) - 1, back, 2), 2);
	CHECK_MEM(back, "a\0", 2);
	w.v->ops->unref(w.v, f);
	CHECK_INT(drop(&w, w.root, "f", false), 0);
	CHECK_INT(memfs_used(w.fs), 0);
	memfs_free(w.fs);
}

TEST(the_quota_holds_to_the_byte_and_all_of_it_comes_back)
{
	struct world w = begin(0x40000 + 65, 0);
	struct vfs_node *f, *g;
	static uint8_t block[0x50000];
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	CHECK_INT(memfs_used(w.fs), 65);
	CHECK_INT(put(&w, f, 0, block, sizeof block), 0x40000);
	CHECK_INT(memfs_used(w.fs), 0x40000 + 65);
	CHECK_INT(put(&w, f, 0x40000, block, 1), 0);
	CHECK_INT(make(&w, w.root, "g", VFS_FILE, &g), WASI_NOSPC);
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_str("t")),
		WASI_NOSPC);
	CHECK_INT(look(&w, w.root, "l"), WASI_NOENT);
	/* A full disk can rename, remove and overwrite. */
	CHECK_INT(move(&w, w.root, "f", w.root, "h"), 0);
	CHECK_INT(put(&w, f, 0, "new", 3), 3);
	CHECK_INT(w.v->ops->resize(w.v, f, 0x10000), 0);
	CHECK_INT(memfs_used(w.fs), 0x10000 + 65);
	CHECK_INT(w.v->ops->resize(w.v, f, 0), 0);
	CHECK_INT(memfs_used(w.fs), 65);
	CHECK_INT(drop(&w, w.root, "h", false), 0);
	CHECK_INT(memfs_used(w.fs), 0);
	w.v->ops->unref(w.v, f);
	memfs_free(w.fs);
}

TEST(what_does_not_fit_leaves_no_trace)
{
	/* Every quota up to what all of it takes. */
	for (uint64_t max = 1; max < 700; max += 3) {
		struct world w = begin(max, 0);
		struct vfs_node *f = NULL, *d = NULL;
		struct vfs_stat st = { 0 };
		int made = make(&w, w.root, "file", VFS_FILE, &f);
		if (!made)
			(void)put(&w, f, 0, "0123456789", 10);
		if (!made && !make(&w, w.root, "dir", VFS_DIRECTORY, &d)) {
			int r = w.v->ops->link(w.v, f, d, bytes_str("hard"));
			st = stat_of(&w, f);
			CHECK(r == 0 || r == WASI_NOSPC);
			CHECK_INT(st.nlink, r ? 1 : 2);
			CHECK_INT(look(&w, d, "hard"), r ? WASI_NOENT : 0);
			r = w.v->ops->symlink(w.v, d, bytes_str("soft"),
				bytes_str("a target of some length"));
			CHECK(r == 0 || r == WASI_NOSPC);
			CHECK_INT(look(&w, d, "soft"), r ? WASI_NOENT : 0);
			w.v->ops->unref(w.v, d);
			(void)drop(&w, d, "hard", false);
			(void)drop(&w, d, "soft", false);
			CHECK_INT(drop(&w, w.root, "dir", true), 0);
		}
		CHECK(memfs_used(w.fs) <= max);
		if (!made) {
			w.v->ops->unref(w.v, f);
			CHECK_INT(drop(&w, w.root, "file", false), 0);
		}
		CHECK_INT(memfs_used(w.fs), 0);
		memfs_free(w.fs);
	}
}

TEST(the_number_of_files_is_limited)
{
	struct world w = begin(0, 3); /* the root is one */
	struct vfs_node *f;
	CHECK_INT(make(&w, w.root, "a", VFS_FILE, NULL), 0);
	CHECK_INT(make(&w, w.root, "b", VFS_DIRECTORY, NULL), 0);
	CHECK_INT(make(&w, w.root, "c", VFS_FILE, &f), WASI_NOSPC);
	CHECK_INT(drop(&w, w.root, "a", false), 0);
	CHECK_INT(make(&w, w.root, "c", VFS_FILE, NULL), 0);
	memfs_free(w.fs);
}

TEST(a_removed_file_lives_while_it_is_held)
{
	struct world w = begin(0, 0);
	struct vfs_node *f;
	uint8_t back[4];
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	CHECK_INT(put(&w, f, 0, "data", 4), 4);
	CHECK_INT(drop(&w, w.root, "f", false), 0);
	CHECK_INT(look(&w, w.root, "f"), WASI_NOENT);
	CHECK_INT(stat_of(&w, f).nlink, 0);
	CHECK_INT(get(&w, f, 0, back, 4), 4);
	CHECK_MEM(back, "data", 4);
	CHECK_INT(w.v->ops->link(w.v, f, w.root, bytes_str("again")),
		WASI_NOENT);
	CHECK(memfs_used(w.fs) > 0);
	w.v->ops->unref(w.v, f);
	CHECK_INT(memfs_used(w.fs), 0);
	memfs_free(w.fs);
}

TEST(a_removed_directory_takes_no_new_names)
{
	struct world w = begin(0, 0);
	struct vfs_node *d, *up;
	CHECK_INT(make(&w, w.root, "d", VFS_DIRECTORY, &d), 0);
	CHECK_INT(stat_of(&w, w.root).nlink, 3);
	CHECK_INT(drop(&w, w.root, "d", true), 0);
	CHECK_INT(stat_of(&w, w.root).nlink, 2);
	CHECK_INT(make(&w, d, "x", VFS_FILE, &up), WASI_NOENT);
	CHECK_INT(w.v->ops->parent(w.v, d, &up), WASI_NOENT);
	CHECK_INT(make(&w, w.root, "x", VFS_FILE, NULL), 0);
	CHECK_INT(move(&w, w.root, "x", d, "x"), WASI_NOENT);
	w.v->ops->unref(w.v, d);
	memfs_free(w.fs);
}

TEST(hard_links_share_one_file)
{
	struct world w = begin(0, 0);
	struct vfs_node *f, *d;
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	CHECK_INT(make(&w, w.root, "d", VFS_DIRECTORY, &d), 0);
	CHECK_INT(w.v->ops->link(w.v, f, d, bytes_str("g")), 0);
	CHECK_INT(stat_of(&w, f).nlink, 2);
	CHECK_INT(w.v->ops->link(w.v, f, d, bytes_str("g")), WASI_EXIST);
	CHECK_INT(w.v->ops->link(w.v, d, d, bytes_str("h")), WASI_PERM);
	/* Renaming one name of a file over another does nothing. */
	CHECK_INT(move(&w, w.root, "f", d, "g"), 0);
	CHECK_INT(look(&w, w.root, "f"), 0);
	CHECK_INT(drop(&w, w.root, "f", false), 0);
	CHECK_INT(stat_of(&w, f).nlink, 1);
	w.v->ops->unref(w.v, f);
	w.v->ops->unref(w.v, d);
	memfs_free(w.fs);
}

TEST(rename_replaces_only_what_it_may)
{
	struct world w = begin(0, 0);
	struct vfs_node *d, *e;
	CHECK_INT(make(&w, w.root, "d", VFS_DIRECTORY, &d), 0);
	CHECK_INT(make(&w, d, "e", VFS_DIRECTORY, &e), 0);
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, NULL), 0);
	CHECK_INT(make(&w, w.root, "g", VFS_FILE, NULL), 0);
	CHECK_INT(move(&w, w.root, "d", e, "x"), WASI_INVAL);
	CHECK_INT(move(&w, w.root, "d", d, "x"), WASI_INVAL);
	CHECK_INT(move(&w, d, "e", w.root, "d"), WASI_NOTEMPTY);
	CHECK_INT(move(&w, d, "e", w.root, "f"), WASI_NOTDIR);
	CHECK_INT(move(&w, w.root, "f", w.root, "d"), WASI_ISDIR);
	CHECK_INT(move(&w, w.root, "none", w.root, "d"), WASI_NOENT);
	CHECK_INT(move(&w, w.root, "f", w.root, "g"), 0);
	CHECK_INT(look(&w, w.root, "f"), WASI_NOENT);
	CHECK_INT(make(&w, w.root, "empty", VFS_DIRECTORY, NULL), 0);
	CHECK_INT(move(&w, d, "e", w.root, "empty"), 0);
	struct vfs_node *up;
	CHECK_INT(w.v->ops->parent(w.v, e, &up), 0);
	CHECK(up == w.root);
	w.v->ops->unref(w.v, up);
	CHECK_INT(stat_of(&w, d).nlink, 2);
	CHECK_INT(stat_of(&w, w.root).nlink, 4);
	w.v->ops->unref(w.v, d);
	w.v->ops->unref(w.v, e);
	memfs_free(w.fs);
}

TEST(a_directory_is_removed_only_as_one_and_only_when_empty)
{
	struct world w = begin(0, 0);
	struct vfs_node *d;
	CHECK_INT(make(&w, w.root, "d", VFS_DIRECTORY, &d), 0);
	CHECK_INT(make(&w, d, "f", VFS_FILE, NULL), 0);
	CHECK_INT(drop(&w, w.root, "d", true), WASI_NOTEMPTY);
	CHECK_INT(drop(&w, w.root, "d", false), WASI_ISDIR);
	CHECK_INT(drop(&w, d, "f", true), WASI_NOTDIR);
	CHECK_INT(drop(&w, d, "f", false), 0);
	CHECK_INT(drop(&w, w.root, "d", true), 0);
	CHECK_INT(drop(&w, w.root, "d", true), WASI_NOENT);
	w.v->ops->unref(w.v, d);
	memfs_free(w.fs);
}

TEST(a_scan_sees_what_stays_exactly_once)
{
	struct world w = begin(0, 0);
	char name[32], text[4096];
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "%03d", i);
		CHECK_INT(make(&w, w.root, name, VFS_FILE, NULL), 0);
	}
	unsigned seen[200] = { 0 };
	uint64_t cookie = 0, next;
	/* Between two steps the odd ones go, and others come and move. */
	for (int step = 0; step < 4000; step++) {
		next = list(&w, w.root, cookie, 1, text);
		if (next == cookie)
			break;
		cookie = next;
		if (text[0] != 'n')
			seen[strtol(text, NULL, 10)]++;
		if (step < 100) {
			snprintf(name, sizeof name, "%03d", 2 * step + 1);
			CHECK_INT(drop(&w, w.root, name, false), 0);
			snprintf(name, sizeof name, "n%d", step);
			CHECK_INT(make(&w, w.root, name, VFS_FILE, NULL), 0);
		}
		if (step == 50) {
			/* Replaced in place: still the same name. */
			CHECK_INT(move(&w, w.root, "n3", w.root, "198"), 0);
		}
	}
	for (int i = 0; i < 200; i += 2)
		CHECK_INT(seen[i], 1);
	for (int i = 1; i < 200; i += 2)
		CHECK(seen[i] <= 1);
	memfs_free(w.fs);
}

TEST(a_hundred_thousand_names_are_found_and_removed)
{
	struct world w = begin(0, 0);
	char name[32];
	enum { N = 100000 };
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof name, "name-%d", i);
		CHECK_INT(make(&w, w.root, name, VFS_FILE, NULL), 0);
	}
	for (int i = 0; i < N; i += 3) {
		snprintf(name, sizeof name, "name-%d", i);
		CHECK_INT(drop(&w, w.root, name, false), 0);
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof name, "name-%d", i);
		CHECK_INT(look(&w, w.root, name), i % 3 == 0 ? WASI_NOENT : 0);
	}
	memfs_free(w.fs);
}

TEST(names_and_targets_have_a_longest)
{
	struct world w = begin(0, 0);
	char name[300];
	static char target[5000];
	struct vfs_node *f;
	memset(name, 'n', sizeof name);
	memset(target, 't', sizeof target);
	CHECK_INT(w.v->ops->create(w.v, w.root, bytes_of(name, 256), VFS_FILE,
			  &f),
		WASI_NAMETOOLONG);
	CHECK_INT(w.v->ops->create(w.v, w.root, bytes_of(name, 255), VFS_FILE,
			  &f),
		0);
	w.v->ops->unref(w.v, f);
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_of(target, 4097)),
		WASI_NAMETOOLONG);
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"), BYTES_NONE),
		WASI_NOENT);
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_of(target, 4096)),
		0);
	CHECK_INT(w.v->ops->rename(w.v, w.root, bytes_str("l"), w.root,
			  bytes_of(name, 256)),
		WASI_NAMETOOLONG);
	memfs_free(w.fs);
}

TEST(times_follow_what_happens)
{
	struct world w = begin(0, 0);
	struct vfs_node *f;
	CHECK_INT(make(&w, w.root, "f", VFS_FILE, &f), 0);
	struct vfs_stat a = stat_of(&w, f), b;
	CHECK_INT(put(&w, f, 0, "x", 1), 1);
	b = stat_of(&w, f);
	CHECK(b.mtim > a.mtim && b.ctim > a.ctim && b.atim == a.atim);
	uint64_t t = 42;
	CHECK_INT(w.v->ops->set_times(w.v, f, &t, NULL), 0);
	a = stat_of(&w, f);
	CHECK(a.atim == 42 && a.mtim == b.mtim && a.ctim > b.ctim);
	b = stat_of(&w, w.root);
	CHECK_INT(drop(&w, w.root, "f", false), 0);
	CHECK(stat_of(&w, w.root).mtim > b.mtim);
	w.v->ops->unref(w.v, f);
	memfs_free(w.fs);
}

TEST(delivered_files_get_their_parents)
{
	struct world w = begin(0, 0);
	struct vfs_node *n;
	struct err e;
	CHECK(memfs_add(w.fs, w.root, bytes_str("a/b/c"), VFS_FILE, 9, &n, &e));
	CHECK_INT(stat_of(&w, n).mtim, 9);
	CHECK(memfs_add(w.fs, w.root, bytes_str("a/b"), VFS_DIRECTORY, 9, &n,
		&e));
	CHECK(!memfs_add(w.fs, w.root, bytes_str("a/b/c"), VFS_FILE, 9, &n,
		&e));
	CHECK_STR(e.text, "file system: name is taken");
	CHECK(!memfs_add(w.fs, w.root, bytes_str("a/b"), VFS_FILE, 9, &n, &e));
	CHECK(!memfs_add(w.fs, w.root, bytes_str("a/b/c"), VFS_DIRECTORY, 9, &n,
		&e));
	CHECK(!memfs_add(w.fs, w.root, bytes_str("a/b/c/d"), VFS_FILE, 9, &n,
		&e));
	CHECK_HAS(e.text, "no directory");
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_str("a")),
		0);
	CHECK(!memfs_add(w.fs, w.root, bytes_str("l/x"), VFS_FILE, 9, &n, &e));
	memfs_free(w.fs);
}

TEST(delivered_paths_are_plain_or_refused_whole)
{
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "new/../b", "new/./b", "new/..", "new/x/" };
	struct world w = begin(0, 0);
	struct vfs_node *n;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(!memfs_add(w.fs, w.root, bytes_str(bad[i]), VFS_FILE, 0,
			&n, &e));
		CHECK_HAS(e.text, "not a plain one");
	}
	CHECK(!memfs_add(w.fs, w.root, BYTES_LIT("a\0b"), VFS_FILE, 0, &n, &e));
	CHECK_INT(look(&w, w.root, "new"), WASI_NOENT);
	memfs_free(w.fs);
}

static bool note(void *ctx, struct bytes path, struct vfs_node *node,
	const struct vfs_stat *st)
{
	struct buf *b = ctx;
	(void)node;
	buf_put(b, path);
	buf_u8(b, st->type == VFS_DIRECTORY ? '/' : ' ');
	return !bytes_equal(path, BYTES_LIT("stop"));
}

TEST(a_walk_visits_parents_before_children)
{
	struct world w = begin(0, 0);
	struct vfs_node *n;
	auto_buf text = { 0 };
	static const char *const files[] = { "a/x", "b", "a/y/z", "a/k",
		"c/d/e/f" };
	CHECK(memfs_walk(w.fs, w.root, note, &text));
	CHECK_STR(buf_cstr(&text), "");
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		CHECK(memfs_add(w.fs, w.root, bytes_str(files[i]), VFS_FILE, 0,
			&n, NULL));
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_str("a")),
		0);
	CHECK(memfs_walk(w.fs, w.root, note, &text));
	CHECK_STR(buf_cstr(&text),
		"a/a/x a/y/a/y/z a/k b c/c/d/c/d/e/c/d/e/f l ");
	CHECK(memfs_add(w.fs, w.root, bytes_str("stop"), VFS_FILE, 0, &n,
		NULL));
	CHECK(memfs_add(w.fs, w.root, bytes_str("later"), VFS_FILE, 0, &n,
		NULL));
	buf_clear(&text);
	CHECK(!memfs_walk(w.fs, w.root, note, &text));
	CHECK(!strstr(buf_cstr(&text), "later"));
	memfs_free(w.fs);
}

TEST(a_deep_tree_is_walked_and_freed_without_recursion)
{
	struct world w = begin(0, 0);
	struct vfs_node *dir = w.root, *d;
	for (int i = 0; i < 20000; i++) {
		CHECK_INT(make(&w, dir, "d", VFS_DIRECTORY, &d), 0);
		w.v->ops->unref(w.v, d);
		dir = d;
	}
	auto_buf text = { .limit = 1 };
	CHECK(memfs_walk(w.fs, w.root, note, &text));
	memfs_free(w.fs);
}

TEST(data_is_only_in_files)
{
	struct world w = begin(0, 0);
	uint8_t b[4] = { 0 };
	size_t n = 4;
	struct vfs_node *l, *n2;
	struct vfs_entry entry;
	struct bytes t;
	bool more;
	CHECK_INT(w.v->ops->read(w.v, w.root, 0, b, &n), WASI_ISDIR);
	CHECK_INT(w.v->ops->write(w.v, w.root, 0, b, &n), WASI_ISDIR);
	CHECK_INT(w.v->ops->resize(w.v, w.root, 0), WASI_ISDIR);
	CHECK_INT(w.v->ops->readlink(w.v, w.root, &t), WASI_INVAL);
	CHECK_INT(w.v->ops->symlink(w.v, w.root, bytes_str("l"),
			  bytes_str("to")),
		0);
	CHECK_INT(w.v->ops->lookup(w.v, w.root, bytes_str("l"), &l), 0);
	CHECK_INT(w.v->ops->read(w.v, l, 0, b, &n), WASI_INVAL);
	CHECK_INT(w.v->ops->lookup(w.v, l, bytes_str("x"), &l), WASI_NOTDIR);
	CHECK_INT(stat_of(&w, l).size, 2);
	CHECK_INT(w.v->ops->parent(w.v, l, &n2), WASI_NOTDIR);
	CHECK_INT(make(&w, l, "x", VFS_FILE, &n2), WASI_NOTDIR);
	CHECK_INT(drop(&w, l, "x", false), WASI_NOTDIR);
	CHECK_INT(move(&w, l, "x", w.root, "y"), WASI_NOTDIR);
	CHECK_INT(move(&w, w.root, "l", l, "y"), WASI_NOTDIR);
	CHECK_INT(w.v->ops->entry(w.v, l, 0, &entry, &more), WASI_NOTDIR);
	CHECK_INT(w.v->ops->readlink(w.v, l, &t), 0);
	CHECK(bytes_equal(t, BYTES_LIT("to")));
	w.v->ops->unref(w.v, l);
	memfs_free(w.fs);
}

/* --- memory that the quota does not count ----------------------------------
 */

/* Bytes of the allocator's; under a sanitizer's it says nothing, 0. */
static size_t taken(void)
{
	struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

enum { BLOCK = 64 << 10, LEAF = 16 << 20, LITTLE = 16 << 10 };

TEST(what_a_full_disk_refuses_takes_no_memory)
{
	struct world w = begin(4 * BLOCK, 100);
	struct vfs_node *full, *sparse;
	static uint8_t block[4 * BLOCK];
	size_t n = sizeof block;
	CHECK_INT(make(&w, w.root, "full", VFS_FILE, &full), WASI_OK);
	CHECK_INT(make(&w, w.root, "sparse", VFS_FILE, &sparse), WASI_OK);
	CHECK_INT(w.v->ops->write(w.v, full, 0, block, &n), WASI_OK);
	size_t before = taken();
	for (uint64_t i = 1; i < 64; i++) {
		n = 1;
		CHECK_INT(w.v->ops->write(w.v, sparse, i * LEAF, block, &n),
			WASI_NOSPC);
	}
	CHECK(taken() <= before + LITTLE);
	w.v->ops->unref(w.v, full);
	w.v->ops->unref(w.v, sparse);
	memfs_free(w.fs);
}

TEST(what_is_cut_off_takes_no_memory)
{
	struct world w = begin(1 << 20, 100);
	struct vfs_node *f[64];
	char name[16];
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		snprintf(name, sizeof name, "f%zu", i);
		CHECK_INT(make(&w, w.root, name, VFS_FILE, &f[i]), WASI_OK);
	}
	size_t before = taken();
	for (size_t i = 0; i < ARRAY_LEN(f); i++) {
		size_t n = 1;
		CHECK_INT(w.v->ops->write(w.v, f[i], 5 * BLOCK,
				  (const uint8_t *)"x", &n),
			WASI_OK);
		CHECK_INT(w.v->ops->resize(w.v, f[i], 2 * BLOCK), WASI_OK);
		w.v->ops->unref(w.v, f[i]);
	}
	CHECK(taken() <= before + LITTLE);
	memfs_free(w.fs);
}

TEST(names_that_are_gone_take_no_memory)
{
	enum { NAMES = 20000 };
	struct world w = begin(64 << 20, NAMES + 10);
	char name[16];
	size_t before = taken();
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof name, "n%d", i);
			CHECK_INT(make(&w, w.root, name, VFS_FILE, NULL),
				WASI_OK);
		}
		/* One stays, and is found. */
		for (int i = 1; i < NAMES; i++) {
			snprintf(name, sizeof name, "n%d", i);
			CHECK_INT(drop(&w, w.root, name, false), WASI_OK);
		}
		CHECK_INT(look(&w, w.root, "n0"), WASI_OK);
		CHECK_INT(look(&w, w.root, "n1"), WASI_NOENT);
		CHECK(taken() <= before + LITTLE);
		CHECK_INT(drop(&w, w.root, "n0", false), WASI_OK);
	}
	memfs_free(w.fs);
}
