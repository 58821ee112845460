/* SPDX-License-Identifier: Apache-2.0 */
#include "client/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
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
		.room = UINT64_MAX,
		.archives = calloc(w->mount_count + 1, sizeof *d->archives),
		.chunk = malloc(FRAME_DATA_CHUNK) };
	for (size_t i = 0; d->archives && i < w->mount_count; i++)
		d->archives[i].fd = -1;
	if (!d->chunk || !d->archives)
		return no_memory(e);
	if (!repository_package_module(package, &d->module, e))
		return false;
	d->module_bytes = d->module.len;
	return check_module(d, e) &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&d->module),
			d->module_sha256, e) &&
		client_scan(d, e);
}

bool client_deliver_parts(struct client_deliver *d, struct bytes toml,
	struct bytes policy, struct err *e)
{
	struct buf *p = d->parts;
	if (!buf_put(&p[FRAME_PART_MANIFEST - 1],
		    buf_bytes(&d->package->manifest)) ||
		!buf_put(&p[FRAME_PART_POLICY - 1], policy) ||
		!buf_put(&p[FRAME_PART_TOML - 1], toml))
		return no_memory(e);
	return toml.len ||
		repository_package_toml(d->package, &p[FRAME_PART_TOML - 1], e);
}

void client_deliver_fini(struct client_deliver *d)
{
	for (size_t i = 0; i < ARRAY_LEN(d->parts); i++)
		buf_fini(&d->parts[i]);
	buf_wipe(&d->module);
	for (size_t i = 0; i < d->entry_count; i++)
		free(d->entries[i].path);
	free(d->entries);
	for (size_t i = 0; d->archives && i < d->w->mount_count; i++)
		repository_archive_close(&d->archives[i]);
	free(d->archives);
	if (d->chunk)
		explicit_bzero(d->chunk, FRAME_DATA_CHUNK);
	free(d->chunk);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct client_deliver){ .fd = -1 };
}

/* --- CONFIG, TIME ------------------------------------------------------- */

/* What CONFIG's spans lie in. */
struct spans {
	struct bytes *args, *env;
	struct frame_mount *mounts;
	struct frame_fd *fds;
	struct frame_rule *connects, *listens;
	struct frame_tls *profiles;
};

static bool spans_new(const struct client_workload *w, struct spans *s)
{
	*s = (struct spans){
		.args = calloc(w->args.count + 1, sizeof *s->args),
		.env = calloc(w->env.count + 1, sizeof *s->env),
		.mounts = calloc(w->mount_count + 1, sizeof *s->mounts),
		.fds = calloc(w->file_count + 1, sizeof *s->fds),
		.connects = calloc(w->connect_count + 1, sizeof *s->connects),
		.listens = calloc(w->listen_count + 1, sizeof *s->listens),
		.profiles = calloc(w->profile_count + 1, sizeof *s->profiles),
	};
	return s->args && s->env && s->mounts && s->fds && s->connects &&
		s->listens && s->profiles;
}

static void spans_free(struct spans *s)
{
	free(s->args);
	free(s->env);
	free(s->mounts);
	free(s->fds);
	free(s->connects);
	free(s->listens);
	free(s->profiles);
}

static void put_strings(const struct client_deliver *d, struct spans *s)
{
	const struct client_workload *w = d->w;
	s->args[0] = repository_name(w->module);
	for (size_t i = 0; i < w->args.count; i++)
		s->args[i + 1] = bytes_str(w->args.ptr[i]);
	for (size_t i = 0; i < w->env.count; i++)
		s->env[i] = bytes_str(w->env.ptr[i]);
	for (size_t i = 0; i < w->mount_count; i++) {
		const struct client_mount *m = &w->mounts[i];
		s->mounts[i] = (struct frame_mount){
			.guest = bytes_str(m->guest),
			.writable = m->writable,
			.returned = m->writable && !m->packaged &&
				!m->scratch &&
				!(d->flags & FRAME_CONFIG_DETACHED),
		};
	}
}

