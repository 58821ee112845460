/* SPDX-License-Identifier: Apache-2.0 */
#include "host/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "codec/json.h"

static const char *const type_names[CONTROL_TYPE_COUNT] = {
	[CONTROL_LAUNCH] = "launch",
	[CONTROL_CHANNEL] = "channel",
	[CONTROL_STOP] = "stop",
	[CONTROL_PUBLISHED] = "published",
	[CONTROL_CLOSED] = "closed",
	[CONTROL_ENDED] = "ended",
};

/* The members of each message, besides `type`. */
static const char *const launch_members[] = { "type", "id", "tee", "image_dir",
	"root_path", "nonce", "owner_key_hash", "memory_bytes", "owner_wait_ns",
	"listen", "connect", "max_connections", "max_traffic", "emulated",
	"debug_dir", NULL };
static const char *const channel_members[] = { "type", "channel", NULL };
static const char *const stop_members[] = { "type", NULL };
static const char *const published_members[] = { "type", "software", "claims",
	"evidence", "endorsements", "certificate", NULL };
static const char *const closed_members[] = { "type", "channel", "bytes_in",
	"bytes_out", NULL };
static const char *const ended_members[] = { "type", "reason", "kind", "text",
	NULL };
static const char *const *const members[CONTROL_TYPE_COUNT] = {
	[CONTROL_LAUNCH] = launch_members,
	[CONTROL_CHANNEL] = channel_members,
	[CONTROL_STOP] = stop_members,
	[CONTROL_PUBLISHED] = published_members,
	[CONTROL_CLOSED] = closed_members,
	[CONTROL_ENDED] = ended_members,
};

void control_fini(struct control_message *m)
{
	buf_fini(&m->listen);
	buf_fini(&m->connect);
	buf_fini(&m->claims);
	buf_fini(&m->evidence);
	buf_fini(&m->endorsements);
	buf_fini(&m->certificate);
}

/* --- encoding --------------------------------------------------------------
 */

static bool set(json_t *o, const char *key, json_t *value)
{
	return json_object_set_new(o, key, value) == 0;
}

static bool set_u64(json_t *o, const char *key, uint64_t v)
{
	return v <= INT64_MAX && set(o, key, json_integer((json_int_t)v));
}

static bool set_hash(json_t *o, const char *key, const uint8_t hash[32])
{
	char text[65];
	hex_encode(bytes_of(hash, 32), text);
	return set(o, key, json_string(text));
}

static bool set_base64(json_t *o, const char *key, const struct buf *b)
{
	auto_buf text = { 0 };
	return base64_encode(buf_bytes(b), &text) &&
		set(o, key, json_string(buf_cstr(&text)));
}

static bool set_strings(json_t *o, const char *key, const struct buf *b)
{
	json_t *list = json_array();
	if (!set(o, key, list))
		return false;
	for (size_t at = 0; at < b->len;) {
		const char *text = (const char *)b->ptr + at;
		if (json_array_append_new(list, json_string(text)) != 0)
			return false;
		at += strlen(text) + 1;
	}
	return true;
}

