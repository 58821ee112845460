/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/workload.h"

#include <stdlib.h>

#include "base/reader.h"

/* The most that sockets may take. */
#define NET_MOST (UINT64_C(512) << 20)

/* A node of the file system costs about this much beside its contents. */
enum { NODE_BYTES = 512, MAX_NODES = 1000000 };

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void keep_workload_init(struct keep_workload *w, struct keep_clock *clock,
	uint64_t memory)
{
	*w = (struct keep_workload){
		.clock = clock,
		.budget = memory ? memory : KEEP_MEMORY_DEFAULT,
	};
}

/* --- the object that DATA fills ----------------------------------------- */

static void object_drop(struct keep_workload *w)
{
	crypto_hash_free(w->object.hash);
	w->object = (struct keep_object){ .kind = KEEP_OBJECT_NONE };
}

static const char *object_name(const struct keep_object *o)
{
	return o->kind == KEEP_OBJECT_MODULE ? "MODULE" :
		o->kind == KEEP_OBJECT_PART  ? "PACKAGE" :
		o->kind == KEEP_OBJECT_TRUST ? "TRUST" :
					       "FILE";
}

/* What stays of it. */
static void object_settle(struct keep_workload *w)
{
	struct keep_object *o = &w->object;
	struct vfs *fs;
	switch (o->kind) {
	case KEEP_OBJECT_MODULE:
		memcpy(w->module_sha256, o->sha256, sizeof o->sha256);
		w->module_done = true;
		break;
	case KEEP_OBJECT_PART:
		memcpy(w->parts[o->part - 1], o->sha256, sizeof o->sha256);
		w->has_part[o->part - 1] = true;
		break;
	case KEEP_OBJECT_FILE:
		fs = memfs_vfs(w->fs);
		(void)fs->ops->set_times(fs, o->node, NULL, &o->mtime);
		break;
	case KEEP_OBJECT_TRUST:
	case KEEP_OBJECT_NONE:
		break;
	}
}

static bool object_complete(struct keep_workload *w, struct err *e)
{
	struct keep_object *o = &w->object;
	uint8_t digest[CRYPTO_SHA256_BYTES];
	if (!crypto_hash_end(o->hash, digest, e))
		return false;
	if (!crypto_equal(BYTES_ARRAY(digest), BYTES_ARRAY(o->sha256)))
		return err_fail(e, ERR_INPUT,
			"%s: its digest is not the one announced",
			object_name(o));
	object_settle(w);
	object_drop(w);
	return true;
}

static bool object_begin(struct keep_workload *w, struct err *e)
{
	if (!crypto_hash_new(CRYPTO_SHA256, &w->object.hash, e))
		return false;
	return w->object.size || object_complete(w, e);
}

static bool file_write(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct vfs *fs = memfs_vfs(w->fs);
	uint64_t at = w->object.at;
	while (in.len) {
		size_t n = in.len;
		int error = fs->ops->write(fs, w->object.node, at, in.ptr, &n);
		if (error || !n)
			return err_fail(e, ERR_LIMIT,
				"FILE: no room: wasi errno %d", error);
		at += n;
		in = bytes_from(in, n);
	}
	return true;
}

static bool on_data(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct keep_object *o = &w->object;
	if (o->kind == KEEP_OBJECT_NONE || in.len > o->size - o->at)
		return err_fail(e, ERR_INPUT, "DATA: more than was announced");
	if (!crypto_hash_add(o->hash, in, e))
		return false;
	if (o->kind == KEEP_OBJECT_FILE) {
		if (!file_write(w, in, e))
			return false;
		w->file_bytes += in.len;
	} else if (o->kind == KEEP_OBJECT_TRUST) {
		if (!buf_put(o->trust, in))
			return err_fail(e, ERR_LIMIT, "TRUST: no memory");
	} else if (o->kind == KEEP_OBJECT_MODULE && in.len) {
		memcpy(w->module + o->at, in.ptr, in.len);
	}
	o->at += in.len;
	if (o->kind == KEEP_OBJECT_MODULE)
		w->module_have = (size_t)o->at;
	return o->at < o->size || object_complete(w, e);
}

