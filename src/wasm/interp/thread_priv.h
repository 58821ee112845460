/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads are machines (struct wasm_exec) that take turns.  One goes until its
 * budget is used up, at a call or a turn of a loop, or until it waits: for a
 * notification, or in a host function that is called again.  All that it
 * needs to go on is in its own stacks, so nothing of it is on the host's.
 *
 * There is one instance.  A thread other than the first has a twin of it
 * (twin.c), with memories, tables, globals and segments of its own; they are
 * exchanged for those in the instance while the thread runs.  So functions,
 * compiled or not, are the same for all.
 */
#ifndef WASM_INTERP_THREAD_PRIV_H
#define WASM_INTERP_THREAD_PRIV_H

#include "wasm/store_priv.h"

enum wasm_thread_state {
	THREAD_RUNS,   /* when its turn comes */
	THREAD_WAITS,  /* to be notified */
	THREAD_SLEEPS, /* in a host function */
};

/* What memory.atomic.wait gives. */
enum { WASM_WOKEN, WASM_NOT_EQUAL, WASM_TIMED_OUT };

struct wasm_thread {
	struct wasm_exec *next; /* in the ring */
	uint32_t id;		/* 0: the first */
	enum wasm_thread_state state;
	bool paused; /* the machine has left, but not ended */
	uint64_t deadline;
	/* THREAD_WAITS */
	struct wasm_exec *next_waiter;
	const struct wasm_memory *memory;
	uint64_t at;
	uint64_t *outcome;
	/* THREAD_SLEEPS */
	uint64_t turn; /* when it fell asleep */
	struct wasm_kept kept;
	/* Not of the first: */
	struct wasm_instance *home, *twin;
	struct wasm_func *entry; /* still to be called */
	uint32_t arg;
};

/* The first thread's call has begun: until its end, or that of the program,
 * which the machine s->exec then tells. */
void wasm_threads_run(struct wasm_store *s);
/* Forgets all but the first. */
void wasm_threads_end(struct wasm_store *s);
/* Work was done: now and then who sleeps has another look. */
void wasm_threads_worked(struct wasm_store *s, uint64_t units);
/* Has the thread use the instance from now on. */
void wasm_thread_use(struct wasm_exec *x);
/* The budget is used up where the machine can leave: true: it is to do so,
 * others are there. */
bool wasm_thread_yields(struct wasm_exec *x);
/* Before the machine leaves; *outcome is set when it goes on.  limit in ns,
 * negative: none. */
void wasm_thread_wait(struct wasm_exec *x, const struct wasm_memory *m,
	uint64_t at, int64_t limit, uint64_t *outcome);
uint32_t wasm_thread_notify(struct wasm_store *s, const struct wasm_memory *m,
	uint64_t at, uint32_t count);

/* --- twin.c --------------------------------------------------------------- */

/* As the instance was at the beginning, made with the machine x; NULL: no
 * memory, or a segment does not fit. */
struct wasm_instance *wasm_twin_new(struct wasm_instance *of,
	struct wasm_exec *x);
void wasm_twin_free(struct wasm_instance *twin);
void wasm_twin_exchange(struct wasm_instance *i, struct wasm_instance *twin);

#endif
