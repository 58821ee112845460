/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/fmt.h"
#include "crypto/hash.h"
#include "keep/keep.h"

enum {
	FRAME_ROOM = FRAME_DATA_CHUNK + 0x400,
	/* Work between two looks at the clock: well below a millisecond. */
	TICK_UNITS = 0x10000,
	/* Of the memory, what compiled code may take. */
	CODE_SHARE = 8,
	CODE_MAX = 64 << 20,
	STATUS_TRAP = 134,
	STATUS_LIMIT = 124,
	STATUS_REFUSED = 121,
	/* Seconds in all for what the program left in connections; each has
	 * less where nothing moves (net_priv.h). */
	LEAVE_NETWORK = 30,
};
/* How often a program that asks for nothing is looked after. */
#define TICK_NS 10000000u

struct run {
	struct keep *k;
	struct err *e; /* why the gate is lost */
	bool lost;
	uint64_t next_tick;
	struct wasm_module *module;
	struct wasi *wasi;
	struct wasm_store *store;
	struct wasi_fd_config *fds;
	size_t fd_count;
	bool network; /* what failed was the network */
	struct wasi_net net;
};

/* --- output ------------------------------------------------------------- */

static size_t offer(struct keep *k, struct keep_peer *p, unsigned stream,
	struct bytes in)
{
	size_t done = 0;
	while (done < in.len && k->holder == p) {
		if (channel_output_room(p->channel) < FRAME_ROOM)
			return done;
		size_t n = size_min(in.len - done, FRAME_DATA_CHUNK);
		keep_serve_say(k, p, stream == 2 ? FRAME_STDERR : FRAME_STDOUT,
			bytes_of(in.ptr + done, n));
		done += n;
	}
	return in.len;
}

/* A sink of the streams.  Output of a program whose holder went goes to the
 * log, or nowhere when the program is about to be stopped for it. */
static size_t take(void *ctx, unsigned stream, struct bytes in)
{
	struct keep *k = ctx;
	struct err ignored; /* a lost gate says so again */
	struct keep_peer *p = k->holder;
	size_t n = in.len;
	if (p) {
		if (channel_output(p->channel).len >= GATE_DATA_BYTES &&
			!keep_serve_flush(k, p, &ignored))
			return 0;
		n = offer(k, p, stream, in);
	}
	if (k->detached)
		keep_ring_put(&k->log, stream, bytes_of(in.ptr, n));
	return n;
}

/* --- what WASI and the engine ask for ------------------------------------ */

static bool look_after(struct run *r, uint64_t deadline)
{
	struct keep *k = r->k;
	/* Output that went on its way may be what the program waits for. */
	if (k->streams.out_len && keep_streams_flush(&k->streams))
		deadline = 0;
	if (k->deadline < deadline)
		deadline = k->deadline;
	if (!keep_serve_pump(k, deadline, r->e)) {
		r->lost = true;
		return false;
	}
	uint64_t now = keep_clock_mono(&k->clock);
	r->next_tick = now + TICK_NS;
	if (now >= k->deadline)
		keep_stop(k, FRAME_END_TIMEOUT, STATUS_LIMIT, GATE_EXIT_DONE);
	return !k->stopping;
}

static bool tick(void *ctx)
{
	struct run *r = ctx;
	if (keep_clock_mono(&r->k->clock) < r->next_tick)
		return true;
	return look_after(r, 0);
}

static bool host_wait(void *ctx, uint64_t deadline)
{
	return look_after(ctx, deadline);
}

static uint64_t host_now(void *ctx, enum wasi_clock clock)
{
	struct run *r = ctx;
	switch (clock) {
	case WASI_CLOCK_REALTIME:
		return keep_clock_real(&r->k->clock);
	case WASI_CLOCK_MONOTONIC:
		return keep_clock_mono(&r->k->clock);
	default:
		return keep_clock_cpu();
	}
}

static bool host_random(void *ctx, uint8_t *to, size_t n)
{
	struct err ignored;
	(void)ctx;
	return crypto_random(to, n, &ignored);
}

/* --- setting up --------------------------------------------------------- */