/* Text for people, which may quote a path of any bytes. */
static bool set_text(json_t *o, const char *key, const char *text)
{
	char plain[252];
	fmt(plain, sizeof plain, "%s", text);
	for (char *c = plain; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return set(o, key, json_string(plain));
}

static bool set_members(json_t *o, const struct control_message *m)
{
	switch (m->type) {
	case CONTROL_LAUNCH:
		return set(o, "id", json_string(m->id)) &&
			set(o, "tee", json_string(m->tee)) &&
			set(o, "image_dir", json_string(m->image_dir)) &&
			set(o, "root_path", json_string(m->root_path)) &&
			set_hash(o, "nonce", m->nonce) &&
			set_hash(o, "owner_key_hash", m->owner_key_hash) &&
			set_u64(o, "memory_bytes", m->memory_bytes) &&
			set_u64(o, "owner_wait_ns", m->owner_wait_ns) &&
			set_strings(o, "listen", &m->listen) &&
			set_strings(o, "connect", &m->connect) &&
			set_u64(o, "max_connections", m->max_connections) &&
			set_u64(o, "max_traffic", m->max_traffic) &&
			set(o, "emulated", json_boolean(m->emulated)) &&
			(!*m->debug_dir ||
				set(o, "debug_dir", json_string(m->debug_dir)));
	case CONTROL_CHANNEL:
		return set_u64(o, "channel", m->channel);
	case CONTROL_STOP:
		return true;
	case CONTROL_PUBLISHED:
		return set(o, "software", json_boolean(m->software)) &&
			set_base64(o, "claims", &m->claims) &&
			set_base64(o, "evidence", &m->evidence) &&
			set_base64(o, "endorsements", &m->endorsements) &&
			set_base64(o, "certificate", &m->certificate);
	case CONTROL_CLOSED:
		return set_u64(o, "channel", m->channel) &&
			set_u64(o, "bytes_in", m->bytes_in) &&
			set_u64(o, "bytes_out", m->bytes_out);
	case CONTROL_ENDED:
		return set(o, "reason", json_string(m->reason)) &&
			set(o, "kind", json_string(err_kind_name(m->kind))) &&
			set_text(o, "text", m->text);
	case CONTROL_TYPE_COUNT:
		break;
	}
	return false;
}

bool control_encode(const struct control_message *m, struct buf *out,
	struct err *e)
{
	if ((unsigned)m->type >= CONTROL_TYPE_COUNT)
		return err_fail(e, ERR_INPUT, "control: no such type");
	json_auto_t *o = json_object();
	if (!o || !set(o, "type", json_string(type_names[m->type])) ||
		!set_members(o, m))
		return err_fail(e, ERR_HOST, "control: cannot encode %s",
			type_names[m->type]);
	size_t before = out->len;
	if (!json_print(o, out, e))
		return err_wrap(e, "control");
	if (out->len - before > CONTROL_MAX_BYTES)
		return err_fail(e, ERR_LIMIT, "control: %s of %zu bytes",
			type_names[m->type], out->len - before);
	return true;
}

/* --- parsing ---------------------------------------------------------------
 */

/* A string member of 1 to size - 1 bytes, copied. */
static bool get_str(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	const char *text = NULL;
	if (!json_member_str(o, key, size - 1, &text, e))
		return false;
	fmt(out, size, "%s", text);
	return true;
}

/* The same, of lower-case letters, digits and hyphens only. */
static bool get_word(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	if (!get_str(o, key, out, size, e))
		return false;
	size_t n = strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (!n || out[n])
		return err_fail(e, ERR_INPUT, "%s: not a word", key);
	return true;
}

static bool get_id(const json_t *o, char out[33], struct err *e)
{
	if (!get_str(o, "id", out, 33, e))
		return false;
	if (strspn(out, "0123456789abcdef") != 32)
		return err_fail(e, ERR_INPUT, "id: not 32 hex digits");
	return true;
}

static bool get_path(const json_t *o, const char *key, char *out, size_t size,
	struct err *e)
{
	if (!get_str(o, key, out, size, e))
		return false;
	if (!*out)
		return err_fail(e, ERR_INPUT, "%s: empty", key);
	return true;
}

static bool get_u64(const json_t *o, const char *key, uint64_t *out,
	struct err *e)
{
	return json_member_u64(o, key, 0, INT64_MAX, out, e);
}

static bool get_kind(const json_t *o, enum err_kind *out, struct err *e)
{
	const char *text = NULL;
	if (!json_member_str(o, "kind", 16, &text, e))
		return false;
	for (int k = ERR_NONE; k <= ERR_LIMIT; k++)
		if (!strcmp(text, err_kind_name((enum err_kind)k))) {
			*out = (enum err_kind)k;
			return true;
		}
	return err_fail(e, ERR_INPUT, "kind: unknown");
}

/* At most CONTROL_GRANTS strings, none of them empty or long. */
static bool get_strings(const json_t *o, const char *key, struct buf *out,
	struct err *e)
{
	const json_t *list = json_object_get(o, key);
	if (!json_is_array(list) || json_array_size(list) > CONTROL_GRANTS)
		return err_fail(e, ERR_INPUT, "%s: not an array of at most %d",
			key, CONTROL_GRANTS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		size_t n = json_is_string(v) ? json_string_length(v) : 0;
		if (!n || n >= CONTROL_GRANT_BYTES ||
			strlen(json_string_value(v)) != n)
			return err_fail(e, ERR_INPUT, "%s: entry %zu", key, i);
		buf_str(out, json_string_value(v));
		buf_u8(out, 0);
	}
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "%s: no memory", key);
}

