/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: whose turn it is, who waits and for what. */
#include "base/bytes.h"
#include "wasm/interp/exec_priv.h"

/* How often sleepers look whether streams have become ready: in units of work,
 * and in ns. */
enum { LOOK_AFTER = 1 << 14, LOOK_NS = 1000000 };

static uint64_t now_of(struct wasm_store *s)
{
	const struct wasm_clock *c = &s->threads.clock;
	return c->now ? c->now(c->ctx) : s->threads.time;
}

void wasm_threads_worked(struct wasm_store *s, uint64_t units)
{
	struct wasm_threads *t = &s->threads;
	t->worked += units;
	if (t->worked < LOOK_AFTER || !t->others)
		return;
	t->worked = 0;
	uint64_t now = now_of(s);
	if (t->clock.now && now - t->looked < LOOK_NS)
		return;
	t->looked = now;
	t->turn++;
}

/* --- waiting -------------------------------------------------------------- */

bool wasm_thread_yields(struct wasm_exec *x)
{
	if (x->thread.next == x)
		return false;
	x->thread.paused = true;
	x->thread.state = THREAD_RUNS;
	return true;
}

void wasm_thread_wait(struct wasm_exec *x, const struct wasm_memory *m,
	uint64_t at, int64_t limit, uint64_t *outcome)
{
	struct wasm_thread *t = &x->thread;
	struct wasm_exec **last = &x->store->threads.waiters;
	t->paused = true;
	t->state = THREAD_WAITS;
	t->deadline = UINT64_MAX;
	if (limit >= 0 &&
		__builtin_add_overflow(now_of(x->store), (uint64_t)limit,
			&t->deadline))
		t->deadline = UINT64_MAX;
	t->memory = m;
	t->at = at;
	t->outcome = outcome;
	t->next_waiter = NULL;
	while (*last)
		last = &(*last)->thread.next_waiter;
	*last = x;
}

static void wake(struct wasm_exec **at, uint64_t outcome)
{
	struct wasm_thread *t = &(*at)->thread;
	*t->outcome = outcome;
	t->state = THREAD_RUNS;
	*at = t->next_waiter;
}

uint32_t wasm_thread_notify(struct wasm_store *s, const struct wasm_memory *m,
	uint64_t at, uint32_t count)
{
	struct wasm_exec **w = &s->threads.waiters;
	uint32_t woken = 0;
	while (*w && woken < count) {
		if ((*w)->thread.memory != m || (*w)->thread.at != at) {
			w = &(*w)->thread.next_waiter;
			continue;
		}
		wake(w, WASM_WOKEN);
		woken++;
	}
	return woken;
}

bool wasm_caller_shares(const struct wasm_caller *c)
{
	return c->exec->store->threads.others != 0;
}

bool wasm_caller_pause(struct wasm_caller *c, uint64_t deadline)
{
	struct wasm_thread *t = &c->exec->thread;
	t->paused = true;
	t->state = THREAD_SLEEPS;
	t->deadline = deadline;
	t->turn = c->exec->store->threads.turn;
	return false;
}

struct wasm_kept *wasm_caller_kept(struct wasm_caller *c)
{
	return &c->exec->thread.kept;
}

/* --- turns ---------------------------------------------------------------- */

static bool passed(struct wasm_store *s, uint64_t deadline)
{
	return !deadline || (deadline != UINT64_MAX && deadline <= now_of(s));
}

static bool can_go_on(struct wasm_store *s, struct wasm_exec *x)
{
	const struct wasm_thread *t = &x->thread;
	struct wasm_exec **w = &s->threads.waiters;
	switch (t->state) {
	case THREAD_RUNS:
		return true;
	case THREAD_SLEEPS:
		return t->turn != s->threads.turn || passed(s, t->deadline);
	case THREAD_WAITS:
		break;
	}
	if (!passed(s, t->deadline))
		return false;
	while (*w != x)
		w = &(*w)->thread.next_waiter;
	wake(w, WASM_TIMED_OUT);
	return true;
}

/* Until somebody may be able to; false: the end of the program, x tells. */
static bool idle(struct wasm_store *s, struct wasm_exec *x)
{
	const struct wasm_clock *c = &s->threads.clock;
	uint64_t soonest = UINT64_MAX;
	bool asleep = false;
	struct wasm_exec *y = x;
	do {
		if (y->thread.deadline < soonest)
			soonest = y->thread.deadline;
		asleep |= y->thread.state == THREAD_SLEEPS;
		y = y->thread.next;
	} while (y != x);
	if (!asleep && soonest == UINT64_MAX) {
		x->end = WASM_TRAPPED;
		x->trap = WASM_TRAP_DEADLOCK;
		return false;
	}
	s->threads.turn++;
	if (!c->wait && soonest != UINT64_MAX)
		s->threads.time = soonest;
	if (!c->wait || c->wait(c->ctx, soonest))
		return true;
	x->end = WASM_STOPPED;
	return false;
}

/* The next of the ring after x that can go on; NULL: the end, x tells. */
static struct wasm_exec *next(struct wasm_store *s, struct wasm_exec *x)
{
	do {
		struct wasm_exec *y = x;
		do {
			y = y->thread.next;
			if (can_go_on(s, y))
				return y;
		} while (y != x);
	} while (idle(s, x));
	return NULL;
}

