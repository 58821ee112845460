/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "keep/keep.h"

enum { FRAME_ROOM = FRAME_DATA_CHUNK + 0x400 };

struct results {
	struct keep *k;
	struct keep_peer *to;
	uint32_t mount;
	uint8_t *chunk; /* FRAME_DATA_CHUNK */
	struct err *e;
	bool lost; /* the gate */
};

/* Waits until a full frame fits; false when there is nobody to send to. */
static bool wait_room(struct results *r)
{
	struct keep *k = r->k;
	while (k->holder == r->to &&
		channel_output_room(r->to->channel) < FRAME_ROOM) {
		/* Only what the host does not take now is worth a wait. */
		if (!keep_serve_flush(k, r->to, r->e) ||
			(r->to->blocked &&
				!keep_serve_pump(k, KEEP_CLOCK_NEVER, r->e))) {
			r->lost = true;
			return false;
		}
	}
	return k->holder == r->to;
}

static bool send_frame(struct results *r, enum frame_type type,
	struct bytes payload)
{
	if (!wait_room(r))
		return false;
	keep_serve_say(r->k, r->to, type, payload);
	return r->k->holder == r->to;
}

/* Up to a chunk from `at` on; 0 at the end. */
static size_t read_chunk(struct results *r, struct vfs_node *node, uint64_t at)
{
	struct vfs *fs = memfs_vfs(r->k->load.fs);
	size_t n = FRAME_DATA_CHUNK;
	return fs->ops->read(fs, node, at, r->chunk, &n) ? 0 : n;
}

static bool digest(struct results *r, struct vfs_node *node, uint64_t size,
	uint8_t out[CRYPTO_SHA256_BYTES])
{
	struct err ignored;
	struct crypto_hash *h = NULL;
	bool ok = crypto_hash_new(CRYPTO_SHA256, &h, &ignored);
	uint64_t at = 0;
	while (ok && at < size) {
		size_t n = read_chunk(r, node, at);
		ok = n && crypto_hash_add(h, bytes_of(r->chunk, n), &ignored);
		at += n;
	}
	ok = ok && crypto_hash_end(h, out, &ignored);
	crypto_hash_free(h);
	return ok;
}

static bool send_contents(struct results *r, struct vfs_node *node,
	uint64_t size)
{
	for (uint64_t at = 0; at < size;) {
		size_t n = read_chunk(r, node, at);
		if (!n || !send_frame(r, FRAME_DATA, bytes_of(r->chunk, n)))
			return false;
		at += n;
	}
	return true;
}

static bool visit(void *ctx, struct bytes path, struct vfs_node *node,
	const struct vfs_stat *st)
{
	struct results *r = ctx;
	struct frame_file f = {
		.mount = r->mount,
		.directory = st->type == VFS_DIRECTORY,
		.mtime_ns = st->mtim,
		.size = st->type == VFS_FILE ? st->size : 0,
		.path = path,
	};
	/* Symbolic links stay: they could lead anywhere on her machine. */
	if (st->type != VFS_DIRECTORY && st->type != VFS_FILE)
		return true;
	auto_buf head = { .len = 0 };
	if (st->type == VFS_FILE && !digest(r, node, f.size, f.sha256))
		return false;
	return frame_file_encode(&f, &head) &&
		send_frame(r, FRAME_FILE, buf_bytes(&head)) &&
		send_contents(r, node, f.size);
}

static bool send_mounts(struct results *r)
{
	const struct frame_config *c = &r->k->load.config;
	bool any = false;
	for (uint32_t i = 0; i < c->mount_count; i++) {
		if (!c->mounts[i].returned)
			continue;
		any = true;
		r->mount = i;
		if (!memfs_walk(r->k->load.fs, r->k->load.roots[i], visit, r))
			return false;
	}
	return !any || send_frame(r, FRAME_RESULTS_END, BYTES_NONE);
}

static bool send_receipt(struct results *r)
{
	struct err ignored;
	auto_buf receipt = { .len = 0 };
	return !(r->k->load.config.flags & FRAME_CONFIG_RECEIPT) ||
		(keep_receipt_make(r->k, &receipt, &ignored) &&
			send_frame(r, FRAME_RECEIPT, buf_bytes(&receipt)));
}

static bool send_all(struct results *r)
{
	auto_buf exit = { .len = 0 };
	return send_mounts(r) && send_receipt(r) &&
		frame_exit_encode(&r->k->exit, &exit) &&
		send_frame(r, FRAME_EXIT, buf_bytes(&exit));
}

bool keep_results_send(struct keep *k, struct err *e)
{
	struct err why;
	struct results r = { .k = k, .to = k->holder, .e = e };
	if (!r.to)
		return true;
	r.chunk = malloc(FRAME_DATA_CHUNK);
	err_put(&why, ERR_LIMIT, "results could not be read");
	bool all = r.chunk && send_all(&r);
	free(r.chunk);
	if (r.lost)
		return false;
	if (k->holder != r.to)
		return true;
	if (all)
		keep_serve_part(k, r.to);
	else
		keep_serve_refuse(k, r.to, &why);
	return true;
}
