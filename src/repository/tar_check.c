/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "repository/tar_priv.h"

enum { MAX_NAMES = 1 << 20 };

/* A path or one of the folders that it needs, as it stands and folded. */
struct name {
	const char *folded, *exact;
	uint32_t folded_len, exact_len;
	bool entry, file;
};

struct names {
	struct name *list;
	size_t count, room;
	struct buf folded; /* all of them, NUL-terminated */
	size_t *at;	   /* where each entry's begins in it */
};

static int by_path(const void *a, const void *b)
{
	const struct repository_tar_entry *x = a, *y = b;
	return strcmp(x->path, y->path);
}

static int by_folded(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	size_t n = size_min(x->folded_len, y->folded_len);
	int order = memcmp(x->folded, y->folded, n);
	if (order)
		return order;
	return (x->folded_len > y->folded_len) -
		(x->folded_len < y->folded_len);
}

static bool push(struct names *n, struct name name, struct err *e)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		if (n->count == MAX_NAMES)
			return err_fail(e, ERR_LIMIT, "too many folders");
		void *p = realloc(n->list, room * sizeof *n->list);
		if (!p)
			return err_fail(e, ERR_LIMIT, "no memory");
		n->list = p;
		n->room = room;
	}
	n->list[n->count++] = name;
	return true;
}

/* The entry's own name, and its folders' unless the entry before, whose path
 * shares `shared` bytes, has brought them. */
static bool push_all(struct names *n, const struct repository_tar_entry *x,
	const char *folded, size_t shared, struct err *e)
{
	const char *a = x->path, *b = folded;
	unsigned depth = 1;
	for (;; depth++) {
		a += strcspn(a, "/");
		b += strcspn(b, "/");
		if (depth > REPOSITORY_TAR_MAX_DEPTH)
			return err_fail(e, ERR_LIMIT,
				"%.100s: folders nested more than %d deep",
				x->path, REPOSITORY_TAR_MAX_DEPTH);
		struct name name = { .folded = folded,
			.exact = x->path,
			.folded_len = (uint32_t)(b - folded),
			.exact_len = (uint32_t)(a - x->path),
			.entry = !*a,
			.file = !*a && !x->directory };
		if ((name.entry || name.exact_len >= shared) &&
			!push(n, name, e))
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

static size_t common(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static bool gather(struct names *n, const struct repository_tar *t,
	struct err *e)
{
	n->at = calloc(t->count + 1, sizeof *n->at);
	for (size_t i = 0; n->at && i < t->count; i++) {
		n->at[i] = n->folded.len;
		repository_path_fold(bytes_str(t->entries[i].path), &n->folded);
		buf_u8(&n->folded, 0);
	}
	if (!n->at || !buf_ok(&n->folded))
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; i < t->count; i++) {
		const char *path = t->entries[i].path;
		size_t shared = i ? common(path, t->entries[i - 1].path) : 0;
		if (!push_all(n, &t->entries[i],
			    (const char *)n->folded.ptr + n->at[i], shared, e))
			return false;
	}
	return true;
}

/* Both fold to the same. */
static bool together(const struct name *a, const struct name *b, struct err *e)
{
	if (a->exact_len != b->exact_len ||
		memcmp(a->exact, b->exact, a->exact_len) != 0)
		return err_fail(e, ERR_INPUT,
			"%.100s: differs from another name by case only",
			b->exact);
	if (a->entry && b->entry)
		return err_fail(e, ERR_INPUT, "%.100s: there twice", b->exact);
	if (a->file || b->file)
		return err_fail(e, ERR_INPUT, "%.100s: a file and a folder",
			a->file ? a->exact : b->exact);
	return true;
}

bool repository_tar_check(struct repository_tar *t, struct err *e)
{
	struct names n = { 0 };
	if (t->count)
		qsort(t->entries, t->count, sizeof *t->entries, by_path);
	bool ok = gather(&n, t, e);
	if (ok && n.count)
		qsort(n.list, n.count, sizeof *n.list, by_folded);
	/* Within a run of equals, what an earlier one is must not be lost. */
	for (size_t i = 1; ok && i < n.count; i++) {
		struct name *a = &n.list[i - 1], *b = &n.list[i];
		if (by_folded(a, b))
			continue;
		ok = together(a, b, e);
		b->entry = b->entry || a->entry;
		b->file = b->file || a->file;
	}
	free(n.list);
	free(n.at);
	buf_fini(&n.folded);
	return ok;
}
