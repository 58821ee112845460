/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/tar.h"

#include <stdlib.h>
#include <unistd.h>

#include "repository/tar_priv.h"

enum { MAX_EXTENSION = 64 << 10 };

bool repository_source_read(const struct repository_source *s, uint64_t at,
	void *to, size_t n, struct err *e)
{
	if (at > s->size || n > s->size - at)
		return err_fail(e, ERR_INPUT, "cut short");
	if (s->fd < 0) {
		if (n)
			memcpy(to, s->memory.ptr + at, n);
		return true;
	}
	for (size_t done = 0; done < n;) {
		ssize_t k = pread(s->fd, (uint8_t *)to + done, n - done,
			(off_t)(at + done));
		if (k <= 0)
			return err_fail(e, ERR_INPUT, "cut short");
		done += (size_t)k;
	}
	return true;
}

/* What stands before an entry and changes it. */
struct extension {
	char path[REPOSITORY_PATH_MAX + 1];
	bool has_path, has_size;
	uint64_t size;
};

struct scan {
	const struct repository_source *s;
	uint64_t at;
	struct repository_tar *out;
	struct extension x;
};

/* Octal digits between blanks; or, with the top bit set, binary. */
static bool number(const uint8_t *field, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	if (field[0] & 0x80) {
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return false;
			v = v << 8 | field[i];
		}
		*out = v;
		return field[0] == 0x80;
	}
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++) {
		if (v >> 60)
			return false;
		v = v << 3 | (uint64_t)(field[i] - '0');
	}
	for (; i < n; i++)
		if (field[i] && field[i] != ' ')
			return false;
	*out = v;
	return true;
}

static bool checksum_ok(const struct tar_head *h)
{
	const uint8_t *p = (const uint8_t *)h;
	uint64_t want, sum = 0;
	for (size_t i = 0; i < sizeof *h; i++) {
		bool field = i >= offsetof(struct tar_head, checksum) &&
			i < offsetof(struct tar_head, type);
		sum += field ? ' ' : p[i];
	}
	return number(h->checksum, sizeof h->checksum, &want) && want == sum;
}

static size_t field_len(const uint8_t *f, size_t n)
{
	const uint8_t *nul = memchr(f, 0, n);
	return nul ? (size_t)(nul - f) : n;
}

static bool put_path(struct scan *s, struct bytes a, struct err *e)
{
	if (a.len > REPOSITORY_PATH_MAX)
		return err_fail(e, ERR_LIMIT, "a name is too long");
	if (a.len)
		memcpy(s->x.path, a.ptr, a.len);
	s->x.path[a.len] = '\0';
	s->x.has_path = true;
	if (strlen(s->x.path) != a.len)
		return err_fail(e, ERR_INPUT, "a name has a NUL in it");
	return true;
}

/* "LENGTH KEY=VALUE\n" (pax, "pax Header Block"). */
static bool pax_record(struct scan *s, struct bytes record, bool global,
	struct err *e)
{
	const uint8_t *eq = memchr(record.ptr, '=', record.len);
	if (!eq)
		return err_fail(e, ERR_INPUT, "bad pax header");
	struct bytes key = bytes_of(record.ptr, (size_t)(eq - record.ptr));
	struct bytes value = bytes_from(record, key.len + 1);
	bool path = bytes_equal(key, BYTES_LIT("path"));
	bool size = bytes_equal(key, BYTES_LIT("size"));
	if (key.len > 11 && !memcmp(key.ptr, "GNU.sparse.", 11))
		return err_fail(e, ERR_INPUT, "a sparse file");
	if (global && (path || size))
		return err_fail(e, ERR_INPUT, "bad pax header");
	if (path)
		return put_path(s, value, e);
	if (!size)
		return true;
	s->x.size = 0;
	s->x.has_size = true;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9' || i > 17)
			return err_fail(e, ERR_INPUT, "bad pax header");
		s->x.size = s->x.size * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	return true;
}