/* --- CONFIG ------------------------------------------------------------- */

/* Appends a NUL-terminated copy; the place is noted as an offset, since the
 * buffer still moves. */
static bool add_string(struct keep_workload *w, struct bytes s,
	const char **slot, const char *what, size_t i, struct err *e)
{
	if (s.len && memchr(s.ptr, '\0', s.len))
		return err_fail(e, ERR_INPUT, "CONFIG: a NUL in %s %zu", what,
			i);
	*slot = (const char *)(uintptr_t)w->strings.len;
	if (!buf_put(&w->strings, s) || !buf_u8(&w->strings, 0))
		return err_fail(e, ERR_LIMIT, "CONFIG: no memory");
	return true;
}

static void place(struct keep_workload *w, const char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i] = (const char *)w->strings.ptr + (uintptr_t)list[i];
}

static bool make_strings(struct keep_workload *w, struct err *e)
{
	const struct frame_config *c = &w->config;
	w->args = calloc(c->arg_count + 1, sizeof *w->args);
	w->env = calloc(c->env_count + 1, sizeof *w->env);
	w->mounts = calloc(c->mount_count + 1, sizeof *w->mounts);
	if (!w->args || !w->env || !w->mounts)
		return err_fail(e, ERR_LIMIT, "CONFIG: no memory");
	for (size_t i = 0; i < c->arg_count; i++)
		if (!add_string(w, c->args[i], &w->args[i], "argument", i, e))
			return false;
	for (size_t i = 0; i < c->env_count; i++)
		if (!add_string(w, c->env[i], &w->env[i], "environment", i, e))
			return false;
	for (size_t i = 0; i < c->mount_count; i++)
		if (!add_string(w, c->mounts[i].guest, &w->mounts[i], "mount",
			    i, e))
			return false;
	place(w, w->args, c->arg_count);
	place(w, w->env, c->env_count);
	place(w, w->mounts, c->mount_count);
	return true;
}

static bool any_writable(const struct frame_config *c)
{
	for (size_t i = 0; i < c->mount_count; i++)
		if (c->mounts[i].writable)
			return true;
	return false;
}

/* Files that cannot grow take what they take; others get a share up front,
 * so that files and linear memory never exceed the budget together. */
static bool set_quota(struct keep_workload *w, struct err *e)
{
	const struct frame_config *c = &w->config;
	if (c->memory_bytes > w->budget)
		return err_fail(e, ERR_LIMIT,
			"CONFIG: memory: %llu bytes, the Keep has %llu",
			(unsigned long long)c->memory_bytes,
			(unsigned long long)w->budget);
	if (c->memory_bytes)
		w->budget = c->memory_bytes;
	if (c->file_bytes)
		w->file_quota = lesser(w->budget, c->file_bytes);
	else
		w->file_quota = any_writable(c) ? w->budget / 2 : w->budget;
	return true;
}

static uint64_t real_time(void *ctx)
{
	return keep_clock_real(ctx);
}

static bool make_roots(struct keep_workload *w, struct err *e)
{
	size_t count = w->config.mount_count;
	const struct memfs_config cfg = {
		.max_bytes = w->file_quota ? w->file_quota : 1,
		.max_nodes = lesser(MAX_NODES, 64 + w->budget / NODE_BYTES),
		.now = real_time,
		.ctx = w->clock,
	};
	w->roots = calloc(count + 1, sizeof *w->roots);
	if (!w->roots)
		return err_fail(e, ERR_LIMIT, "CONFIG: no memory");
	if (!memfs_new(&cfg, &w->fs, e))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!memfs_root(w->fs, &w->roots[i], e))
			return false;
	return true;
}

