/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, mutexes and conditions in a few lines, over wasi-threads and the
 * atomic instructions of WebAssembly.  Debian's wasi-libc knows no threads:
 * with it only one thread at a time may use the library.  A toolchain with
 * pthreads (wasi-sdk, Rust's wasm32-wasip1-threads) needs nothing of this.
 */
#ifndef EXAMPLES_THREADS_H
#define EXAMPLES_THREADS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct thread {
	char *stack_top; /* start.S takes it from here */
	char *stack;
	void (*run)(void *arg);
	void *arg;
	_Atomic int done;
};

struct mutex {
	_Atomic int state; /* 0 free, 1 taken, 2 and somebody waits */
};

struct condition {
	_Atomic int signals;
};

static inline void sleep_while(_Atomic int *at, int value)
{
	__builtin_wasm_memory_atomic_wait32((int *)at, value, -1);
}

static inline void wake(_Atomic int *at, unsigned count)
{
	__builtin_wasm_memory_atomic_notify((int *)at, count);
}

bool thread_start(struct thread *t, void (*run)(void *arg), void *arg);
void thread_join(struct thread *t);

static inline void mutex_lock(struct mutex *m)
{
	int was = 0;
	if (atomic_compare_exchange_strong(&m->state, &was, 1))
		return;
	while (atomic_exchange(&m->state, 2))
		sleep_while(&m->state, 2);
}

static inline void mutex_unlock(struct mutex *m)
{
	if (atomic_exchange(&m->state, 0) == 2)
		wake(&m->state, 1);
}

static inline void condition_wait(struct condition *c, struct mutex *m)
{
	int signals = atomic_load(&c->signals);
	mutex_unlock(m);
	sleep_while(&c->signals, signals);
	mutex_lock(m);
}

static inline void condition_signal(struct condition *c)
{
	atomic_fetch_add(&c->signals, 1);
	wake(&c->signals, UINT32_MAX);
}

#endif
