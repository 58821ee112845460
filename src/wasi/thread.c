/* SPDX-License-Identifier: Apache-2.0 */
/* wasi-threads (github.com/WebAssembly/wasi-threads): one function. */
#include "wasi/wasi_priv.h"

static uint64_t clock_now(void *ctx)
{
	const struct wasi_host *h = ctx;
	return h->now(h->ctx, WASI_CLOCK_MONOTONIC);
}

static bool clock_wait(void *ctx, uint64_t deadline)
{
	const struct wasi_host *h = ctx;
	return h->wait(h->ctx, deadline);
}

struct wasm_clock wasi_clock(const struct wasi *w)
{
	union {
		const struct wasi_host *host;
		void *ctx;
	} u = { w->host };
	return (struct wasm_clock){ clock_now, clock_wait, u.ctx };
}

/* The thread's number, or an errno below zero. */
static int thread_spawn(struct wasi_call *k)
{
	uint32_t id;
	switch (wasm_caller_spawn(k->caller, "wasi_thread_start", arg32(k, 0),
		&id)) {
	case WASM_SPAWNED:
		return (int)id;
	case WASM_SPAWN_NO_ENTRY:
		return -WASI_NOTSUP;
	default:
		return -WASI_AGAIN;
	}
}

const struct wasi_func wasi_thread_funcs[] = {
	{ "thread-spawn", "i:i", thread_spawn },
	{ NULL, NULL, NULL },
};
