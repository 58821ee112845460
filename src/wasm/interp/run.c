/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and leaving the machine: stacks, budget, host calls. */
#include "wasm/interp/exec_priv.h"

#include "base/must.h"
#include "wasm/jit/jit_priv.h"

/* clang-format off */
static const struct wasm_op_entry op_table[WASM_OP_COUNT] = {
#define WASM_X(n) [OP_##n] = { wasm_op_##n },
	WASM_OPS_ALL
#undef WASM_X
};
/* clang-format on */

enum { FIRST_SLOTS = 4096, FIRST_FRAMES = 128 };
#define NO_LIMIT ((int64_t)1 << 62)

void wasm_exec_enter(struct wasm_exec *x, struct wasm_instance *i)
{
	x->inst = i;
	x->globals = i->globals;
	x->mem0 = i->module->memory_count ? i->memories[0] : &x->none;
}

/* What one thread gets at a time when there are several, and what leaving it
 * for another one costs. */
enum { QUANTUM = 1 << 14, CHANGE = 64 };

/* Budget up to the next tick, the end of the fuel, and that of its turn. */
void wasm_exec_grant(struct wasm_exec *x)
{
	const struct wasm_work *w = &x->store->work;
	int64_t n = x->store->threads.others ? QUANTUM : NO_LIMIT;
	if (w->interval && w->unticked >= w->interval)
		n = 0;
	else if (w->interval && w->interval - w->unticked < (uint64_t)n)
		n = (int64_t)(w->interval - w->unticked);
	if (w->fuel < (uint64_t)n)
		n = (int64_t)w->fuel;
	x->granted = x->budget = n;
}

static void settle(struct wasm_exec *x, uint64_t used)
{
	struct wasm_work *w = &x->store->work;
	w->unticked = w->interval ? w->unticked + used : 0;
	if (w->fuel != UINT64_MAX)
		w->fuel = w->fuel > used ? w->fuel - used : 0;
	x->granted = x->budget;
	wasm_threads_worked(x->store, used);
}

void wasm_exec_settle(struct wasm_exec *x, uint64_t more)
{
	settle(x, (uint64_t)(x->granted - x->budget) + more);
}

bool wasm_exec_pay(struct wasm_exec *x, uint64_t n)
{
	struct wasm_work *w = &x->store->work;
	uint64_t used = (uint64_t)(x->granted - x->budget) + n;
	bool out = w->fuel != UINT64_MAX && used > w->fuel;
	settle(x, used);
	if (w->interval && w->unticked >= w->interval) {
		w->unticked = 0;
		if (!w->tick(w->tick_ctx))
			out = true;
	}
	wasm_exec_grant(x);
	/* Its turn is over, wherever it can leave next. */
	if (x->store->threads.others)
		x->granted = x->budget = 0;
	if (out)
		x->end = WASM_STOPPED;
	return !out;
}

static bool more_frames(struct wasm_exec *x)
{
	if (x->frame_cap >= x->max_frames) {
		x->trap = WASM_TRAP_STACK;
		return false;
	}
	uint32_t cap = x->frame_cap > x->max_frames / 2 ? x->max_frames :
							  x->frame_cap * 2;
	size_t used = (size_t)(x->frame - x->frames);
	/* One more than counted: an instance's frame comes with a call's. */
	struct wasm_frame *f = wasm_heap_resize(&x->store->heap, x->frames,
		(x->frame_cap + 2ul) * sizeof *f, (cap + 2ul) * sizeof *f);
	if (!f) {
		x->trap = WASM_TRAP_LIMIT;
		return false;
	}
	x->frames = f;
	x->frame = f + used;
	x->frame_cap = cap;
	x->frames_end = f + cap;
	return true;
}

static bool more_stack(struct wasm_exec *x, uint32_t n)
{
	size_t at = (size_t)(x->fp - x->stack);
	uint64_t want = (uint64_t)x->stack_slots * 2;
	if (want < at + n)
		want = at + n;
	if (want > x->max_slots)
		want = x->max_slots;
	if (want < at + n) {
		x->trap = WASM_TRAP_STACK;
		return false;
	}
	uint64_t *s = wasm_heap_resize(&x->store->heap, x->stack,
		x->stack_slots * sizeof *s, (size_t)want * sizeof *s);
	if (!s) {
		x->trap = WASM_TRAP_LIMIT;
		return false;
	}
	for (struct wasm_frame *f = x->frames; f != x->frame; f++)
		if (f->ip != wasm_cross_code)
			f->fp = s + (f->fp - x->stack);
	x->fp = s + at;
	x->stack = s;
	x->stack_slots = (uint32_t)want;
	x->stack_end = s + want;
	return true;
}

bool wasm_exec_room(struct wasm_exec *x, uint32_t n)
{
	if (x->frame >= x->frames_end && !more_frames(x))
		return false;
	return (uint64_t)(x->stack_end - x->fp) >= n || more_stack(x, n);
}

