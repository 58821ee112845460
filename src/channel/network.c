/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors, rules and TLS profiles.  What can be judged without knowing
 * certificates or addresses is judged here: indices, ranges, lengths.
 */
#include "channel/network_priv.h"

#include <stdlib.h>

enum { HASH = 32, HOST_MAX = FRAME_MAX_HOST + 4 /* "/128" */ };

/* --- encoding ----------------------------------------------------------- */

static void put_span(struct buf *out, struct bytes s)
{
	buf_u16le(out, (uint16_t)s.len);
	buf_put(out, s);
}

static bool put_fds(const struct frame_config *c, struct buf *out)
{
	if (c->fd_count > FRAME_MAX_FDS)
		return false;
	buf_u16le(out, (uint16_t)c->fd_count);
	for (size_t i = 0; i < c->fd_count; i++) {
		const struct frame_fd *f = &c->fds[i];
		if (f->host.len > HOST_MAX)
			return false;
		buf_u8(out, f->kind);
		buf_u8(out, f->flags);
		buf_u8(out, f->prot);
		buf_u8(out, f->profile);
		buf_u16le(out, f->number);
		put_span(out, f->host);
	}
	return true;
}

static bool put_rules(const struct frame_rule *list, size_t count,
	struct buf *out)
{
	if (count > FRAME_MAX_RULES)
		return false;
	buf_u16le(out, (uint16_t)count);
	for (size_t i = 0; i < count; i++) {
		const struct frame_rule *r = &list[i];
		if (r->host.len > HOST_MAX)
			return false;
		buf_u8(out, r->prot);
		buf_u8(out, r->profile);
		buf_u16le(out, r->first);
		buf_u16le(out, r->last);
		put_span(out, r->host);
	}
	return true;
}

static bool put_profiles(const struct frame_config *c, struct buf *out)
{
	if (c->profile_count > FRAME_MAX_PROFILES)
		return false;
	buf_u16le(out, (uint16_t)c->profile_count);
	for (size_t i = 0; i < c->profile_count; i++) {
		const struct frame_tls *t = &c->profiles[i];
		const struct bytes *parts[] = { &t->pins, &t->alpn, &t->owners,
			&t->policy, &t->chain, &t->key };
		buf_u32le(out, t->flags);
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			if (parts[k]->len > FRAME_MAX_PAYLOAD)
				return false;
			buf_u32le(out, (uint32_t)parts[k]->len);
			buf_put(out, *parts[k]);
		}
	}
	return true;
}

bool frame_network_put(const struct frame_config *c, struct buf *out)
{
	return put_fds(c, out) &&
		put_rules(c->connects, c->connect_count, out) &&
		put_rules(c->listens, c->listen_count, out) &&
		put_profiles(c, out) && buf_ok(out);
}

/* --- parsing ------------------------------------------------------------ */

/* A count that the rest of the input can hold; *out has room for it. */
static bool take_count(struct reader *r, size_t max, size_t each, size_t size,
	void **out, size_t *n, const char *what, struct err *e)
{
	size_t count = reader_u16le(r);
	if (r->failed || count > max || count > reader_left(r) / each)
		return err_fail(e, ERR_INPUT, "frame CONFIG: %zu %s", count,
			what);
	if (!count)
		return true;
	*out = calloc(count, size);
	if (!*out)
		return err_fail(e, ERR_LIMIT, "frame CONFIG: no memory");
	*n = count;
	return true;
}

/* It goes to the host's resolver, and into certificates' checks. */
static bool host_ok(struct bytes host, size_t max)
{
	if (!host.len || host.len > max)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (host.ptr[i] <= ' ' || host.ptr[i] > '~')
			return false;
	return true;
}

static bool prot_ok(unsigned prot, unsigned profile)
{
	return prot == FRAME_PROT_TLS ||
		(prot == FRAME_PROT_TCP && profile == 0);
}

static bool fd_ok(const struct frame_fd *f)
{
	switch (f->kind) {
	case FRAME_FD_LISTEN:
	case FRAME_FD_CONNECT:
		if (f->kind == FRAME_FD_CONNECT ?
				!host_ok(f->host, FRAME_MAX_HOST) :
				f->host.len != 0)
			return false;
		return prot_ok(f->prot, f->profile) && f->number &&
			!(f->flags & ~FRAME_FD_NONBLOCK);
	case FRAME_FD_MOUNT:
		break;
	default:
		if (f->kind >= FRAME_FD_COUNT || f->number)
			return false;
	}
	return !f->flags && !f->prot && !f->profile && !f->host.len;
}

/* Each mount has one descriptor. */
static bool mounts_ok(const struct frame_config *c)
{
	bool seen[FRAME_MAX_MOUNTS] = { false };
	size_t n = 0;
	for (size_t i = 0; i < c->fd_count; i++) {
		const struct frame_fd *f = &c->fds[i];
		if (f->kind != FRAME_FD_MOUNT)
			continue;
		if (f->number >= c->mount_count || seen[f->number])
			return false;
		seen[f->number] = true;
		n++;
	}
	return n == c->mount_count;
}