static void stream_fd(struct keep *k, unsigned i, struct wasi_fd_config *fd)
{
	static const uint32_t ttys[3] = { FRAME_CONFIG_TTY_IN,
		FRAME_CONFIG_TTY_OUT, FRAME_CONFIG_TTY_ERR };
	fd->kind = WASI_FD_STREAM;
	fd->stream = keep_streams_wasi(&k->streams, i,
		(k->load.config.flags & ttys[i]) != 0);
	fd->ready = i ? WASI_READY_WRITE : WASI_READY_READ;
}

static void mount_fd(const struct keep_workload *w, size_t i,
	struct wasi_fd_config *fd)
{
	*fd = (struct wasi_fd_config){
		.kind = WASI_FD_PREOPEN,
		.dir = w->roots[i],
		.name = w->mounts[i],
		.read_only = !w->config.mounts[i].writable,
	};
}

/* Version 1 of CONFIG: 0, 1, 2, then the mounts. */
static void plain_fds(struct keep *k, struct wasi_fd_config *fds)
{
	const struct frame_config *c = &k->load.config;
	for (unsigned i = 0; i < 3; i++)
		if (c->stdio[i] == FRAME_STDIO_NULL)
			fds[i].kind = WASI_FD_NULL;
		else
			stream_fd(k, i, &fds[i]);
	for (size_t i = 0; i < c->mount_count; i++)
		mount_fd(&k->load, i, &fds[3 + i]);
}

static bool socket_fd(struct keep *k, const struct frame_fd *f,
	struct wasi_fd_config *fd, struct err *e)
{
	*fd = (struct wasi_fd_config){
		.kind = WASI_FD_STREAM,
		.ready = WASI_READY_READ | WASI_READY_WRITE,
		.nonblock = f->flags & FRAME_FD_NONBLOCK,
	};
	return keep_net_open(&k->net, f, &fd->stream, e);
}

static bool listed_fds(struct keep *k, struct wasi_fd_config *fds,
	struct err *e)
{
	const struct frame_config *c = &k->load.config;
	for (size_t i = 0; i < c->fd_count; i++) {
		const struct frame_fd *f = &c->fds[i];
		switch (f->kind) {
		case FRAME_FD_STDIN:
		case FRAME_FD_STDOUT:
		case FRAME_FD_STDERR:
			stream_fd(k, f->kind - FRAME_FD_STDIN, &fds[i]);
			break;
		case FRAME_FD_MOUNT:
			mount_fd(&k->load, f->number, &fds[i]);
			break;
		case FRAME_FD_LISTEN:
		case FRAME_FD_CONNECT:
			if (!socket_fd(k, f, &fds[i], e))
				return err_wrap(e, "descriptor %zu", i);
			break;
		default:
			fds[i].kind = WASI_FD_NULL;
		}
	}
	return true;
}

static bool make_wasi(struct run *r, const struct wasi_host *host,
	struct err *e)
{
	struct keep_workload *w = &r->k->load;
	const struct frame_config *c = &w->config;
	r->fd_count = c->fd_count ? c->fd_count : 3 + c->mount_count;
	r->fds = calloc(r->fd_count, sizeof *r->fds);
	if (!r->fds)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!c->fd_count)
		plain_fds(r->k, r->fds);
	else if (!listed_fds(r->k, r->fds, e))
		return r->network = true, false;
	const struct wasi_config cfg = {
		.host = host,
		.vfs = memfs_vfs(w->fs),
		.args = w->args,
		.arg_count = c->arg_count,
		.env = w->env,
		.env_count = c->env_count,
		.fds = r->fds,
		.fd_count = r->fd_count,
		.max_fds = r->k->net.gate ? GATE_MAX_HANDLES : 0,
		.net = r->k->net.gate ? &r->net : NULL,
	};
	return wasi_new(&cfg, &r->wasi, e);
}

/* The connections of CONFIG are there before the program is. */
static bool dial(struct run *r, struct err *e)
{
	struct keep *k = r->k;
	const struct frame_config *c = &k->load.config;
	uint64_t late =
		keep_clock_add(k->started, KEEP_NET_DIAL_TIME * KEEP_SECOND);
	for (size_t i = 0; i < c->fd_count; i++) {
		bool done = c->fds[i].kind != FRAME_FD_CONNECT;
		while (!done) {
			if (!keep_net_dialled(&r->fds[i].stream, &done, e))
				return err_wrap(e, "descriptor %zu", i);
			if (!done && keep_clock_mono(&k->clock) >= late)
				return err_fail(e, ERR_HOST,
					"descriptor %zu: no connection in "
					"time",
					i);
			if (!done && !look_after(r, late))
				return false;
		}
	}
	return true;
}