static void put_files(const struct client_deliver *d, struct spans *s)
{
	const struct client_workload *w = d->w;
	for (size_t i = 0; i < w->file_count; i++) {
		const struct client_file *f = &w->files[i];
		bool socket = f->kind >= FRAME_FD_LISTEN;
		s->fds[i] = (struct frame_fd){ .kind = (uint8_t)f->kind };
		if (f->kind == FRAME_FD_MOUNT)
			s->fds[i].number = (uint16_t)f->mount;
		/* Nobody is there to read from. */
		if (f->kind == FRAME_FD_STDIN &&
			d->flags & FRAME_CONFIG_DETACHED)
			s->fds[i].kind = FRAME_FD_NULL;
		if (!socket)
			continue;
		s->fds[i].flags = f->nonblock ? FRAME_FD_NONBLOCK : 0;
		s->fds[i].prot = (uint8_t)f->prot;
		s->fds[i].profile = (uint8_t)f->profile;
		s->fds[i].number = f->port;
		s->fds[i].host = f->host ? bytes_str(f->host) : BYTES_NONE;
	}
}

static void put_rules(const struct client_rule *list, size_t count,
	struct frame_rule *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (struct frame_rule){ .prot = (uint8_t)list[i].prot,
			.profile = (uint8_t)list[i].profile,
			.first = list[i].first,
			.last = list[i].last,
			.host = bytes_str(list[i].host) };
}

static void put_profiles(const struct client_workload *w, struct spans *s)
{
	for (size_t i = 0; i < w->profile_count; i++) {
		const struct client_tls *t = &w->profiles[i];
		s->profiles[i] = (struct frame_tls){
			.flags = (t->trusting ? FRAME_TLS_TRUST : 0) |
				(t->request ? FRAME_TLS_REQUEST : 0) |
				(t->require ? FRAME_TLS_REQUIRE : 0) |
				(t->attested ? FRAME_TLS_ATTESTED : 0),
			.pins = buf_bytes(&t->pins),
			.alpn = buf_bytes(&t->alpn),
			.owners = buf_bytes(&t->owners),
			.policy = buf_bytes(&t->policy_wire),
			.chain = buf_bytes(&t->chain),
			.key = buf_bytes(&t->pkcs8),
		};
	}
}

static bool put_config(const struct client_deliver *d, struct spans *s,
	struct buf *out)
{
	const struct client_workload *w = d->w;
	put_strings(d, s);
	put_files(d, s);
	put_rules(w->connects, w->connect_count, s->connects);
	put_rules(w->listens, w->listen_count, s->listens);
	put_profiles(w, s);
	struct frame_config c = { .memory_bytes = w->memory_bytes,
		.file_bytes = w->file_bytes,
		.time_ns = w->time_ns,
		.fuel = w->fuel,
		.threads = w->threads,
		.flags = d->flags | (w->interpret ? FRAME_CONFIG_INTERP : 0),
		.args = s->args,
		.arg_count = w->args.count + 1,
		.env = s->env,
		.env_count = w->env.count,
		.mounts = s->mounts,
		.mount_count = w->mount_count,
		.fds = s->fds,
		.fd_count = w->file_count,
		.connects = s->connects,
		.connect_count = w->connect_count,
		.listens = s->listens,
		.listen_count = w->listen_count,
		.profiles = s->profiles,
		.profile_count = w->file_count ? w->profile_count : 0 };
	if (!w->file_count && d->flags & FRAME_CONFIG_DETACHED)
		c.stdio[0] = FRAME_STDIO_NULL;
	return frame_config_encode(&c, out);
}

