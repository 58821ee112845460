/* SPDX-License-Identifier: Apache-2.0 */
/* CONFIG: what is common to its versions.  The rest: network.c. */
#include <stdlib.h>

#include "channel/network_priv.h"

enum {
	VERSION_PLAIN = 1,
	VERSION_NETWORK = 2,
	MOUNT_WRITABLE = 1,
	MOUNT_RETURNED = 2,
};

static bool has_nul(struct bytes s)
{
	return s.len && memchr(s.ptr, 0, s.len);
}

static bool put_string(struct buf *out, struct bytes s, size_t max)
{
	if (s.len > max || has_nul(s))
		return false;
	buf_u16le(out, (uint16_t)s.len);
	return buf_put(out, s);
}

static bool put_strings(struct buf *out, const struct bytes *s, size_t n)
{
	if (n > FRAME_MAX_ARGS)
		return false;
	buf_u16le(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		if (!put_string(out, s[i], FRAME_MAX_STRING))
			return false;
	return true;
}

static bool put_config(const struct frame_config *c, struct buf *out)
{
	if (c->mount_count > FRAME_MAX_MOUNTS)
		return false;
	buf_u32le(out, c->fd_count ? VERSION_NETWORK : VERSION_PLAIN);
	buf_u64le(out, c->memory_bytes);
	buf_u64le(out, c->file_bytes);
	buf_u64le(out, c->time_ns);
	buf_u64le(out, c->fuel);
	buf_u16le(out, (uint16_t)c->flags);
	buf_u16le(out, c->threads);
	if (!put_strings(out, c->args, c->arg_count) ||
		!put_strings(out, c->env, c->env_count))
		return false;
	buf_u16le(out, (uint16_t)c->mount_count);
	for (size_t i = 0; i < c->mount_count; i++) {
		const struct frame_mount *m = &c->mounts[i];
		if (!put_string(out, m->guest, FRAME_MAX_PATH))
			return false;
		buf_u8(out,
			(uint8_t)((m->writable ? MOUNT_WRITABLE : 0) |
				(m->returned ? MOUNT_RETURNED : 0)));
	}
	for (size_t i = 0; i < ARRAY_LEN(c->stdio); i++)
		buf_u8(out, c->stdio[i]);
	return buf_ok(out) && (!c->fd_count || frame_network_put(c, out));
}

bool frame_config_encode(const struct frame_config *c, struct buf *out)
{
	size_t before = out->len;
	if (!put_config(c, out) || out->len - before > FRAME_MAX_PAYLOAD) {
		out->len = before;
		return false;
	}
	return true;
}

/* One length-prefixed string; sticks in the reader when it can't be. */
static struct bytes take_string(struct reader *r, size_t max)
{
	size_t n = reader_u16le(r);
	struct bytes s = reader_take(r, n);
	if (n > max || has_nul(s))
		r->failed = true;
	return s;
}

/* NULL with *n 0 for none; false without memory or when malformed. */
static bool take_strings(struct reader *r, struct bytes **out, size_t *n,
	const char *what, struct err *e)
{
	size_t count = reader_u16le(r);
	/* Each takes two bytes at least: no allocation beyond the input. */
	if (count > FRAME_MAX_ARGS || count > reader_left(r) / 2)
		return err_fail(e, ERR_INPUT, "frame CONFIG: %zu %s", count,
			what);
	if (!count)
		return true;
	*out = calloc(count, sizeof **out);
	if (!*out)
		return err_fail(e, ERR_LIMIT, "frame CONFIG: no memory");
	*n = count;
	for (size_t i = 0; i < count; i++) {
		(*out)[i] = take_string(r, FRAME_MAX_STRING);
		if (r->failed)
			return err_fail(e, ERR_INPUT,
				"frame CONFIG: entry %zu of %s", i, what);
	}
	return true;
}

/* Guest paths become names of preopened folders. */
static bool guest_ok(const struct frame_config *c, size_t i)
{
	struct bytes g = c->mounts[i].guest;
	if (!g.len || g.len > FRAME_MAX_PATH)
		return false;
	for (size_t k = 0; k < i; k++)
		if (bytes_equal(c->mounts[k].guest, g))
			return false;
	return true;
}

static bool take_mounts(struct reader *r, struct frame_config *c, struct err *e)
{
	size_t count = reader_u16le(r);
	if (count > FRAME_MAX_MOUNTS || count > reader_left(r) / 3)
		return err_fail(e, ERR_INPUT, "frame CONFIG: %zu mounts",
			count);
	if (!count)
		return true;
	c->mounts = calloc(count, sizeof *c->mounts);
	if (!c->mounts)
		return err_fail(e, ERR_LIMIT, "frame CONFIG: no memory");
	c->mount_count = count;
	for (size_t i = 0; i < count; i++) {
		c->mounts[i].guest = take_string(r, FRAME_MAX_PATH);
		unsigned flags = reader_u8(r);
		c->mounts[i].writable = flags & MOUNT_WRITABLE;
		c->mounts[i].returned = flags & MOUNT_RETURNED;
		if (r->failed || !guest_ok(c, i) ||
			(flags & ~(unsigned)(MOUNT_WRITABLE | MOUNT_RETURNED)))
			return err_fail(e, ERR_INPUT, "frame CONFIG: mount %zu",
				i);
	}
	return true;
}

static bool take_config(struct reader *r, struct frame_config *c, struct err *e)
{
	uint32_t version = reader_u32le(r);
	c->memory_bytes = reader_u64le(r);
	c->file_bytes = reader_u64le(r);
	c->time_ns = reader_u64le(r);
	c->fuel = reader_u64le(r);
	c->flags = reader_u16le(r);
	c->threads = reader_u16le(r);
	if (r->failed)
		return err_fail(e, ERR_INPUT, "frame CONFIG: too short");
	if (version != VERSION_PLAIN && version != VERSION_NETWORK)
		return err_fail(e, ERR_INPUT, "frame CONFIG: version %u",
			version);
	if (c->flags & ~FRAME_CONFIG_FLAGS)
		return err_fail(e, ERR_INPUT, "frame CONFIG: flags 0x%x",
			c->flags);
	if (c->threads > FRAME_MAX_THREADS)
		return err_fail(e, ERR_INPUT, "frame CONFIG: %u threads",
			c->threads);
	if (!take_strings(r, &c->args, &c->arg_count, "arguments", e) ||
		!take_strings(r, &c->env, &c->env_count, "variables", e) ||
		!take_mounts(r, c, e))
		return false;
	for (size_t i = 0; i < c->env_count; i++)
		if (!c->env[i].len || c->env[i].ptr[0] == '=' ||
			!memchr(c->env[i].ptr, '=', c->env[i].len))
			return err_fail(e, ERR_INPUT,
				"frame CONFIG: entry %zu of variables", i);
	reader_copy(r, c->stdio, sizeof c->stdio);
	for (size_t i = 0; i < sizeof c->stdio; i++)
		if (c->stdio[i] > FRAME_STDIO_NULL)
			return err_fail(e, ERR_INPUT, "frame CONFIG: stdio %zu",
				i);
	if (version == VERSION_NETWORK && !frame_network_take(r, c, e))
		return false;
	if (!reader_done(r))
		return err_fail(e, ERR_INPUT, "frame CONFIG: length");
	return true;
}

bool frame_config_parse(struct bytes in, struct frame_config *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct frame_config c = { 0 };
	if (!take_config(&r, &c, e)) {
		frame_config_fini(&c);
		return false;
	}
	*out = c;
	return true;
}

void frame_config_fini(struct frame_config *c)
{
	free(c->args);
	free(c->env);
	free(c->mounts);
	free(c->fds);
	free(c->connects);
	free(c->listens);
	free(c->profiles);
	*c = (struct frame_config){ 0 };
}