static bool get_launch(const json_t *o, struct control_message *m,
	struct err *e)
{
	return get_id(o, m->id, e) &&
		get_word(o, "tee", m->tee, sizeof m->tee, e) &&
		get_path(o, "image_dir", m->image_dir, sizeof m->image_dir,
			e) &&
		get_path(o, "root_path", m->root_path, sizeof m->root_path,
			e) &&
		json_member_hex(o, "nonce", m->nonce, sizeof m->nonce, e) &&
		json_member_hex(o, "owner_key_hash", m->owner_key_hash,
			sizeof m->owner_key_hash, e) &&
		get_u64(o, "memory_bytes", &m->memory_bytes, e) &&
		get_u64(o, "owner_wait_ns", &m->owner_wait_ns, e) &&
		get_strings(o, "listen", &m->listen, e) &&
		get_strings(o, "connect", &m->connect, e) &&
		get_u64(o, "max_connections", &m->max_connections, e) &&
		get_u64(o, "max_traffic", &m->max_traffic, e) &&
		json_member_bool_opt(o, "emulated", &m->emulated, e) &&
		(!json_object_get(o, "debug_dir") ||
			get_path(o, "debug_dir", m->debug_dir,
				sizeof m->debug_dir, e));
}

static bool get_published(const json_t *o, struct control_message *m,
	struct err *e)
{
	if (!json_object_get(o, "software"))
		return err_fail(e, ERR_INPUT, "software: missing");
	return json_member_bool_opt(o, "software", &m->software, e) &&
		json_member_base64(o, "claims", CONTROL_MAX_BYTES, &m->claims,
			e) &&
		json_member_base64(o, "evidence", CONTROL_MAX_BYTES,
			&m->evidence, e) &&
		json_member_base64(o, "endorsements", CONTROL_MAX_BYTES,
			&m->endorsements, e) &&
		json_member_base64(o, "certificate", CONTROL_MAX_BYTES,
			&m->certificate, e);
}

static bool get_members(const json_t *o, struct control_message *m,
	struct err *e)
{
	switch (m->type) {
	case CONTROL_LAUNCH:
		return get_launch(o, m, e);
	case CONTROL_CHANNEL:
		return get_u64(o, "channel", &m->channel, e);
	case CONTROL_STOP:
		return true;
	case CONTROL_PUBLISHED:
		return get_published(o, m, e);
	case CONTROL_CLOSED:
		return get_u64(o, "channel", &m->channel, e) &&
			get_u64(o, "bytes_in", &m->bytes_in, e) &&
			get_u64(o, "bytes_out", &m->bytes_out, e);
	case CONTROL_ENDED:
		return get_word(o, "reason", m->reason, sizeof m->reason, e) &&
			get_kind(o, &m->kind, e) &&
			get_str(o, "text", m->text, sizeof m->text, e);
	case CONTROL_TYPE_COUNT:
		break;
	}
	return err_fail(e, ERR_INPUT, "type: unknown");
}

static bool get_type(const json_t *o, enum control_type *out, struct err *e)
{
	const char *text = NULL;
	if (!json_member_str(o, "type", 16, &text, e))
		return false;
	for (unsigned t = 0; t < CONTROL_TYPE_COUNT; t++)
		if (!strcmp(text, type_names[t])) {
			*out = (enum control_type)t;
			return true;
		}
	return err_fail(e, ERR_INPUT, "type: unknown");
}

