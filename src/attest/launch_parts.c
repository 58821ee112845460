/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/launch_parts.h"

#include "attest/rules.h"

bool attest_launch_read_file(const struct launcher *l, struct toml_node *n,
	struct buf *out, struct err *e)
{
	const char *path;
	if (!toml_cstring(n, &path, e))
		return false;
	return l->cfg->read(l->cfg->ctx, path, out, e) ||
		err_wrap(e, "%s", toml_where(n));
}

/* A file that may be left out. */
bool attest_launch_read_file_opt(const struct launcher *l, struct toml_node *t,
	const char *key, struct buf *out, struct err *e)
{
	struct toml_node *n = toml_get(t, key);
	return !n || attest_launch_read_file(l, n, out, e);
}

bool attest_launch_read_number(struct toml_node *t, const char *key,
	uint64_t *out, struct err *e)
{
	struct toml_node *n = toml_get(t, key);
	return !n || attest_u64_read(out, n, e);
}

bool attest_launch_need_number(struct toml_node *t, const char *key,
	uint64_t *out, struct err *e)
{
	struct toml_node *n = toml_get(t, key);
	if (!n)
		return err_fail(e, ERR_INPUT, "%s: no %s", toml_where(t), key);
	return attest_u64_read(out, n, e);
}

/* The part of a file, from `offset` on, `length` bytes of it. */
bool attest_launch_cut(struct toml_node *t, struct bytes *b, struct err *e)
{
	uint64_t offset = 0, length = b->len;
	if (!attest_launch_read_number(t, "offset", &offset, e) ||
		!attest_launch_read_number(t, "length", &length, e))
		return false;
	if (offset > b->len)
		return err_fail(e, ERR_INPUT, "%s: offset beyond the file",
			toml_where(t));
	*b = bytes_from(*b, (size_t)offset);
	if (length < b->len)
		b->len = (size_t)length;
	return true;
}
