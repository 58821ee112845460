/* SPDX-License-Identifier: Apache-2.0 */
#include "client/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "client/scan.h"
#include "crypto/hash.h"
#include "repository/repository.h"

static bool no_memory(struct err *e)
{
	return err_fail(e, ERR_LIMIT, "no memory");
}

/* What is no module is found out before a host is asked for anything. */
static bool check_module(const struct client_deliver *d, struct err *e)
{
	static const uint8_t magic[4] = { 0, 'a', 's', 'm' };
	struct bytes m = buf_bytes(&d->module);
	if (m.len >= sizeof magic && !memcmp(m.ptr, magic, sizeof magic))
		return true;
	return err_fail(e, ERR_INPUT,
		"%s: not a wasm module: it does not begin with its magic",
		d->w->module);
}

bool client_deliver_init(struct client_deliver *d,
	const struct client_workload *w,
	const struct repository_package *package, struct err *e)
{
	*d = (struct client_deliver){ .w = w,
		.package = package,
		.fd = -1,
		.chunk = malloc(FRAME_DATA_CHUNK) };
	if (!d->chunk)
		return no_memory(e);
	if (!repository_package_module(package, &d->module, e))
		return false;
	d->module_bytes = d->module.len;
	return check_module(d, e) &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&d->module),
			d->module_sha256, e) &&
		client_scan(d, e);
}

bool client_deliver_parts(struct client_deliver *d, struct bytes policy,
	struct err *e)
{
	struct buf *p = d->parts;
	if (!buf_put(&p[FRAME_PART_MANIFEST - 1],
		    buf_bytes(&d->package->manifest)) ||
		!buf_put(&p[FRAME_PART_POLICY - 1], policy))
		return no_memory(e);
	return repository_package_toml(d->package, &p[FRAME_PART_TOML - 1], e);
}

void client_deliver_fini(struct client_deliver *d)
{
	for (size_t i = 0; i < ARRAY_LEN(d->parts); i++)
		buf_fini(&d->parts[i]);
	buf_wipe(&d->module);
	for (size_t i = 0; i < d->entry_count; i++)
		free(d->entries[i].path);
	free(d->entries);
	if (d->chunk)
		explicit_bzero(d->chunk, FRAME_DATA_CHUNK);
	free(d->chunk);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct client_deliver){ .fd = -1 };
}

/* --- CONFIG, TIME ------------------------------------------------------- */

static bool put_config(const struct client_deliver *d, struct bytes *args,
	struct bytes *env, struct frame_mount *mounts, struct buf *out)
{
	const struct client_workload *w = d->w;
	args[0] = repository_name(w->module);
	for (size_t i = 0; i < w->args.count; i++)
		args[i + 1] = bytes_str(w->args.ptr[i]);
	for (size_t i = 0; i < w->env.count; i++)
		env[i] = bytes_str(w->env.ptr[i]);
	for (size_t i = 0; i < w->mount_count; i++)
		mounts[i] = (struct frame_mount){
			.guest = bytes_str(w->mounts[i].guest),
			.writable = w->mounts[i].writable,
			.returned = w->mounts[i].writable &&
				!w->mounts[i].packaged &&
				!(d->flags & FRAME_CONFIG_DETACHED),
		};
	struct frame_config c = { .memory_bytes = w->memory_bytes,
		.time_ns = w->time_ns,
		.fuel = w->fuel,
		.flags = d->flags,
		.args = args,
		.arg_count = w->args.count + 1,
		.env = env,
		.env_count = w->env.count,
		.mounts = mounts,
		.mount_count = w->mount_count };
	for (size_t i = 0; i < ARRAY_LEN(c.stdio); i++)
		c.stdio[i] = w->null_stdio[i] ? FRAME_STDIO_NULL :
						FRAME_STDIO_CHANNEL;
	if (d->flags & FRAME_CONFIG_DETACHED)
		c.stdio[0] = FRAME_STDIO_NULL;
	return frame_config_encode(&c, out);
}