bool control_parse(struct bytes in, struct control_message *out, struct err *e)
{
	json_auto_t *o = NULL;
	struct control_message m = { 0 };
	if (!json_parse(in, CONTROL_MAX_BYTES, &o, e))
		return err_wrap(e, "control");
	if (!get_type(o, &m.type, e) || !json_no_more(o, members[m.type], e) ||
		!get_members(o, &m, e)) {
		control_fini(&m);
		return err_wrap(e, "control");
	}
	*out = m;
	return true;
}

/* --- the socket ------------------------------------------------------------
 */

/* Room for one descriptor; the kernel may put two into the padding. */
union control_cmsg {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

bool control_send(int sock, const struct control_message *m, int fd,
	struct err *e)
{
	auto_buf text = { 0 };
	if (!control_encode(m, &text, e))
		return false;
	struct iovec iov = { .iov_base = text.ptr, .iov_len = text.len };
	union control_cmsg cmsg = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (fd >= 0) {
		msg.msg_control = cmsg.room;
		msg.msg_controllen = sizeof cmsg.room;
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	ssize_t n;
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)text.len)
		return err_fail(e, ERR_HOST, "control: send %s: %s",
			type_names[m->type], strerror(errno));
	return true;
}

bool control_gone(int sock)
{
	struct pollfd p = { .fd = sock };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/* The first descriptor that came along, or -1; every other is closed. */
static int take_fd(struct msghdr *msg)
{
	int first = -1;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	for (; c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (first < 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

/* A peer that closes with our packets unread resets the connection, and Linux
 * tells that, once, before it gives us the packets that the peer sent. */
static bool once_more(ssize_t n)
{
	return n < 0 && (errno == EINTR || errno == ECONNRESET);
}

/* The size of the packet that waits: 0 when the peer is gone, -1 when there
 * is none. */
static bool next_size(int sock, ssize_t *size, struct err *e)
{
	char byte;
	do
		*size = recv(sock, &byte, 1, MSG_PEEK | MSG_TRUNC);
	while (once_more(*size));
	return *size >= 0 || errno == EAGAIN ||
		err_fail(e, ERR_HOST, "control: receive: %s", strerror(errno));
}

/* Takes the packet with its descriptor.  One too large is taken, too: it must
 * not be found again. */
static bool take(int sock, struct buf *text, int *fd, struct err *e)
{
	struct iovec iov = { .iov_base = text->ptr, .iov_len = text->cap };
	union control_cmsg cmsg = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = cmsg.room,
		.msg_controllen = sizeof cmsg.room };
	ssize_t n;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (once_more(n));
	if (n < 0)
		return err_fail(e, ERR_HOST, "control: receive: %s",
			strerror(errno));
	*fd = take_fd(&msg);
	if (msg.msg_flags & MSG_TRUNC)
		return err_fail(e, ERR_LIMIT, "control: message over %u bytes",
			CONTROL_MAX_BYTES);
	buf_commit(text, (size_t)n);
	return true;
}

bool control_recv(int sock, struct control_message *out, int *fd, bool *got,
	bool *gone, struct err *e)
{
	ssize_t size;
	*fd = -1;
	*got = *gone = false;
	if (!next_size(sock, &size, e))
		return false;
	if (size <= 0) {
		*gone = size == 0;
		return true;
	}
	auto_buf text = { 0 };
	if (!buf_reserve(&text, size_min((size_t)size, CONTROL_MAX_BYTES)))
		return err_fail(e, ERR_LIMIT, "control: no memory");
	auto_fd came = -1;
	if (!take(sock, &text, &came, e) ||
		!control_parse(buf_bytes(&text), out, e))
		return false;
	if ((came >= 0) != (out->type == CONTROL_CHANNEL)) {
		const char *name = type_names[out->type];
		control_fini(out);
		*out = (struct control_message){ 0 };
		return err_fail(e, ERR_INPUT, "control: %s %s descriptor", name,
			came >= 0 ? "with a" : "without its");
	}
	*fd = fd_move(&came);
	*got = true;
	return true;
}