static bool pax_records(struct scan *s, struct bytes in, bool global,
	struct err *e)
{
	while (in.len) {
		size_t n = 0, digits = 0;
		while (digits < in.len && digits < 6 && in.ptr[digits] >= '0' &&
			in.ptr[digits] <= '9')
			n = n * 10 + (size_t)(in.ptr[digits++] - '0');
		if (!digits || digits == in.len || in.ptr[digits] != ' ' ||
			n < digits + 3 || n > in.len || in.ptr[n - 1] != '\n')
			return err_fail(e, ERR_INPUT, "bad pax header");
		if (!pax_record(s,
			    bytes_of(in.ptr + digits + 1, n - digits - 2),
			    global, e))
			return false;
		in = bytes_from(in, n);
	}
	return true;
}

static bool extension(struct scan *s, uint8_t type, uint64_t size,
	struct err *e)
{
	auto_buf b = { 0 };
	if (size > MAX_EXTENSION)
		return err_fail(e, ERR_LIMIT, "a header of %llu bytes",
			(unsigned long long)size);
	uint8_t *to = buf_reserve(&b, (size_t)size + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!repository_source_read(s->s, s->at, to, (size_t)size, e))
		return false;
	buf_commit(&b, (size_t)size);
	if (type != 'L')
		return pax_records(s, buf_bytes(&b), type == 'g', e);
	if (b.len && !b.ptr[b.len - 1])
		b.len--;
	return put_path(s, buf_bytes(&b), e);
}

static bool head_path(struct scan *s, const struct tar_head *h, struct err *e)
{
	uint8_t whole[sizeof h->prefix + 1 + sizeof h->name];
	size_t name = field_len(h->name, sizeof h->name), n = 0;
	if (s->x.has_path)
		return true;
	/* GNU's old format has other things where the prefix stands. */
	if (!memcmp(h->magic, "ustar\0", 6))
		n = field_len(h->prefix, sizeof h->prefix);
	memcpy(whole, h->prefix, n);
	if (n)
		whole[n++] = '/';
	memcpy(whole + n, h->name, name);
	return put_path(s, bytes_of(whole, n + name), e);
}

/* "./a/b/" is "a/b"; "./" is nothing. */
static struct bytes trim(const char *path)
{
	while (path[0] == '.' && path[1] == '/') {
		path += 2;
		while (*path == '/')
			path++;
	}
	size_t n = strlen(path);
	if (n > 1 && path[n - 1] == '/')
		n--;
	if (n == 1 && path[0] == '.')
		n = 0;
	return bytes_of(path, n);
}

static bool add(struct scan *s, bool directory, uint64_t size, struct err *e)
{
	struct repository_tar *t = s->out;
	struct bytes path = trim(s->x.path);
	if (!path.len && directory)
		return true;
	if (!repository_path_ok(path, e))
		return false;
	if (t->count == REPOSITORY_TAR_MAX_ENTRIES)
		return err_fail(e, ERR_LIMIT, "more than %d entries",
			REPOSITORY_TAR_MAX_ENTRIES);
	if (!(t->count & (t->count - 1))) {
		size_t room = t->count ? 2 * t->count : 1;
		void *p = realloc(t->entries, room * sizeof *t->entries);
		if (!p)
			return err_fail(e, ERR_LIMIT, "no memory");
		t->entries = p;
	}
	char *copy = strndup((const char *)path.ptr, path.len);
	if (!copy)
		return err_fail(e, ERR_LIMIT, "no memory");
	t->entries[t->count++] = (struct repository_tar_entry){ .path = copy,
		.directory = directory,
		.at = s->at,
		.size = size };
	return true;
}

static void show(const struct scan *s, char out[128])
{
	size_t n = 0;
	for (const char *p = s->x.path; *p && n < 127; p++)
		out[n++] = *p >= ' ' && *p < 0x7f ? *p : '?';
	out[n] = '\0';
}

static bool named(const struct scan *s, const char *what, struct err *e)
{
	char shown[128];
	show(s, shown);
	return err_fail(e, ERR_INPUT, "%s: %s", shown, what);
}