static bool send_config(const struct client_deliver *d, struct channel *c,
	struct err *e)
{
	auto_wipe_buf payload = { .limit = FRAME_MAX_PAYLOAD };
	auto_free struct bytes *args =
		calloc(d->w->args.count + 1, sizeof *args);
	auto_free struct bytes *env = calloc(d->w->env.count + 1, sizeof *env);
	auto_free struct frame_mount *mounts =
		calloc(d->w->mount_count + 1, sizeof *mounts);
	if (!args || !env || !mounts)
		return no_memory(e);
	if (!put_config(d, args, env, mounts, &payload))
		return err_fail(e, ERR_LIMIT,
			"arguments, environment and directories take more than "
			"%u bytes",
			FRAME_MAX_PAYLOAD);
	return channel_send(c, FRAME_CONFIG, buf_bytes(&payload), e);
}

static bool send_time(struct channel *c, struct err *e)
{
	struct timespec t;
	auto_buf payload = { 0 };
	clock_gettime(CLOCK_REALTIME, &t);
	if (!buf_u64le(&payload,
		    (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec))
		return no_memory(e);
	return channel_send(c, FRAME_TIME, buf_bytes(&payload), e);
}

/* --- files -------------------------------------------------------------- */

static bool changed(const struct client_deliver *d, struct err *e)
{
	return err_fail(e, ERR_INPUT, "%s/%s: changed while it was sent",
		d->w->mounts[d->entries[d->at].mount].host,
		d->entries[d->at].path);
}

static bool read_chunk(struct client_deliver *d, size_t *n, struct err *e)
{
	size_t want = size_min(FRAME_DATA_CHUNK, (size_t)d->left);
	for (*n = 0; *n < want;) {
		ssize_t got = pread(d->fd, d->chunk + *n, want - *n,
			(off_t)(d->from + *n));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return changed(d, e);
		*n += (size_t)got;
	}
	d->left -= *n;
	d->from += *n;
	return true;
}

/* Digests the open file's first `size` bytes and goes back to its start. */
static bool digest_file(struct client_deliver *d, struct frame_file *f,
	struct err *e)
{
	struct crypto_hash *h;
	uint64_t begin = d->from;
	if (!crypto_hash_new(CRYPTO_SHA256, &h, e))
		return false;
	bool ok = true;
	for (d->left = f->size; ok && d->left;) {
		size_t n;
		ok = read_chunk(d, &n, e) &&
			crypto_hash_add(h, bytes_of(d->chunk, n), e);
	}
	ok = ok && crypto_hash_end(h, f->sha256, e);
	crypto_hash_free(h);
	d->from = begin;
	return ok;
}

static bool open_file(struct client_deliver *d, struct frame_file *f,
	struct err *e)
{
	const struct client_entry *x = &d->entries[d->at];
	const char *host = d->w->mounts[x->mount].host;
	struct stat st;
	auto_buf path = { 0 };
	if (x->packaged) {
		d->fd = fcntl(d->package->data_fd, F_DUPFD_CLOEXEC, 3);
		d->from = x->from;
		f->size = x->size;
		return d->fd >= 0 ?
			digest_file(d, f, e) :
			err_fail(e, ERR_HOST, "dup: %s", strerror(errno));
	}
	d->from = 0;
	buf_fmt(&path, "%s/%s", host, x->path);
	d->fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (d->fd < 0)
		return err_fail(e, ERR_INPUT, "%s/%s: %s", host, x->path,
			strerror(errno));
	if (fstat(d->fd, &st) || !S_ISREG(st.st_mode))
		return changed(d, e);
	f->size = (uint64_t)st.st_size;
	return digest_file(d, f, e);
}

static void file_done(struct client_deliver *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->at++;
	d->state = CLIENT_DELIVER_ENTRY;
}

static bool send_entry(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	if (d->at == d->entry_count) {
		d->state = CLIENT_DELIVER_MODULE;
		return true;
	}
	const struct client_entry *x = &d->entries[d->at];
	struct frame_file f = { .mount = x->mount,
		.directory = x->directory,
		.mtime_ns = x->mtime_ns,
		.path = bytes_str(x->path) };
	if (!x->directory && !open_file(d, &f, e))
		return false;
	auto_buf payload = { 0 };
	if (!frame_file_encode(&f, &payload))
		return err_fail(e, ERR_INPUT,
			"%s: cannot be sent, its name is too long", x->path);
	if (!channel_send(c, FRAME_FILE, buf_bytes(&payload), e))
		return false;
	d->left = f.size;
	if (f.size)
		d->state = CLIENT_DELIVER_FILE;
	else
		file_done(d);
	return true;
}

static bool send_file_data(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	size_t n;
	if (!read_chunk(d, &n, e) ||
		!channel_send(c, FRAME_DATA, bytes_of(d->chunk, n), e))
		return false;
	if (!d->left)
		file_done(d);
	return true;
}

/* --- PACKAGE ------------------------------------------------------------ */

static bool send_part(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	while (d->part < ARRAY_LEN(d->parts) && !d->parts[d->part].len)
		d->part++;
	if (d->part == ARRAY_LEN(d->parts)) {
		d->state = CLIENT_DELIVER_ENTRY;
		return true;
	}
	struct bytes part = buf_bytes(&d->parts[d->part]);
	struct frame_package p = { .part = (uint32_t)d->part + 1,
		.size = part.len };
	auto_buf payload = { 0 };
	if (!crypto_digest(CRYPTO_SHA256, part, p.sha256, e))
		return false;
	if (!frame_package_encode(&p, &payload))
		return no_memory(e);
	d->left = part.len;
	d->state = CLIENT_DELIVER_PART_DATA;
	return channel_send(c, FRAME_PACKAGE, buf_bytes(&payload), e);
}

static bool send_part_data(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	struct bytes part = buf_bytes(&d->parts[d->part]);
	struct bytes rest = bytes_from(part, part.len - d->left);
	rest.len = size_min(rest.len, FRAME_DATA_CHUNK);
	d->left -= rest.len;
	if (!d->left) {
		d->part++;
		d->state = CLIENT_DELIVER_PART;
	}
	return channel_send(c, FRAME_DATA, rest, e);
}

/* --- MODULE ------------------------------------------------------------- */

static bool send_module(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	struct frame_module m = { .size = d->module.len };
	auto_buf payload = { 0 };
	memcpy(m.sha256, d->module_sha256, sizeof m.sha256);
	if (!frame_module_encode(&m, &payload))
		return no_memory(e);
	d->left = m.size;
	d->state = CLIENT_DELIVER_CODE;
	return channel_send(c, FRAME_MODULE, buf_bytes(&payload), e);
}

static bool send_code(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	struct bytes rest =
		bytes_from(buf_bytes(&d->module), d->module.len - d->left);
	rest.len = size_min(rest.len, FRAME_DATA_CHUNK);
	if (!channel_send(c, FRAME_DATA, rest, e))
		return false;
	d->left -= rest.len;
	if (!d->left)
		d->state = CLIENT_DELIVER_START;
	return true;
}

bool client_deliver_next(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	switch (d->state) {
	case CLIENT_DELIVER_CONFIG:
		d->state = CLIENT_DELIVER_TIME;
		return send_config(d, c, e);
	case CLIENT_DELIVER_TIME:
		d->state = CLIENT_DELIVER_PART;
		return send_time(c, e);
	case CLIENT_DELIVER_PART:
		return send_part(d, c, e);
	case CLIENT_DELIVER_PART_DATA:
		return send_part_data(d, c, e);
	case CLIENT_DELIVER_ENTRY:
		return send_entry(d, c, e);
	case CLIENT_DELIVER_FILE:
		return send_file_data(d, c, e);
	case CLIENT_DELIVER_MODULE:
		return send_module(d, c, e);
	case CLIENT_DELIVER_CODE:
		return send_code(d, c, e);
	case CLIENT_DELIVER_START:
		d->state = CLIENT_DELIVER_DONE;
		buf_wipe(&d->module);
		return channel_send(c, FRAME_START, BYTES_NONE, e);
	default:
		return true;
	}
}