static void set_stdin(struct keep_workload *w)
{
	const struct frame_config *c = &w->config;
	w->reads_stdin = !c->fd_count && c->stdio[0] == FRAME_STDIO_CHANNEL;
	for (size_t i = 0; i < c->fd_count; i++)
		w->reads_stdin |= c->fds[i].kind == FRAME_FD_STDIN;
}

static bool on_config(struct keep_workload *w, struct bytes in, struct err *e)
{
	if (w->configured)
		return err_fail(e, ERR_INPUT, "CONFIG: a second one");
	if (!buf_put(&w->raw, in))
		return err_fail(e, ERR_LIMIT, "CONFIG: no memory");
	if (!frame_config_parse(buf_bytes(&w->raw), &w->config, e)) {
		buf_clear(&w->raw);
		return false;
	}
	w->configured = true;
	set_stdin(w);
	return set_quota(w, e) && make_strings(w, e) && make_roots(w, e);
}

/* --- the rest ----------------------------------------------------------- */

static bool on_time(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct reader r = { .in = in };
	uint64_t ns = reader_u64le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "TIME: length %zu", in.len);
	if (w->timed)
		return err_fail(e, ERR_INPUT, "TIME: a second one");
	keep_clock_set(w->clock, ns);
	w->timed = true;
	return true;
}

static bool on_file(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct frame_file f;
	if (!frame_file_parse(in, &f, e))
		return false;
	if (!w->configured || f.mount >= w->config.mount_count)
		return err_fail(e, ERR_INPUT, "FILE: no mount %u", f.mount);
	if (f.size > w->file_quota - w->file_bytes)
		return err_fail(e, ERR_LIMIT,
			"FILE: %llu bytes, %llu left for files",
			(unsigned long long)f.size,
			(unsigned long long)(w->file_quota - w->file_bytes));
	struct keep_object *o = &w->object;
	struct vfs_node *node = NULL;
	if ((!w->file_heads &&
		    !crypto_hash_new(CRYPTO_SHA256, &w->file_heads, e)) ||
		!crypto_hash_add(w->file_heads, in, e))
		return false;
	if (!memfs_add(w->fs, w->roots[f.mount], f.path,
		    f.directory ? VFS_DIRECTORY : VFS_FILE, f.mtime_ns, &node,
		    e))
		return err_wrap(e, "FILE");
	*o = (struct keep_object){
		.kind = KEEP_OBJECT_FILE,
		.size = f.size,
		.node = node,
		.mtime = f.mtime_ns,
	};
	memcpy(o->sha256, f.sha256, sizeof o->sha256);
	if (f.directory) {
		object_drop(w);
		return true;
	}
	return object_begin(w, e);
}

static bool on_trust(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct frame_trust t;
	if (!frame_trust_parse(in, &t, e))
		return false;
	if (!w->configured || t.profile >= w->config.profile_count ||
		w->trust[t.profile].len)
		return err_fail(e, ERR_INPUT, "TRUST: profile %u, not now",
			t.profile);
	w->object = (struct keep_object){
		.kind = KEEP_OBJECT_TRUST,
		.size = t.size,
		.trust = &w->trust[t.profile],
	};
	memcpy(w->object.sha256, t.sha256, sizeof t.sha256);
	return object_begin(w, e);
}

static bool on_module(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct frame_module m;
	if (!frame_module_parse(in, &m, e))
		return false;
	if (!w->configured || w->module)
		return err_fail(e, ERR_INPUT, "MODULE: not now");
	if (m.size > keep_workload_room(w))
		return err_fail(e, ERR_LIMIT,
			"MODULE: %llu bytes, %llu left of the Keep's memory",
			(unsigned long long)m.size,
			(unsigned long long)keep_workload_room(w));
	w->module_size = (size_t)m.size;
	w->module = malloc(w->module_size ? w->module_size : 1);
	if (!w->module)
		return err_fail(e, ERR_LIMIT, "MODULE: no memory");
	w->object = (struct keep_object){
		.kind = KEEP_OBJECT_MODULE,
		.size = m.size,
	};
	memcpy(w->object.sha256, m.sha256, sizeof m.sha256);
	return object_begin(w, e);
}