static bool take_fds(struct reader *r, struct frame_config *c, struct err *e)
{
	void *list = NULL;
	if (!take_count(r, FRAME_MAX_FDS, 8, sizeof *c->fds, &list,
		    &c->fd_count, "descriptors", e))
		return false;
	c->fds = list;
	if (!c->fd_count)
		return err_fail(e, ERR_INPUT, "frame CONFIG: no descriptors");
	for (size_t i = 0; i < c->fd_count; i++) {
		struct frame_fd *f = &c->fds[i];
		f->kind = reader_u8(r);
		f->flags = reader_u8(r);
		f->prot = reader_u8(r);
		f->profile = reader_u8(r);
		f->number = reader_u16le(r);
		f->host = reader_take(r, reader_u16le(r));
		if (r->failed || !fd_ok(f))
			return err_fail(e, ERR_INPUT,
				"frame CONFIG: descriptor %zu", i);
	}
	if (!mounts_ok(c))
		return err_fail(e, ERR_INPUT,
			"frame CONFIG: not one descriptor for each mount");
	return true;
}

static bool take_rules(struct reader *r, bool connect, struct frame_rule **out,
	size_t *n, struct err *e)
{
	const char *what = connect ? "connect rules" : "listen rules";
	void *list = NULL;
	if (!take_count(r, FRAME_MAX_RULES, 8, sizeof **out, &list, n, what, e))
		return false;
	*out = list;
	for (size_t i = 0; i < *n; i++) {
		struct frame_rule *u = &(*out)[i];
		u->prot = reader_u8(r);
		u->profile = reader_u8(r);
		u->first = reader_u16le(r);
		u->last = reader_u16le(r);
		u->host = reader_take(r, reader_u16le(r));
		if (r->failed || !prot_ok(u->prot, u->profile) || !u->first ||
			u->first > u->last ||
			(connect ? !host_ok(u->host, HOST_MAX) :
				   u->host.len != 0))
			return err_fail(e, ERR_INPUT,
				"frame CONFIG: entry %zu of %s", i, what);
	}
	return true;
}

static bool hashes_ok(struct bytes list)
{
	return list.len % HASH == 0 && list.len / HASH <= FRAME_MAX_PINS;
}

static bool alpn_ok(struct bytes list)
{
	struct reader r = { .in = list };
	size_t n = 0;
	for (; reader_left(&r); n++)
		if (!reader_take(&r, reader_u8(&r)).len)
			return false;
	return !r.failed && n <= FRAME_MAX_ALPN;
}

static bool profile_ok(const struct frame_tls *t)
{
	bool attested = t->flags & FRAME_TLS_ATTESTED;
	if (t->flags & ~FRAME_TLS_FLAGS ||
		(t->flags & FRAME_TLS_REQUIRE &&
			!(t->flags & FRAME_TLS_REQUEST)))
		return false;
	if (!attested && (t->owners.len || t->policy.len))
		return false;
	return hashes_ok(t->pins) && hashes_ok(t->owners) && alpn_ok(t->alpn) &&
		!t->chain.len == !t->key.len;
}

static bool take_profiles(struct reader *r, struct frame_config *c,
	struct err *e)
{
	void *list = NULL;
	if (!take_count(r, FRAME_MAX_PROFILES, 28, sizeof *c->profiles, &list,
		    &c->profile_count, "TLS profiles", e))
		return false;
	c->profiles = list;
	for (size_t i = 0; i < c->profile_count; i++) {
		struct frame_tls *t = &c->profiles[i];
		struct bytes *parts[] = { &t->pins, &t->alpn, &t->owners,
			&t->policy, &t->chain, &t->key };
		t->flags = reader_u32le(r);
		for (size_t k = 0; k < ARRAY_LEN(parts); k++)
			*parts[k] = reader_take(r, reader_u32le(r));
		if (r->failed || !profile_ok(t))
			return err_fail(e, ERR_INPUT,
				"frame CONFIG: TLS profile %zu", i);
	}
	return true;
}

/* Who speaks TLS has its terms. */
static bool profiles_exist(const struct frame_config *c)
{
	for (size_t i = 0; i < c->fd_count; i++)
		if (c->fds[i].prot == FRAME_PROT_TLS &&
			c->fds[i].profile >= c->profile_count)
			return false;
	for (size_t i = 0; i < c->connect_count; i++)
		if (c->connects[i].prot == FRAME_PROT_TLS &&
			c->connects[i].profile >= c->profile_count)
			return false;
	for (size_t i = 0; i < c->listen_count; i++)
		if (c->listens[i].prot == FRAME_PROT_TLS &&
			c->listens[i].profile >= c->profile_count)
			return false;
	return true;
}

bool frame_network_take(struct reader *r, struct frame_config *c, struct err *e)
{
	if (c->stdio[0] || c->stdio[1] || c->stdio[2])
		return err_fail(e, ERR_INPUT,
			"frame CONFIG: stdio beside descriptors");
	if (!take_fds(r, c, e) ||
		!take_rules(r, true, &c->connects, &c->connect_count, e) ||
		!take_rules(r, false, &c->listens, &c->listen_count, e) ||
		!take_profiles(r, c, e))
		return false;
	return profiles_exist(c) ||
		err_fail(e, ERR_INPUT, "frame CONFIG: no such TLS profile");
}
