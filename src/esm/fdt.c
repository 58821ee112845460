/* SPDX-License-Identifier: Apache-2.0 */
#include "esm/fdt.h"

#include "base/reader.h"

enum {
	MAGIC = 0xd00dfeed,
	HEADER_BYTES = 40,
	VERSION = 17,
	COMPATIBLE = 16,
	MAP_BYTES = 16, /* of memory reservations: none */
	BEGIN = 1,
	END = 2,
	PROPERTY = 3,
	NOP = 4,
	LAST = 9,
	DEEPEST = 16,
};

static bool part(struct bytes in, uint32_t at, uint32_t len, struct bytes *out)
{
	if (at > in.len || len > in.len - at)
		return false;
	*out = bytes_of(in.ptr + at, len);
	return true;
}

bool fdt_open(struct bytes in, struct fdt *out, struct err *e)
{
	struct reader r = { .in = in };
	struct fdt t = { 0 };
	uint32_t magic = reader_u32be(&r), total = reader_u32be(&r);
	uint32_t structure = reader_u32be(&r), strings = reader_u32be(&r);
	reader_u32be(&r);
	uint32_t version = reader_u32be(&r), compatible = reader_u32be(&r);
	reader_u32be(&r);
	uint32_t strings_len = reader_u32be(&r);
	uint32_t structure_len = reader_u32be(&r);
	if (r.failed || magic != MAGIC || version < VERSION ||
		compatible > VERSION)
		return err_fail(e, ERR_INPUT, "device tree: not one");
	if (total > in.len ||
		!part(bytes_of(in.ptr, total), structure, structure_len,
			&t.structure) ||
		!part(bytes_of(in.ptr, total), strings, strings_len,
			&t.strings))
		return err_fail(e, ERR_INPUT, "device tree: lengths");
	*out = t;
	return true;
}

/* The text at the reader's place, and what fills it up to words. */
static struct bytes take_text(struct reader *r)
{
	struct bytes rest = bytes_from(r->in, r->in.len - reader_left(r));
	const uint8_t *end = rest.len ? memchr(rest.ptr, 0, rest.len) : NULL;
	size_t n = end ? (size_t)(end - rest.ptr) : rest.len;
	reader_take(r, (n + 1 + 3) & ~(size_t)3);
	return end ? bytes_of(rest.ptr, n) : BYTES_NONE;
}

static bool is_text(struct bytes b, const char *s, size_t n)
{
	return b.len == n && !memcmp(b.ptr, s, n);
}

static bool has_name(const struct fdt *t, uint32_t at, const char *name)
{
	size_t n = strlen(name) + 1;
	return at <= t->strings.len && n <= t->strings.len - at &&
		!memcmp(t->strings.ptr + at, name, n);
}

/* How much of a path (n bytes of it) the next node's name is; 0: not that. */
static size_t step(const char *path, struct bytes name)
{
	size_t n = strcspn(path, "/");
	return n && is_text(name, path, n) ? n + (path[n] == '/') : 0;
}

bool fdt_find(const struct fdt *t, const char *path, const char *name,
	struct bytes *out)
{
	struct reader r = { .in = t->structure };
	/* Depth, and of how many nodes from the root on the path is right;
	 * how much of it each of those took. */
	size_t depth = 0, right = 0, taken[DEEPEST];
	const char *rest = path + 1;
	for (;;) {
		uint32_t token = reader_u32be(&r);
		if (r.failed || token == LAST)
			return false;
		if (token == BEGIN) {
			struct bytes node = take_text(&r);
			size_t n = depth ? step(rest, node) : 0;
			if (depth == right && depth < DEEPEST &&
				(!depth || n)) {
				taken[right++] = n;
				rest += n;
			}
			depth++;
		} else if (token == END) {
			if (!depth)
				return false;
			if (depth-- == right)
				rest -= taken[--right];
		} else if (token == PROPERTY) {
			uint32_t len = reader_u32be(&r), at = reader_u32be(&r);
			struct bytes value = reader_take(&r, len);
			reader_take(&r, -len & 3);
			if (r.failed)
				return false;
			if (!*rest && depth == right && has_name(t, at, name)) {
				*out = value;
				return true;
			}
		} else if (token != NOP) {
			return false;
		}
	}
}

bool fdt_number(const struct fdt *t, const char *path, const char *name,
	uint64_t *out)
{
	struct bytes v;
	if (!fdt_find(t, path, name, &v) || (v.len != 4 && v.len != 8))
		return false;
	struct reader r = { .in = v };
	*out = reader_be(&r, v.len);
	return true;
}

/* --- writing ------------------------------------------------------------ */

static void put_word(struct buf *b, uint32_t v)
{
	const uint8_t w[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };
	buf_put(b, BYTES_ARRAY(w));
}

static void fill_up(struct buf *b)
{
	while (b->len % 4 && buf_u8(b, 0))
		;
}

void fdt_begin(struct fdt_out *o, const char *node)
{
	put_word(&o->structure, BEGIN);
	buf_put(&o->structure, bytes_of(node, strlen(node) + 1));
	fill_up(&o->structure);
}

void fdt_property(struct fdt_out *o, const char *name, struct bytes value)
{
	put_word(&o->structure, PROPERTY);
	put_word(&o->structure, (uint32_t)value.len);
	put_word(&o->structure, (uint32_t)o->strings.len);
	buf_put(&o->strings, bytes_of(name, strlen(name) + 1));
	buf_put(&o->structure, value);
	fill_up(&o->structure);
}

void fdt_property_u32(struct fdt_out *o, const char *name, uint32_t value)
{
	auto_buf w = { .len = 0 };
	put_word(&w, value);
	fdt_property(o, name, buf_bytes(&w));
}

void fdt_property_u64(struct fdt_out *o, const char *name, uint64_t value)
{
	auto_buf w = { .len = 0 };
	put_word(&w, (uint32_t)(value >> 32));
	put_word(&w, (uint32_t)value);
	fdt_property(o, name, buf_bytes(&w));
}

void fdt_end(struct fdt_out *o)
{
	put_word(&o->structure, END);
}

bool fdt_finish(struct fdt_out *o, struct buf *out, struct err *e)
{
	static const uint8_t map[MAP_BYTES];
	put_word(&o->structure, LAST);
	const uint32_t structure = HEADER_BYTES + MAP_BYTES;
	const uint32_t strings = structure + (uint32_t)o->structure.len;
	const uint32_t header[] = { MAGIC, strings + (uint32_t)o->strings.len,
		structure, strings, HEADER_BYTES, VERSION, COMPATIBLE, 0,
		(uint32_t)o->strings.len, (uint32_t)o->structure.len };
	for (size_t i = 0; i < ARRAY_LEN(header); i++)
		put_word(out, header[i]);
	buf_put(out, BYTES_ARRAY(map));
	buf_put(out, buf_bytes(&o->structure));
	buf_put(out, buf_bytes(&o->strings));
	bool ok = buf_ok(&o->structure) && buf_ok(&o->strings) && buf_ok(out);
	buf_fini(&o->structure);
	buf_fini(&o->strings);
	return ok || err_fail(e, ERR_LIMIT, "device tree: no memory");
}
