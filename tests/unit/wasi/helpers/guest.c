/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>

/* --- the engine's part -------------------------------------------------- */

uint8_t *wasm_caller_memory(struct wasm_caller *c, uint64_t at, uint64_t len)
{
	return at <= c->size && len <= c->size - at ? c->memory + at : NULL;
}

uint64_t wasm_caller_memory_size(struct wasm_caller *c)
{
	return c->size;
}

bool wasm_caller_trap(struct wasm_caller *c, const char *text)
{
	c->end = WASM_TRAPPED;
	snprintf(c->text, sizeof c->text, "%s", text);
	return false;
}

bool wasm_caller_exit(struct wasm_caller *c, uint32_t code)
{
	c->end = WASM_EXITED;
	c->code = code;
	return false;
}

bool wasm_caller_stop(struct wasm_caller *c)
{
	c->end = WASM_STOPPED;
	return false;
}

bool wasm_caller_shares(const struct wasm_caller *c)
{
	return c->shares;
}

bool wasm_caller_pause(struct wasm_caller *c, uint64_t deadline)
{
	c->pauses++;
	c->until = deadline;
	return false;
}

struct wasm_kept *wasm_caller_kept(struct wasm_caller *c)
{
	return &c->kept;
}

enum wasm_spawn wasm_caller_spawn(struct wasm_caller *c, const char *entry,
	uint32_t arg, uint32_t *id)
{
	c->spawned = entry;
	*id = arg;
	return c->spawn;
}

/* --- streams ------------------------------------------------------------ */

static int64_t pipe_read(void *ctx, uint8_t *to, size_t n)
{
	struct pipe *p = ctx;
	p->reads++;
	if (p->error)
		return -p->error;
	if (p->in.len == 0)
		return p->eof ? 0 : -WASI_AGAIN;
	n = size_min(n, p->in.len);
	memcpy(to, p->in.ptr, n);
	buf_consume(&p->in, n);
	return (int64_t)n;
}

static int64_t pipe_write(void *ctx, const uint8_t *from, size_t n)
{
	struct pipe *p = ctx;
	if (p->error)
		return -p->error;
	n = size_min(n, p->room);
	if (n == 0)
		return -WASI_AGAIN;
	p->room -= n;
	buf_put(&p->out, bytes_of(from, n));
	return (int64_t)n;
}

static unsigned pipe_ready(void *ctx)
{
	struct pipe *p = ctx;
	return (p->in.len || p->eof ? WASI_READY_READ : 0u) |
		(p->room ? WASI_READY_WRITE : 0u) |
		(p->eof ? WASI_READY_HANGUP : 0u);
}

static uint64_t pipe_pending(void *ctx)
{
	return ((struct pipe *)ctx)->in.len;
}

static void pipe_close(void *ctx)
{
	((struct pipe *)ctx)->closed++;
}

static int pipe_shutdown(void *ctx, unsigned which)
{
	((struct pipe *)ctx)->ended |= which;
	return WASI_OK;
}

static bool pipe_hold(void *ctx, size_t bytes)
{
	struct pipe *p = ctx;
	if (bytes > p->can_hold - p->held)
		return false;
	p->held += bytes;
	return true;
}

static const struct wasi_stream_ops pipe_ops = { .read = pipe_read,
	.hold = pipe_hold,
	.write = pipe_write,
	.ready = pipe_ready,
	.pending = pipe_pending,
	.close = pipe_close,
	.shutdown = pipe_shutdown };

static int listener_accept(void *ctx, struct wasi_stream *out)
{
	struct guest *g = ctx;
	*out = (struct wasi_stream){ .ops = &pipe_ops, .ctx = &g->accepted };
	return g->accept_result;
}

static unsigned listener_ready(void *ctx)
{
	return ((struct guest *)ctx)->accept_result ? 0u : WASI_READY_READ;
}

static const struct wasi_stream_ops listener_ops = { .accept = listener_accept,
	.ready = listener_ready };

static int dialled_connected(void *ctx)
{
	struct pipe *p = ctx;
	return p->error == -1 ? WASI_AGAIN : p->error;
}

static const struct wasi_stream_ops dialled_ops = { .read = pipe_read,
	.write = pipe_write,
	.ready = pipe_ready,
	.pending = pipe_pending,
	.close = pipe_close,
	.shutdown = pipe_shutdown,
	.connected = dialled_connected };

static int net_listen(void *ctx, const struct wasi_address *at,
	struct wasi_stream *out)
{
	struct guest *g = ctx;
	g->asked = *at;
	*out = (struct wasi_stream){ .ops = &listener_ops, .ctx = g };
	return g->listen_result;
}

static int net_connect(void *ctx, const struct wasi_address *to,
	struct wasi_stream *out)
{
	struct guest *g = ctx;
	g->asked = *to;
	g->dialled.error = g->connected_result;
	*out = (struct wasi_stream){ .ops = &dialled_ops, .ctx = &g->dialled };
	return g->connect_result;
}

