/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include <stdlib.h>

enum { STACK = 64 << 10 };

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int
thread_spawn(struct thread *t);
void thread_begin(int id, struct thread *t);

/* Called by start.S, on the thread's own stack. */
void thread_begin(int id, struct thread *t)
{
	(void)id;
	t->run(t->arg);
	atomic_store(&t->done, 1);
	wake(&t->done, UINT32_MAX);
}

bool thread_start(struct thread *t, void (*run)(void *arg), void *arg)
{
	t->stack = malloc(STACK);
	t->stack_top = t->stack + STACK;
	t->run = run;
	t->arg = arg;
	t->done = 0;
	if (t->stack && thread_spawn(t) > 0)
		return true;
	free(t->stack);
	return false;
}

void thread_join(struct thread *t)
{
	while (!atomic_load(&t->done))
		sleep_while(&t->done, 0);
	free(t->stack);
}