static bool compile(struct run *r, struct wasm_limits *l, struct err *e)
{
	struct keep_workload *w = &r->k->load;
	uint64_t room = keep_workload_room(w);
	l->threads = w->config.threads;
	if (!(w->config.flags & FRAME_CONFIG_INTERP)) {
		l->engine = WASM_ENGINE_AUTO;
		l->put_code = r->k->put_code;
		l->code_bytes = room / CODE_SHARE < CODE_MAX ?
			room / CODE_SHARE :
			CODE_MAX;
		room -= l->code_bytes;
	}
	l->module_bytes = room;
	if (!wasm_module_new(keep_workload_module(w), l, &r->module, e))
		return false;
	keep_workload_drop_module(w);
	if (!wasm_module_exports_func(r->module, "_start"))
		return err_fail(e, ERR_INPUT,
			"the module is no program: it exports no _start");
	uint64_t code = wasm_module_footprint(r->module);
	if (code >= room)
		return err_fail(e, ERR_LIMIT, "the module fills the memory");
	l->memory_bytes = room - code;
	return true;
}

/* --- the end ------------------------------------------------------------ */

static void set_exit(struct keep *k, enum frame_end end, uint32_t status,
	const char *text)
{
	k->exit.end = end;
	k->exit.status = status;
	fmt(k->exit.text, sizeof k->exit.text, "%s", text);
}

static void refused(struct keep *k, bool network, const struct err *e)
{
	if (network && e->kind != ERR_LIMIT)
		set_exit(k, FRAME_END_NETWORK, (uint32_t)ERR_STATUS(e->kind),
			e->text);
	else if (e->kind == ERR_LIMIT)
		set_exit(k, FRAME_END_LIMIT, STATUS_LIMIT, e->text);
	else
		set_exit(k, FRAME_END_REFUSED, STATUS_REFUSED, e->text);
}

static void ended(struct run *r, const struct wasm_result *result)
{
	struct keep *k = r->k;
	switch (result->end) {
	case WASM_RETURNED:
		set_exit(k, FRAME_END_EXITED, 0, "");
		return;
	case WASM_EXITED:
		set_exit(k, FRAME_END_EXITED, result->exit_code, "");
		return;
	case WASM_TRAPPED:
		if (result->trap == WASM_TRAP_LIMIT)
			set_exit(k, FRAME_END_LIMIT, STATUS_LIMIT,
				result->text);
		else
			set_exit(k, FRAME_END_TRAPPED, STATUS_TRAP,
				result->text);
		return;
	case WASM_STOPPED:
		if (!k->stopping)
			set_exit(k, FRAME_END_LIMIT, STATUS_LIMIT,
				"out of fuel");
		return;
	}
}

static bool find_import(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	struct run *r = ctx;
	char sig[32];
	if (!wasm_module_import_signature(r->module, module, name, sig,
		    sizeof sig))
		sig[0] = '\0';
	const struct wasm_import *f = wasi_import(r->wasi, module, name, sig);
	return f ? wasm_store_func(r->store, f, out) :
		   wasm_store_shared_memory(r->store, r->module, module, name,
			   out);
}

/* Instantiating may run code, too: it is looked after from the start. */
static bool call_program(struct run *r, const struct wasm_limits *l,
	struct wasm_result *result, struct err *e)
{
	uint64_t fuel = r->k->load.config.fuel;
	struct wasm_instance *instance;
	if (!wasm_store_new(l, &r->store, e))
		return false;
	const struct wasm_clock clock = wasi_clock(r->wasi);
	wasm_store_tick(r->store, TICK_UNITS, tick, r);
	wasm_store_clock(r->store, &clock);
	if (fuel)
		wasm_store_fuel(r->store, fuel);
	return wasm_store_instantiate(r->store, r->module, find_import, r,
		       &instance, result, e) &&
		wasm_call(instance, "_start", NULL, 0, NULL, 0, result, e);
}

static void run_program(struct run *r, const struct wasm_limits *l)
{
	struct err e = { .kind = ERR_NONE };
	struct wasm_result result = { .end = WASM_RETURNED };
	if (!dial(r, &e)) {
		/* Stopped meanwhile: that is how it ended. */
		if (!r->k->stopping && !r->lost)
			refused(r->k, true, &e);
	} else if (call_program(r, l, &result, &e) ||
		result.end != WASM_RETURNED) {
		ended(r, &result);
	} else {
		refused(r->k, false, &e);
	}
}