static int net_resolve(void *ctx, struct bytes name, struct wasi_address *out,
	size_t *n)
{
	static const struct wasi_address found[2] = {
		{ .ip = { [10] = 0xff, 0xff, 10, 0, 0, 1 } },
		{ .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	};
	struct guest *g = ctx;
	bool both = bytes_equal(name, BYTES_LIT("both"));
	bool late = bytes_equal(name, BYTES_LIT("late"));
	if (late && !g->look_ups++)
		return WASI_AGAIN;
	if (!both && !late && !bytes_equal(name, BYTES_LIT("four")))
		return WASI_HOSTUNREACH;
	*n = size_min(*n, both ? 2 : 1);
	memcpy(out, found, *n * sizeof found[0]);
	return WASI_OK;
}

/* --- the embedder ------------------------------------------------------- */

static uint64_t host_now(void *ctx, enum wasi_clock clock)
{
	struct guest *g = ctx;
	return clock == WASI_CLOCK_REALTIME ? g->real : g->mono;
}

static uint64_t fs_now(void *ctx)
{
	return ((struct guest *)ctx)->real++;
}

static bool host_random(void *ctx, uint8_t *to, size_t n)
{
	struct guest *g = ctx;
	g->random++;
	memset(to, 0x5a, n);
	return g->random != 77;
}

static bool host_wait(void *ctx, uint64_t deadline)
{
	struct guest *g = ctx;
	g->waits++;
	g->last_deadline = deadline;
	if (g->on_wait)
		return g->on_wait(g);
	if (deadline == UINT64_MAX)
		return false;
	if (deadline > g->mono) {
		g->real += deadline - g->mono;
		g->mono = deadline;
	}
	return true;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "guest: %s\n", what);
	abort();
}

static void guest_files(struct guest *g)
{
	struct vfs_node *n;
	size_t len = 8;
	need(memfs_root(g->fs, &g->root, NULL), "root");
	need(memfs_root(g->fs, &g->ro, NULL), "root");
	need(memfs_add(g->fs, g->ro, BYTES_LIT("f"), VFS_FILE, 5, &n, NULL),
		"file");
	struct vfs *v = memfs_vfs(g->fs);
	need(!v->ops->write(v, n, 0, (const uint8_t *)"readonly", &len),
		"write");
	need(memfs_add(g->fs, g->ro, BYTES_LIT("d"), VFS_DIRECTORY, 5, &n,
		     NULL),
		"directory");
}

struct guest *guest_new_with(const struct memfs_config *cfg)
{
	static const char *const args[] = { "prog", "one", "" };
	static const char *const env[] = { "A=b", "C=" };
	struct guest *g = calloc(1, sizeof *g);
	need(g != NULL, "memory");
	g->caller.memory = calloc(1, GUEST_MEMORY);
	g->caller.size = GUEST_MEMORY;
	g->mono = 1000;
	g->real = 1700000000000000000;
	g->text_at = 0x8000;
	g->dialled.room = 1 << 20;
	g->in.room = g->out.room = g->sock.room = g->accepted.room = 1 << 20;
	g->sock.can_hold = g->accepted.can_hold = g->dialled.can_hold =
		SIZE_MAX;
	struct memfs_config c = *cfg;
	c.now = fs_now;
	c.ctx = g;
	need(memfs_new(&c, &g->fs, NULL), "file system");
	guest_files(g);
	static const struct wasi_host host_ops = { .now = host_now,
		.random = host_random,
		.wait = host_wait };
	struct wasi_host *host = malloc(sizeof *host);
	need(host != NULL, "memory");
	*host = host_ops;
	host->ctx = g;
	struct wasi_fd_config fds[] = {
		{ .kind = WASI_FD_STREAM,
			.stream = { &pipe_ops, &g->in, true, false },
			.ready = WASI_READY_READ },
		{ .kind = WASI_FD_STREAM,
			.stream = { &pipe_ops, &g->out, false, false },
			.ready = WASI_READY_WRITE },
		{ .kind = WASI_FD_NULL },
		{ .kind = WASI_FD_PREOPEN, .dir = g->root, .name = "/" },
		{ .kind = WASI_FD_PREOPEN,
			.dir = g->ro,
			.name = "/ro",
			.read_only = true },
		{ .kind = WASI_FD_STREAM,
			.stream = { &listener_ops, g, false, true },
			.ready = WASI_READY_READ },
		{ .kind = WASI_FD_STREAM,
			.stream = { &pipe_ops, &g->sock, false, true },
			.ready = WASI_READY_READ | WASI_READY_WRITE },
	};
	struct wasi_net *net = malloc(sizeof *net);
	need(net != NULL, "memory");
	*net = (struct wasi_net){ g, net_listen, net_connect, net_resolve };
	struct wasi_config wc = { .host = host,
		.net = net,
		.vfs = memfs_vfs(g->fs),
		.args = args,
		.arg_count = 3,
		.env = env,
		.env_count = 2,
		.fds = fds,
		.fd_count = ARRAY_LEN(fds),
		.max_fds = 64 };
	need(wasi_new(&wc, &g->w, NULL), "wasi");
	return g;
}

struct guest *guest_new(void)
{
	struct memfs_config cfg = { .max_bytes = 64 << 20 };
	return guest_new_with(&cfg);
}