static bool send_config(const struct client_deliver *d, struct channel *c,
	struct err *e)
{
	auto_wipe_buf payload = { .limit = FRAME_MAX_PAYLOAD };
	struct spans s;
	bool ok = spans_new(d->w, &s) || no_memory(e);
	if (ok && !put_config(d, &s, &payload))
		ok = err_fail(e, ERR_LIMIT,
			"arguments, environment, directories and TLS take "
			"more than %u bytes",
			FRAME_MAX_PAYLOAD);
	spans_free(&s);
	return ok && channel_send(c, FRAME_CONFIG, buf_bytes(&payload), e);
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

/* --- TRUST --------------------------------------------------------------- */

/* The next profile whose peers must end in its authorities. */
static bool send_trust(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	const struct client_workload *w = d->w;
	size_t count = w->file_count ? w->profile_count : 0;
	while (d->at < count && !w->profiles[d->at].trusting)
		d->at++;
	if (d->at == count) {
		d->at = 0;
		d->state = CLIENT_DELIVER_PART;
		return true;
	}
	struct bytes der = buf_bytes(&w->profiles[d->at].trust);
	struct frame_trust t = { .size = der.len, .profile = (uint32_t)d->at };
	auto_buf payload = { 0 };
	if (!crypto_digest(CRYPTO_SHA256, der, t.sha256, e))
		return false;
	if (!frame_trust_encode(&t, &payload))
		return no_memory(e);
	d->left = der.len;
	d->state = CLIENT_DELIVER_ANCHORS;
	return channel_send(c, FRAME_TRUST, buf_bytes(&payload), e);
}

static bool send_anchors(struct client_deliver *d, struct channel *c,
	struct err *e)
{
	struct bytes der = buf_bytes(&d->w->profiles[d->at].trust);
	struct bytes rest = bytes_from(der, der.len - d->left);
	rest.len = size_min(rest.len, FRAME_DATA_CHUNK);
	if (!channel_send(c, FRAME_DATA, rest, e))
		return false;
	d->left -= rest.len;
	if (!d->left) {
		d->at++;
		d->state = CLIENT_DELIVER_TRUST;
	}
	return true;
}

/* --- files -------------------------------------------------------------- */

static bool changed(const struct client_deliver *d, struct err *e)
{
	const struct client_entry *x = &d->entries[d->at];
	if (x->item)
		return err_fail(e, ERR_INPUT, "%s: changed while it was sent",
			x->item->guest);
	return err_fail(e, ERR_INPUT, "%s/%s: changed while it was sent",
		d->w->mounts[x->mount].host, x->path);
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

/* Digests the open file's first `size` bytes and goes back to its start.  What
 * the Keep can't take is not read: that alone can last longer than it waits. */
static bool digest_file(struct client_deliver *d, struct frame_file *f,
	struct err *e)
{
	struct crypto_hash *h;
	uint64_t begin = d->from;
	if (f->size > d->room)
		return err_fail(e, ERR_LIMIT,
			"%.*s: %llu bytes, %llu left of the Keep's memory: "
			"--memory asks for more",
			(int)f->path.len, (const char *)f->path.ptr,
			(unsigned long long)f->size,
			(unsigned long long)d->room);
	d->room -= f->size;
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

/* The value of a variable, as a file: it is no longer ours from then on. */
static int open_variable(const char *name)
{
	const char *value = getenv(name);
	if (!value) {
		errno = ENOENT;
		return -1;
	}
	auto_fd fd = memfd_create("item", MFD_CLOEXEC);
	size_t n = strlen(value);
	return fd >= 0 && write(fd, value, n) == (ssize_t)n ? fd_move(&fd) : -1;
}

static bool open_item(struct client_deliver *d, const struct client_item *x,
	struct frame_file *f, struct err *e)
{
	const char *what = x->source ? x->source : x->variable;
	struct stat st;
	d->from = 0;
	d->fd = x->source ? open(x->source, O_RDONLY | O_CLOEXEC) :
			    open_variable(x->variable);
	if (d->fd < 0)
		return err_fail(e, ERR_INPUT, "%s%s: %s",
			x->source ? "" : "variable ", what,
			x->source || errno != ENOENT ? strerror(errno) :
						       "is not set here");
	if (fstat(d->fd, &st) || !S_ISREG(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: not a file", what);
	f->size = (uint64_t)st.st_size;
	f->secret = x->secret;
	f->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000u +
		(uint64_t)st.st_mtim.tv_nsec;
	return digest_file(d, f, e);
}

static bool open_file(struct client_deliver *d, struct frame_file *f,
	struct err *e)
{
	const struct client_entry *x = &d->entries[d->at];
	const char *host = d->w->mounts[x->mount].host;
	struct stat st;
	auto_buf path = { 0 };
	if (x->item)
		return open_item(d, x->item, f, e);
	if (x->packaged || x->archived) {
		d->fd = fcntl(x->packaged ? d->package->data_fd :
					    d->archives[x->mount].fd,
			F_DUPFD_CLOEXEC, 3);
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
		d->state = CLIENT_DELIVER_TRUST;
		return send_time(c, e);
	case CLIENT_DELIVER_TRUST:
		return send_trust(d, c, e);
	case CLIENT_DELIVER_ANCHORS:
		return send_anchors(d, c, e);
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