/* What it wrote is on its way; under TLS it has not arrived before the peer
 * ends, too: who is gone when a late word of the peer's comes, tickets for
 * instance, answers it with a reset, which takes what is on its way with it.
 * A program that is stopped does not wait for that. */
static bool is_leaving(const struct keep *k)
{
	return k->net.gate &&
		(keep_net_unsent(&k->net) || (k->net.leaving && !k->stopping));
}

/* What it wrote to connections before it closed them or ended. */
static bool leave_network(struct run *r)
{
	struct keep *k = r->k;
	uint64_t late = keep_clock_add(keep_clock_mono(&k->clock),
		LEAVE_NETWORK * KEEP_SECOND);
	bool ok = true;
	while (ok && is_leaving(k) && keep_clock_mono(&k->clock) < late)
		ok = keep_serve_pump(k, late, r->e);
	/* What peers of a stopped program said and nobody took. */
	if (ok && k->net.leaving)
		ok = keep_serve_pump(k, 0, r->e);
	if (k->net.gate)
		keep_net_fini(&k->net);
	return ok;
}

/* The last of its output, to whoever reads it. */
static bool drain(struct run *r)
{
	struct keep *k = r->k;
	while (!keep_streams_flush(&k->streams))
		if (!keep_serve_pump(k, KEEP_CLOCK_NEVER, r->e))
			return false;
	return true;
}

static void account(struct run *r)
{
	struct frame_exit *x = &r->k->exit;
	struct keep_streams *s = &r->k->streams;
	x->run_ns = keep_clock_mono(&r->k->clock) - r->k->started;
	r->k->ended = keep_clock_real(&r->k->clock);
	x->memory_peak = r->k->load.file_bytes;
	if (r->module)
		x->memory_peak += wasm_module_footprint(r->module);
	if (r->store)
		x->memory_peak += wasm_store_footprint(r->store);
	x->stdin_bytes = s->each[0].bytes;
	x->stdout_bytes = s->each[1].bytes;
	x->stderr_bytes = s->each[2].bytes;
}

static void start(struct keep *k)
{
	const struct frame_config *c = &k->load.config;
	k->state = FRAME_RUN_RUNNING;
	k->last = GATE_EXIT_DONE;
	k->started = keep_clock_mono(&k->clock);
	k->began = keep_clock_real(&k->clock);
	k->deadline = c->time_ns ? keep_clock_add(k->started, c->time_ns) :
				   KEEP_CLOCK_NEVER;
	if (k->holder)
		keep_serve_say(k, k->holder, FRAME_START, BYTES_NONE);
}

static bool open_network(struct run *r, struct err *e)
{
	struct keep *k = r->k;
	uint64_t memory = keep_workload_net(&k->load);
	r->net = keep_net_wasi(&k->net);
	return !memory ||
		keep_net_init(&k->net, &k->gate, &k->clock, k->inbox,
			&k->load.config, k->load.trust, &k->identity, memory,
			e);
}

static bool set_up(struct run *r, const struct wasi_host *host,
	struct wasm_limits *l, struct err *e)
{
	struct keep *k = r->k;
	const struct keep_sink sink = { take, k };
	if (k->load.config.flags & FRAME_CONFIG_DETACHED && !keep_detach(k, e))
		return false;
	return keep_streams_init(&k->streams, sink, e) && compile(r, l, e) &&
		open_network(r, e) && make_wasi(r, host, e);
}

bool keep_run(struct keep *k, struct err *e)
{
	struct run r = { .k = k, .e = e };
	const struct wasi_host host = { &r, host_now, host_random, host_wait };
	struct wasm_limits limits = { .memory_bytes = 0 };
	struct err why;
	bool ready = set_up(&r, &host, &limits, &why);
	start(k);
	if (ready)
		run_program(&r, &limits);
	else
		refused(k, r.network, &why);
	k->finished = true;
	account(&r);
	wasm_store_free(r.store);
	wasi_free(r.wasi);
	wasm_module_free(r.module);
	free(r.fds);
	bool ok =
		!r.lost && leave_network(&r) && (!k->streams.out || drain(&r));
	k->state = FRAME_RUN_ENDED;
	return ok;
}