/* An i32 or f32 result has an upper half of zero whatever the host wrote. */
static void clean_results(const char *sig, uint64_t *slots)
{
	for (const char *p = strchr(sig, ':') + 1; *p; p++, slots++) {
		if (*p == 'i' || *p == 'f')
			*slots = (uint32_t)*slots;
		else if (*p == 'V')
			slots++;
	}
}

bool wasm_exec_host(struct wasm_exec *x, const struct wasm_func *f,
	uint64_t *slots)
{
	struct wasm_caller caller = { .exec = x };
	x->end = WASM_TRAPPED;
	x->trap = WASM_TRAP_HOST;
	bool go_on = f->host->call(&caller, slots, f->host->ctx);
	if (x->thread.paused)
		return false;
	x->thread.kept = (struct wasm_kept){ 0 };
	if (!go_on)
		return false;
	clean_results(f->host->sig, slots);
	return true;
}

static void machine(struct wasm_exec *x)
{
	const struct wasm_op_entry *ops =
		x->store->jit ? x->store->jit->ops : op_table;
	if (x->trace) {
		x->trace->real = ops;
		ops = x->trace->ops;
	}
#ifdef WASM_INTERP_LOOP
	x->mem = x->mem0->data;
	x->mem_len = x->mem0->len;
	while (!x->done)
		ops[x->ip->op].run(x->ip, x->fp, x->mem, x->mem_len, x, ops);
#else
	ops[x->ip->op].run(x->ip, x->fp, x->mem0->data, x->mem0->len, x, ops);
#endif
}

/* A call of x->callee with arguments at register a, then the way out. */
static const union wasm_word start_code[] = { { .op = OP_call_callee },
	{ .op = OP_exit } };

bool wasm_exec_begin(struct wasm_exec *x, struct wasm_func *f,
	const uint64_t *slots, uint32_t params, uint32_t results)
{
	x->why[0] = '\0';
	x->frame = x->frames;
	x->jit.rsp = x->jit.top;
	x->jit.seg = NULL;
	x->fp = x->stack;
	x->callee = f;
	x->ip = start_code;
	uint32_t n = params > results ? params : results;
	if (!wasm_exec_room(x, n + 8)) {
		x->end = WASM_TRAPPED;
		return false;
	}
	if (params)
		memcpy(x->fp, slots, params * sizeof *slots);
	if (f->inst)
		wasm_exec_enter(x, f->inst);
	else
		x->mem0 = &x->none;
	return true;
}

void wasm_exec_go(struct wasm_exec *x)
{
	x->done = false;
	x->thread.paused = false;
	wasm_exec_grant(x);
	machine(x);
	wasm_exec_settle(x, x->thread.paused ? CHANGE : 0);
}

void wasm_exec_run(struct wasm_exec *x, struct wasm_func *f, uint64_t *slots,
	uint32_t params, uint32_t results)
{
	must(!x->running);
	if (!wasm_exec_begin(x, f, slots, params, results))
		return;
	x->running = true;
	wasm_exec_go(x);
	if (x->thread.paused)
		wasm_threads_run(x->store);
	if (x->end == WASM_RETURNED && results)
		memcpy(slots, x->stack, results * sizeof *slots);
	x->running = false;
}

struct wasm_exec *wasm_exec_new(struct wasm_store *s, uint32_t stack_bytes)
{
	struct wasm_exec *x = wasm_heap_new(&s->heap, 1, sizeof *x);
	if (!x)
		return NULL;
	x->store = s;
	x->thread.next = x;
	x->max_slots = stack_bytes / sizeof(uint64_t);
	x->max_frames = s->limits.call_depth;
	x->stack_slots =
		x->max_slots < FIRST_SLOTS ? x->max_slots : FIRST_SLOTS;
	x->frame_cap =
		x->max_frames < FIRST_FRAMES ? x->max_frames : FIRST_FRAMES;
	x->stack = wasm_heap_new(&s->heap, x->stack_slots, sizeof *x->stack);
	x->frames =
		wasm_heap_new(&s->heap, x->frame_cap + 2ul, sizeof *x->frames);
	if (!x->stack || !x->frames ||
		(s->jit && !wasm_jit_stack(x, stack_bytes))) {
		wasm_exec_free(x);
		return NULL;
	}
	x->stack_end = x->stack + x->stack_slots;
	x->frames_end = x->frames + x->frame_cap;
	return x;
}

void wasm_exec_free(struct wasm_exec *x)
{
	if (!x)
		return;
	struct wasm_heap *h = &x->store->heap;
	wasm_heap_free(h, x->stack, x->stack_slots, sizeof *x->stack);
	wasm_heap_free(h, x->frames, x->frame_cap + 2ul, sizeof *x->frames);
	wasm_heap_free(h, x->jit.stack, x->jit.stack_size, 1);
	if (!x->thread.id)
		wasm_heap_free(h, x->trace, 1, sizeof *x->trace);
	wasm_heap_free(h, x, 1, sizeof *x);
}