void wasm_thread_use(struct wasm_exec *x)
{
	struct wasm_store *s = x->store;
	const struct wasm_thread *old = &s->exec->thread, *t = &x->thread;
	if (s->exec == x)
		return;
	if (old->twin)
		wasm_twin_exchange(old->home, old->twin);
	if (t->twin)
		wasm_twin_exchange(t->home, t->twin);
	s->exec = x;
}

static void forget(struct wasm_exec *x, struct wasm_exec *before)
{
	struct wasm_store *s = x->store;
	struct wasm_exec **w = &s->threads.waiters;
	while (*w && *w != x)
		w = &(*w)->thread.next_waiter;
	if (*w)
		*w = x->thread.next_waiter;
	before->thread.next = x->thread.next;
	s->threads.others--;
	wasm_twin_free(x->thread.twin);
	wasm_exec_free(x);
}

/* The call that comes after the module's start function; false: no room. */
static bool begin_entry(struct wasm_exec *x)
{
	struct wasm_thread *t = &x->thread;
	struct wasm_func *f = t->entry;
	const uint64_t args[2] = { t->id, t->arg };
	t->entry = NULL;
	return wasm_exec_begin(x, f, args, 2, 0);
}

static struct wasm_exec *after_end(struct wasm_exec *x)
{
	struct wasm_exec *before = x;
	while (before->thread.next != x)
		before = before->thread.next;
	wasm_thread_use(x->store->threads.first);
	forget(x, before);
	return before;
}

void wasm_threads_run(struct wasm_store *s)
{
	struct wasm_exec *x = s->exec, *first = s->threads.first, *y;
	for (;;) {
		if (!x->thread.paused) {
			if (x == first || x->end != WASM_RETURNED)
				break;
			if (!x->thread.entry)
				x = after_end(x);
			else if (!begin_entry(x))
				break;
		}
		y = next(s, x);
		wasm_thread_use(y ? y : x);
		if (!y)
			break;
		x = y;
		wasm_exec_go(x);
	}
	first->end = s->exec->end;
}

void wasm_threads_end(struct wasm_store *s)
{
	struct wasm_exec *first = s->threads.first;
	if (!first)
		return;
	wasm_thread_use(first);
	while (first->thread.next != first)
		forget(first->thread.next, first);
	s->threads.waiters = NULL;
}

/* --- new ones --------------------------------------------------------------
 */

enum { LAST_ID = (1 << 29) - 1 };

/* One that no other thread has. */
static uint32_t new_id(struct wasm_store *s)
{
	struct wasm_threads *t = &s->threads;
	const struct wasm_exec *x;
	do {
		t->last_id = t->last_id == LAST_ID ? 1 : t->last_id + 1;
		for (x = t->first->thread.next; x != t->first;
			x = x->thread.next)
			if (x->thread.id == t->last_id)
				break;
	} while (x != t->first);
	return t->last_id;
}

static struct wasm_func *entry_of(const struct wasm_instance *i,
	const char *name)
{
	char type[8];
	struct wasm_extern x;
	if (!i ||
		!wasm_module_signature(i->module, bytes_str(name), type,
			sizeof type) ||
		strcmp(type, "ii:") != 0 ||
		!wasm_instance_export(i, bytes_str(name), &x))
		return NULL;
	return x.object;
}

/* The machine with its instance, before its first call. */
static bool prepare(struct wasm_exec *x, struct wasm_instance *home,
	struct wasm_func *entry, uint32_t arg)
{
	struct wasm_exec *parent = x->store->exec;
	const struct wasm_module *m = home->module;
	x->store->exec = x; /* what makes the twin runs there */
	x->thread.home = home;
	x->thread.twin = wasm_twin_new(home, x);
	x->store->exec = parent;
	x->thread.entry = entry;
	x->thread.arg = arg;
	if (!x->thread.twin)
		return false;
	x->trace = parent->trace;
	x->running = true;
	if (!m->has_start)
		return begin_entry(x);
	return wasm_exec_begin(x, wasm_func_of(home, m->start), NULL, 0, 0);
}

enum wasm_spawn wasm_caller_spawn(struct wasm_caller *c, const char *entry,
	uint32_t arg, uint32_t *id)
{
	struct wasm_exec *parent = c->exec, *x, *last;
	struct wasm_store *s = parent->store;
	struct wasm_func *f = entry_of(parent->inst, entry);
	if (!f)
		return WASM_SPAWN_NO_ENTRY;
	if (s->threads.others + 1 >= s->limits.threads)
		return WASM_SPAWN_LIMIT;
	x = wasm_exec_new(s, s->limits.thread_stack);
	if (!x)
		return WASM_SPAWN_LIMIT;
	x->thread.id = new_id(s);
	if (!prepare(x, parent->inst, f, arg)) {
		wasm_twin_free(x->thread.twin);
		wasm_exec_free(x);
		return WASM_SPAWN_LIMIT;
	}
	*id = x->thread.id;
	last = s->threads.first;
	while (last->thread.next != s->threads.first)
		last = last->thread.next;
	x->thread.next = s->threads.first;
	last->thread.next = x;
	s->threads.others++;
	/* From now on it is by turns. */
	wasm_exec_settle(parent, 0);
	wasm_exec_grant(parent);
	return WASM_SPAWNED;
}