static bool on_package(struct keep_workload *w, struct bytes in, struct err *e)
{
	struct frame_package p;
	if (!frame_package_parse(in, &p, e))
		return false;
	if (w->has_part[p.part - 1])
		return err_fail(e, ERR_INPUT, "PACKAGE: part %u twice", p.part);
	w->object = (struct keep_object){
		.kind = KEEP_OBJECT_PART,
		.part = p.part,
		.size = p.size,
	};
	memcpy(w->object.sha256, p.sha256, sizeof p.sha256);
	return object_begin(w, e);
}

static bool on_start(struct keep_workload *w, struct bytes in, struct err *e)
{
	if (in.len)
		return err_fail(e, ERR_INPUT, "START: length %zu", in.len);
	if (!w->module_done || w->started)
		return err_fail(e, ERR_INPUT, "START: not now");
	if (!(w->file_heads ?
			    crypto_hash_end(w->file_heads, w->files_sha256, e) :
			    crypto_digest(CRYPTO_SHA256, BYTES_NONE,
				    w->files_sha256, e)))
		return false;
	w->started = true;
	return true;
}

bool keep_workload_frame(struct keep_workload *w, unsigned type,
	struct bytes payload, struct err *e)
{
	if (w->object.kind != KEEP_OBJECT_NONE && type != FRAME_DATA)
		return err_fail(e, ERR_INPUT, "%s: DATA is due",
			frame_type_name(type));
	switch (type) {
	case FRAME_CONFIG:
		return on_config(w, payload, e);
	case FRAME_TIME:
		return on_time(w, payload, e);
	case FRAME_FILE:
		return on_file(w, payload, e);
	case FRAME_TRUST:
		return on_trust(w, payload, e);
	case FRAME_MODULE:
		return on_module(w, payload, e);
	case FRAME_PACKAGE:
		return on_package(w, payload, e);
	case FRAME_DATA:
		return on_data(w, payload, e);
	case FRAME_START:
		return on_start(w, payload, e);
	default:
		return err_fail(e, ERR_INPUT, "%s: not part of a workload",
			frame_type_name(type));
	}
}

struct bytes keep_workload_module(const struct keep_workload *w)
{
	return bytes_of(w->module, w->module ? w->module_size : 0);
}

void keep_workload_drop_module(struct keep_workload *w)
{
	if (w->module)
		explicit_bzero(w->module, w->module_have);
	free(w->module);
	w->module = NULL;
	w->module_size = w->module_have = 0;
}

uint64_t keep_workload_net(const struct keep_workload *w)
{
	const struct frame_config *c = &w->config;
	bool any = c->connect_count || c->listen_count;
	for (size_t i = 0; i < c->fd_count; i++)
		any |= c->fds[i].kind >= FRAME_FD_LISTEN;
	return any ? lesser(w->budget / 4, NET_MOST) : 0;
}

uint64_t keep_workload_room(const struct keep_workload *w)
{
	uint64_t taken =
		any_writable(&w->config) ? w->file_quota : w->file_bytes;
	taken = keep_clock_add(taken, keep_workload_net(w));
	return w->budget - lesser(taken, w->budget);
}

void keep_workload_fini(struct keep_workload *w)
{
	object_drop(w);
	crypto_hash_free(w->file_heads);
	keep_workload_drop_module(w);
	memfs_free(w->fs);
	free(w->roots);
	free(w->args);
	free(w->env);
	free(w->mounts);
	frame_config_fini(&w->config);
	for (size_t i = 0; i < FRAME_MAX_PROFILES; i++)
		buf_fini(&w->trust[i]);
	buf_wipe(&w->strings);
	buf_wipe(&w->raw);
	*w = (struct keep_workload){ .clock = NULL };
}