static const struct wasi_host *host_of(struct guest *g);
static const struct wasi_net *net_of(struct guest *g);

void guest_free(struct guest *g)
{
	union {
		const struct wasi_host *host;
		void *ptr;
	} host = { host_of(g) };
	union {
		const struct wasi_net *net;
		void *ptr;
	} net = { net_of(g) };
	wasi_free(g->w);
	free(host.ptr);
	free(net.ptr);
	memfs_free(g->fs);
	struct pipe *pipes[] = { &g->in, &g->out, &g->sock, &g->accepted,
		&g->dialled };
	for (size_t i = 0; i < ARRAY_LEN(pipes); i++) {
		buf_fini(&pipes[i]->in);
		buf_fini(&pipes[i]->out);
	}
	free(g->caller.memory);
	free(g);
}

#include "wasi/wasi_priv.h"

static const struct wasi_host *host_of(struct guest *g)
{
	return g->w->host;
}

static const struct wasi_net *net_of(struct guest *g)
{
	return g->w->net;
}

int guest_call(struct guest *g, const char *module, const char *name,
	const uint64_t *args, size_t n)
{
	size_t count;
	const struct wasm_import *all = wasi_imports(g->w, &count);
	uint64_t slots[16] = { 0 };
	for (size_t i = 0; i < count; i++) {
		const struct wasm_import *f = &all[i];
		if (strcmp(f->module, module) || strcmp(f->name, name))
			continue;
		/* Some names stand for several types. */
		need(n < 16, name);
		if (strchr(f->sig, ':') != f->sig + n)
			continue;
		/* The engine hands i32 over with an empty upper half. */
		for (size_t k = 0; k < n; k++)
			slots[k] =
				f->sig[k] == 'i' ? (uint32_t)args[k] : args[k];
		unsigned pauses = g->caller.pauses;
		bool back = f->call(&g->caller, slots, f->ctx);
		if (g->caller.pauses == pauses)
			g->caller.kept = (struct wasm_kept){ 0 };
		return back ? (int)slots[0] : -1;
	}
	need(false, name);
	return -1;
}

void guest_put(struct guest *g, uint32_t at, const void *from, size_t n)
{
	need(at + n <= GUEST_MEMORY, "put");
	memcpy(g->caller.memory + at, from, n);
}

uint32_t guest_text(struct guest *g, const char *s)
{
	size_t n = strlen(s);
	if (g->text_at + n > 0xf000)
		g->text_at = 0x8000;
	uint32_t at = g->text_at;
	guest_put(g, at, s, n);
	g->text_at += (uint32_t)n;
	return at;
}

void guest_set(struct guest *g, uint32_t at, uint64_t v, size_t n)
{
	put_le(g->caller.memory + at, v, n);
}

uint64_t guest_get(struct guest *g, uint32_t at, size_t n)
{
	return get_le(g->caller.memory + at, n);
}

uint32_t guest_iov(struct guest *g, uint32_t buf, uint32_t len)
{
	guest_set(g, GUEST_OUT + 0x40, buf, 4);
	guest_set(g, GUEST_OUT + 0x44, len, 4);
	return GUEST_OUT + 0x40;
}

int guest_open_as(struct guest *g, uint32_t dir, const char *path,
	unsigned oflags, uint64_t base, unsigned fdflags, uint32_t *fd)
{
	int r = CALL(g, path_open, dir, LOOKUP_FOLLOW, P(g, path), oflags, base,
		RIGHTS_FILE | RIGHTS_DIRECTORY, fdflags, GUEST_OUT);
	*fd = (uint32_t)guest_get(g, GUEST_OUT, 4);
	return r;
}

int guest_open(struct guest *g, uint32_t dir, const char *path, unsigned oflags,
	uint32_t *fd)
{
	uint64_t base = RIGHTS_FILE | RIGHTS_DIRECTORY;
	if (oflags & OFLAG_DIRECTORY)
		base = RIGHTS_DIRECTORY;
	return guest_open_as(g, dir, path, oflags, base, 0, fd);
}

int guest_write(struct guest *g, uint32_t fd, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	uint32_t at = guest_text(g, text);
	int r = CALL(g, fd_write, fd, guest_iov(g, at, n), 1, GUEST_OUT);
	return r ? r : guest_get(g, GUEST_OUT, 4) == n ? 0 : -2;
}

int guest_read(struct guest *g, uint32_t fd, uint32_t n)
{
	int r = CALL(g, fd_read, fd, guest_iov(g, GUEST_READ_AT, n), 1,
		GUEST_OUT);
	return r ? -r : (int)guest_get(g, GUEST_OUT, 4);
}

int guest_stat(struct guest *g, uint32_t dir, const char *path, bool follow)
{
	return CALL(g, path_filestat_get, dir, follow, P(g, path), GUEST_OUT);
}

int guest_file(struct guest *g, const char *path, const char *text)
{
	uint32_t fd;
	int r = guest_open(g, GUEST_DIR, path, OFLAG_CREAT | OFLAG_TRUNC, &fd);
	if (r)
		return r;
	r = guest_write(g, fd, text);
	int c = CALL(g, fd_close, fd);
	return r ? r : c;
}