static bool judge(const struct scan *s, uint8_t type, uint64_t size,
	struct err *e)
{
	switch (type) {
	case '0':
	case '\0':
	case '7':
		return true;
	case '5':
		return !size || named(s, "a folder with contents", e);
	case '1':
		return named(s, "a hard link", e);
	case '2':
		return named(s, "a symbolic link", e);
	case '3':
	case '4':
		return named(s, "a device", e);
	case '6':
		return named(s, "a pipe", e);
	case 'S':
		return named(s, "a sparse file", e);
	default:
		return named(s, "neither a file nor a folder", e);
	}
}

/* One header and what belongs to it. */
static bool step(struct scan *s, const struct tar_head *h, struct err *e)
{
	uint64_t size;
	bool extends = h->type == 'x' || h->type == 'g' || h->type == 'L';
	if (!checksum_ok(h))
		return err_fail(e, ERR_INPUT, "bad checksum at byte %llu",
			(unsigned long long)(s->at - sizeof *h));
	if (!number(h->size, sizeof h->size, &size))
		return err_fail(e, ERR_INPUT, "bad size");
	if (!extends && s->x.has_size)
		size = s->x.size;
	if (size > s->s->size - s->at)
		return err_fail(e, ERR_INPUT, "cut short");
	if (extends) {
		if (!extension(s, h->type, size, e))
			return false;
	} else {
		if (!head_path(s, h, e))
			return false;
		size_t n = strlen(s->x.path);
		/* Archivers before POSIX marked folders by their slash. */
		bool slash = n && s->x.path[n - 1] == '/';
		bool directory = h->type == '5' || (slash && !size);
		if (!judge(s, h->type, size, e))
			return false;
		char shown[128];
		show(s, shown);
		if (!add(s, directory, size, e))
			return err_wrap(e, "%s", shown);
		s->x = (struct extension){ 0 };
	}
	uint64_t padded = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	s->at = padded > s->s->size - s->at ? s->s->size : s->at + padded;
	return true;
}

/* Behind the end there are zeros only. */
static bool rest_is_zero(const struct scan *s, struct err *e)
{
	auto_buf b = { 0 };
	uint8_t *block = buf_reserve(&b, MAX_EXTENSION);
	if (!block)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (uint64_t at = s->at; at < s->s->size;) {
		size_t n = MAX_EXTENSION;
		if (n > s->s->size - at)
			n = (size_t)(s->s->size - at);
		if (!repository_source_read(s->s, at, block, n, e))
			return false;
		if (!bytes_all_zero(bytes_of(block, n)))
			return err_fail(e, ERR_INPUT, "bytes behind its end");
		at += n;
	}
	return true;
}

static bool scan_all(struct scan *s, struct err *e)
{
	struct tar_head h;
	while (s->at < s->s->size) {
		if (!repository_source_read(s->s, s->at, &h, sizeof h, e))
			return false;
		s->at += sizeof h;
		if (bytes_all_zero(bytes_of(&h, sizeof h)))
			return rest_is_zero(s, e);
		if (!step(s, &h, e))
			return false;
	}
	return err_fail(e, ERR_INPUT, "cut short");
}

bool repository_tar_index(const struct repository_source *src,
	struct repository_tar *out, struct err *e)
{
	struct repository_tar t = { 0 };
	struct scan s = { .s = src, .out = &t };
	if (!scan_all(&s, e) || !repository_tar_check(&t, e)) {
		repository_tar_fini(&t);
		return err_wrap(e, "tar");
	}
	*out = t;
	return true;
}

void repository_tar_fini(struct repository_tar *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->entries[i].path);
	free(t->entries);
	*t = (struct repository_tar){ 0 };
}

const struct repository_tar_entry *
repository_tar_find(const struct repository_tar *t, const char *path)
{
	size_t from = 0, to = t->count;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int order = strcmp(t->entries[mid].path, path);
		if (!order)
			return &t->entries[mid];
		if (order < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}
