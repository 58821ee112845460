/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the interpreter and compiled code.  What is passed changes its
 * form here: slots on the interpreter's stack, registers on the other side.
 */
#include <sys/platform/x86.h>

#include "wasm/jit/emit_priv.h"
#include "wasm/jit/vec_priv.h"

/* What the stubs, refilling and pushing registers may need below the limit. */
enum { STACK_SLACK = 16 << 10 };
#define MAX_INSTANCES 4096u
#define MAX_TYPES     (1u << WASM_JIT_TAG_SHIFT)

/* clang-format off */
static const struct wasm_op_entry all_ops[WASM_OP_COUNT] = {
#define WASM_X(n) [OP_##n] = { wasm_op_##n },
	WASM_OPS_ALL
#undef WASM_X
};
/* clang-format on */

/* --- life
 * ------------------------------------------------------------------------
 */

/* As the C library found them at its start: an enclave has no CPUID.  VEX
 * encodings need the operating system, too. */
static void find_features(struct wasm_jit *j)
{
	bool avx = CPU_FEATURE_ACTIVE(AVX);
	j->sse41 = CPU_FEATURE_PRESENT(SSE4_1);
	j->popcnt = CPU_FEATURE_PRESENT(POPCNT);
	j->lzcnt = CPU_FEATURE_PRESENT(LZCNT);
	j->bmi1 = CPU_FEATURE_PRESENT(BMI1);
	j->bmi2 = CPU_FEATURE_PRESENT(BMI2) && avx;
	j->level = !CPU_FEATURE_PRESENT(SSSE3) ? SSE2 :
		!j->sse41		       ? SSSE3 :
		!CPU_FEATURE_PRESENT(SSE4_2)   ? SSE41 :
		!avx			       ? SSE42 :
						 AVX;
}

bool wasm_jit_new(struct wasm_store *s)
{
	struct wasm_jit *j = wasm_heap_new(&s->heap, 1, sizeof *j);
	if (!j)
		return false;
	j->store = s;
	s->jit = j;
	memcpy(j->ops, all_ops, sizeof all_ops);
	wasm_jit_replace_ops(j->ops);
	find_features(j);
	jit_stress_features(j);
	if (s->limits.jit_vectors && s->limits.jit_vectors <= j->level)
		j->level = s->limits.jit_vectors - 1;
	j->stress = s->limits.jit_registers;
	j->verify = j->stress != 0 || s->limits.jit_stress != 0;
	j->mask = s->limits.jit_mask;
#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)
	j->verify = true; /* sanitizers, fuzzing */
#endif
	if (!jit_memory_open(j, (size_t)s->limits.code_bytes) ||
		!jit_stubs_make(j)) {
		wasm_jit_free(s);
		return false;
	}
	return true;
}

bool wasm_jit_stack(struct wasm_exec *x, uint32_t bytes)
{
	struct wasm_jit_state *s = &x->jit;
	size_t size = (size_t)bytes + STACK_SLACK;
	s->stack = wasm_heap_new(&x->store->heap, size, 1);
	if (!s->stack)
		return false;
	s->stack_size = size;
	uintptr_t top = (uintptr_t)(s->stack + size) & ~(uintptr_t)15;
	s->rsp = top;
	s->top = top;
	s->limit = (uint64_t)(uintptr_t)s->stack + STACK_SLACK;
	s->stale = true;
	s->safe = WASM_JIT_BOUNDS - 1;
	return true;
}

void wasm_jit_free(struct wasm_store *s)
{
	struct wasm_jit *j = s->jit;
	if (!j)
		return;
	while (j->words) {
		struct jit_words *w = j->words;
		j->words = w->next;
		wasm_heap_free(&s->heap, w, 1, sizeof *w);
	}
	jit_arena_fini(&j->arena);
	jit_memory_close(j);
	for (uint32_t k = 0; k < j->code_count; k++)
		jit_code_fini(j, &j->codes[k]);
	wasm_heap_free(&s->heap, j->codes, j->code_cap, sizeof *j->codes);
	wasm_heap_free(&s->heap, j->sites, j->site_cap, sizeof *j->sites);
	wasm_heap_free(&s->heap, j->words_of, j->word_cap, sizeof *j->words_of);
	wasm_heap_free(&s->heap, j->landings, j->landing_cap,
		sizeof *j->landings);
	wasm_heap_free(&s->heap, j, 1, sizeof *j);
	s->jit = NULL;
}

struct jit_words *jit_words_new(struct wasm_jit *j)
{
	struct jit_words *w = wasm_heap_new(&j->store->heap, 1, sizeof *w);
	if (w) {
		w->next = j->words;
		j->words = w;
	}
	return w;
}

/* What a call of one of the instance's functions of that type from the
 * instance itself finds: 0, it has to be looked at. */
uint32_t wasm_jit_tag(const struct wasm_instance *i, uint32_t canon)
{
	return i->jit_number && canon < MAX_TYPES ?
		i->jit_number << WASM_JIT_TAG_SHIFT | canon :
		0;
}

void wasm_jit_adopt(struct wasm_instance *i)
{
	struct wasm_jit *j = i->store->jit;
	const struct wasm_module *m = i->module;
	if (!j)
		return;
	if (++j->instances < MAX_INSTANCES)
		i->jit_number = j->instances;
	for (uint32_t n = 0; n < m->func_count - m->func_imports; n++) {
		struct wasm_func *f = &i->own[n];
		f->jit_state = JIT_NEW;
		f->jit_entry = j->memory + j->leave;
		f->jit_tag = wasm_jit_tag(i, f->sig);
	}
}

bool wasm_jit_ready(struct wasm_exec *x, struct wasm_func *f)
{
	if (f->jit_state == JIT_NEW)
		wasm_jit_compile(x->store->jit, f);
	return f->jit_state == JIT_DONE;
}

/* --- the machine's state
 * -----------------------------------------------------------
 */

void wasm_jit_sync(struct wasm_exec *x)
{
	const struct wasm_memory *m = x->mem0;
	x->jit.base = m->data;
	if (x->jit.bound[0] == (int64_t)m->len && !x->jit.stale)
		return;
	x->jit.stale = false;
	for (int n = 0; n < WASM_JIT_BOUNDS; n++)
		x->jit.bound[n] = (int64_t)m->len - n;
}

uint32_t wasm_jit_refill(struct wasm_exec *x)
{
	bool go = wasm_exec_pay(x, 0);
	wasm_jit_sync(x);
	if (!go)
		return JIT_REFILL_ENDS;
	if (!wasm_thread_yields(x))
		return JIT_REFILL_GOES_ON;
	x->jit.paused = WASM_JIT_PAUSED_REFILL;
	return JIT_REFILL_PAUSES;
}

/* Where the interpreter's operation goes afterwards. */
static WASM_OP_FUNC void step_end(WASM_ARGS)
{
	UNUSED_ARGS;
}

bool wasm_jit_step(struct wasm_exec *x, const struct jit_words *k,
	uint64_t *frame)
{
	static const struct wasm_op_entry ends[1] = { { step_end } };
	const struct wasm_memory *m =
		k->memory ? x->inst->memories[k->memory] : x->mem0;
	uint64_t *fp = x->fp;
	const union wasm_word *ip = x->ip;
	x->done = false;
	all_ops[k->w->op].run(k->w, frame, m->data, m->len, x, ends);
	bool go_on = !x->done;
	x->done = false;
	x->jit.paused = WASM_JIT_PAUSED_STEP;
	x->fp = fp;
	x->ip = ip;
	wasm_jit_sync(x);
	return go_on;
}

uint32_t wasm_jit_throw(struct wasm_exec *x, const struct jit_words *k,
	uint64_t *frame)
{
	uint64_t *fp = x->fp;
	x->fp = frame;
	x->ip = k->w;
	bool made =
		wasm_exec_throw(x, x->inst->tags[k->w->high], frame + k->w->a);
	x->fp = fp;
	return made ? JIT_THROWS : JIT_TRAPS;
}

uint32_t wasm_jit_throw_ref(struct wasm_exec *x, uint64_t exception)
{
	x->exception = exception;
	x->trap = WASM_TRAP_NULL_EXCEPTION;
	return exception ? JIT_THROWS : JIT_TRAPS;
}

/* --- between slots and registers
 * ----------------------------------------------------
 */

static bool is_narrow(uint32_t type)
{
	return type == T_I32 || type == T_F32;
}

static void signature(const struct wasm_func *f, const uint32_t **types,
	uint32_t *params, uint32_t *results)
{
	const struct wasm_module *m = f->inst->module;
	const struct wasm_typedef *t = wasm_func_type(m, f->index);
	*types = m->pool + t->first;
	*params = t->params;
	*results = t->results;
}

enum { MAX_HOST = 64 };

struct types {
	uint32_t host[MAX_HOST];
	const uint32_t *list;
	uint32_t params, results;
};

static bool types_of(const struct wasm_func *f, struct types *t)
{
	if (f->inst) {
		signature(f, &t->list, &t->params, &t->results);
		return true;
	}
	uint32_t n = 0;
	t->list = t->host;
	t->params = 0;
	for (const char *p = f->host->sig; *p && n < MAX_HOST; p++) {
		if (*p == ':')
			t->params = n;
		else
			t->host[n++] = wasm_letter_type(*p);
	}
	t->results = n - t->params;
	return n < MAX_HOST;
}

static const uint8_t places[JIT_ARGS] = { RDI, RSI, RDX, RCX, R8, R9, RBX };

static uint64_t *register_slot(struct wasm_exec *x, uint32_t loc)
{
	if (loc >= XMM0)
		return x->jit.vector[loc - XMM0];
	uint32_t k = 0;
	while (places[k] != loc)
		k++;
	return &x->jit.general[k];
}

static void move_value(uint32_t type, uint64_t *slots, uint64_t *r,
	bool to_registers)
{
	for (uint32_t n = 0; n < t_slots(type); n++) {
		if (to_registers)
			r[n] = slots[n];
		else
			slots[n] = is_narrow(type) ? (uint32_t)r[n] : r[n];
	}
}

/* Arguments between slots and registers, with those on the stack at `stack`. */
static void move_args(struct wasm_exec *x, const struct types *t,
	uint64_t *slots, uint64_t *stack, bool to_registers)
{
	struct jit_abi abi = { 0 };
	for (uint32_t k = 0; k < t->params; k++) {
		uint32_t offset = 0, type = t->list[k];
		uint32_t loc = jit_abi_next(&abi, type, &offset);
		uint64_t *r = loc == LOC_STACK ? stack + offset / 8 :
						 register_slot(x, loc);
		move_value(type, slots, r, to_registers);
		slots += t_slots(type);
	}
}

static void move_results(struct wasm_exec *x, const struct types *t,
	uint64_t *slots, bool to_registers)
{
	for (uint32_t k = 0; k < t->results; k++) {
		uint32_t type = t->list[t->params + k];
		bool vector = is_narrow(type) ? type == T_F32 :
						type == T_F64 || type == T_V128;
		uint64_t *r =
			k || !vector ? x->jit.results[k] : x->jit.result_vector;
		move_value(type, slots, r, to_registers);
		slots += t_slots(type);
	}
}

/* --- events
 * ---------------------------------------------------------------------- */

typedef uint32_t go_fn(struct wasm_exec *x, const void *to);

static uint32_t go(struct wasm_exec *x, uint32_t stub, uint32_t to)
{
	uint8_t *memory = x->store->jit->memory;
	void *at = memory + stub;
	go_fn *f;
	memcpy(&f, &at, sizeof f);
	wasm_jit_sync(x);
	return f(x, memory + to);
}

/* A new stay begins: above the arguments that are on the stack lies where the
 * one before it was left. */
static uint32_t begin(struct wasm_exec *x, const struct wasm_func *f,
	uint64_t *fp)
{
	struct types t;
	types_of(f, &t);
	const struct wasm_module *m = f->inst->module;
	uint32_t bytes = jit_stack_args(m, wasm_func_type(m, f->index));
	bytes = (bytes + 15) & ~15u;
	if (x->jit.rsp < x->jit.limit + bytes + 256) {
		x->trap = WASM_TRAP_STACK;
		return JIT_TRAPS;
	}
	/* The callee that is waited for is noted just below the top. */
	uint64_t *seg = (uint64_t *)(uintptr_t)(x->jit.rsp - 48);
	seg[2] = (uint64_t)(uintptr_t)f;
	seg[0] = (uint64_t)(uintptr_t)x->jit.seg;
	seg[1] = x->jit.rsp;
	uint64_t *stack = seg - bytes / 8;
	seg[3] = (uint64_t)(uintptr_t)stack;
	x->jit.seg = seg;
	x->jit.rsp = (uint64_t)(uintptr_t)stack;
	x->fp = fp;
	move_args(x, &t, fp, stack, true);
	return go(x, x->store->jit->enter, f->jit_at);
}

void wasm_jit_drop_stay(struct wasm_exec *x)
{
	const uint64_t *seg = x->jit.seg;
	x->jit.rsp = seg[1];
	x->jit.seg = (const uint64_t *)(uintptr_t)seg[0];
}

static void interpret(struct wasm_exec *x, const union wasm_word *h)
{
	uint64_t *clear = x->fp + h->a;
	const union wasm_word *k = h + h[1].low;
	memset(clear, 0, h->b * sizeof *clear);
	for (uint32_t n = 0; n < h->c; n++)
		clear[h->b + n] = k[n].u64;
	x->ip = h + WASM_HEADER_WORDS;
}

static void push_frame(struct wasm_exec *x, const union wasm_word *ip,
	uint64_t *fp)
{
	x->frame->ip = ip;
	x->frame->fp = fp;
	x->frame++;
}

/* The callee of a function that has been left. */
static struct wasm_func **pending(struct wasm_exec *x)
{
	return (struct wasm_func **)(uintptr_t)(x->jit.rsp - 8);
}

enum next { GO_ON, INTERPRET, STOP };

static uint32_t resume(struct wasm_exec *x)
{
	return go(x, x->store->jit->resume, 0);
}

static enum next trap(struct wasm_exec *x, enum wasm_trap trap)
{
	x->trap = trap;
	x->end = WASM_TRAPPED;
	return STOP;
}

static bool type_fits(const struct wasm_exec *x, const struct wasm_func *f)
{
	uint32_t want = x->jit.want;
	return want == UINT32_MAX || f->sig == want ||
		wasm_registry_sub(&x->store->registry, f->sig, want);
}

/* --- calls that leave
 * ------------------------------------------------------------ */

/* Is there no frame left in the newest stay?  So it is when its last function
 * has gone for a tail call. */
static bool stay_is_empty(const struct wasm_exec *x)
{
	return x->jit.rsp == x->jit.seg[3] - sizeof(uint64_t);
}

/* The function that does a tail call, whose frame is still there. */
struct tail {
	uint64_t *caller_returns; /* behind its frame */
	bool fits;		  /* arguments lie where its own were */
};

/* Bytes of the callee's arguments on the stack; host functions have no type
 * of a module. */
static uint32_t stack_bytes(const struct types *t)
{
	struct jit_abi abi = { 0 };
	uint32_t offset;
	for (uint32_t k = 0; k < t->params; k++)
		jit_abi_next(&abi, t->list[k], &offset);
	return abi.stack;
}

static struct tail tail_of(const struct wasm_exec *x, const struct types *t)
{
	struct jit_walk w = wasm_jit_walk(x);
	const struct wasm_func *c = wasm_jit_walk_next(x, &w);
	const struct wasm_module *m = x->inst->module;
	return (struct tail){ (uint64_t *)(uintptr_t)(uint64_t)(uintptr_t)w.sp,
		stack_bytes(t) <=
			jit_stack_args(m, wasm_func_type(m, c->index)) };
}

/* The callee's arguments from where compiled code passes them to slots. */
static enum next take_args(struct wasm_exec *x, struct wasm_func *f, bool ready,
	uint64_t *stack, const struct types *t)
{
	uint32_t need = f->param_slots > f->result_slots ? f->param_slots :
							   f->result_slots;
	if (!ready && !wasm_exec_work(x, 1))
		return STOP;
	if (f->inst && !ready)
		need += f->code->op;
	if (!wasm_exec_room(x, need))
		return trap(x, x->trap);
	move_args(x, t, x->fp, stack, false);
	return GO_ON;
}

/* Enters the function with its arguments in slots.  Compiled code waits for
 * it, unless there is nobody left who would. */
static enum next enter(struct wasm_exec *x, struct wasm_func *f, bool ready,
	uint32_t *event)
{
	bool first = stay_is_empty(x);
	if (first) {
		wasm_jit_drop_stay(x);
	} else {
		*pending(x) = f;
		push_frame(x, wasm_resume_code, x->fp);
	}
	if (f->inst != x->inst) {
		if (!first || x->frame[-1].ip != wasm_cross_code)
			push_frame(x, wasm_cross_code,
				(uint64_t *)(void *)x->inst);
		wasm_exec_enter(x, f->inst);
	}
	if (ready) {
		*event = begin(x, f, x->fp);
		return GO_ON;
	}
	interpret(x, f->code);
	return INTERPRET;
}

static enum next call_host(struct wasm_exec *x, struct wasm_func *f,
	const struct types *t, bool tail, uint32_t *event)
{
	x->jit.paused = tail ? WASM_JIT_PAUSED_TAIL : WASM_JIT_PAUSED_HOST;
	if (!wasm_exec_host(x, f, x->fp))
		return STOP;
	if (tail)
		x->jit.rsp = (uint64_t)(uintptr_t)tail_of(x, t).caller_returns;
	move_results(x, t, x->fp, true);
	*event = resume(x);
	return GO_ON;
}

/* The host function that paused: its arguments lie where they were put. */
static enum next call_again(struct wasm_exec *x, uint32_t *event)
{
	struct types t;
	types_of(x->callee, &t);
	return call_host(x, x->callee, &t,
		x->jit.paused == WASM_JIT_PAUSED_TAIL, event);
}

/* Compiled code calls what can't be called directly. */
static enum next call_out(struct wasm_exec *x, uint32_t *event, bool tail)
{
	struct types t;
	struct wasm_func *f = x->callee;
	struct tail k = { NULL, true };
	uint64_t *stack = (uint64_t *)(uintptr_t)(x->jit.rsp + 8);
	if (!type_fits(x, f))
		return trap(x, WASM_TRAP_SIGNATURE);
	if (!types_of(f, &t))
		return trap(x, WASM_TRAP_LIMIT);
	bool ready = wasm_jit_ready(x, f);
	if (tail) {
		k = tail_of(x, &t);
		stack = k.fits ? k.caller_returns + 1 : stack;
	}
	if (ready && f->inst == x->inst && k.fits) {
		if (tail)
			x->jit.rsp = (uint64_t)(uintptr_t)k.caller_returns;
		*event = go(x, x->store->jit->jump, f->jit_at);
		return GO_ON;
	}
	enum next n = take_args(x, f, ready, stack, &t);
	if (n != GO_ON)
		return n;
	if (!f->inst)
		return call_host(x, f, &t, tail, event);
	if (tail)
		x->jit.rsp = (uint64_t)(uintptr_t)k.caller_returns;
	return enter(x, f, ready, event);
}

static enum next unwind(struct wasm_exec *x, uint32_t *event)
{
	struct wasm_landing l;
	if (!wasm_exec_unwind(x, NULL, x->fp, &l))
		return trap(x, WASM_TRAP_EXCEPTION);
	x->fp = l.fp;
	x->ip = l.ip;
	if (--x->budget < 0 && !wasm_exec_pay(x, 0))
		return STOP;
	if (l.ip)
		return INTERPRET;
	*event = go(x, x->store->jit->jump, l.compiled.at);
	return GO_ON;
}

/* Back to whoever called the stay's first function. */
static void returned(struct wasm_exec *x)
{
	struct types t;
	types_of((const struct wasm_func *)(uintptr_t)x->jit.seg[2], &t);
	move_results(x, &t, x->fp, false);
	wasm_jit_drop_stay(x);
	x->frame--;
	x->ip = x->frame->ip;
	x->fp = x->frame->fp;
}

static const union wasm_word again_code[1] = { { .op = OP_again } };

static bool drive(struct wasm_exec *x, uint32_t event)
{
	for (;;) {
		enum next n = STOP;
		if (event == JIT_RETURNED) {
			returned(x);
			return true;
		}
		if (event == JIT_TRAPS)
			x->end = WASM_TRAPPED;
		else if (event == JIT_CALLS || event == JIT_TAILS)
			n = call_out(x, &event, event == JIT_TAILS);
		else if (event == JIT_THROWS)
			n = unwind(x, &event);
		else if (event == JIT_AGAIN)
			n = call_again(x, &event);
		if (n == INTERPRET)
			return true;
		if (n == STOP)
			break;
	}
	/* So that the compiled frames are found. */
	push_frame(x, wasm_resume_code, x->fp);
	x->ip = x->thread.paused ? again_code : wasm_exit_code;
	return false;
}

/* Called by the interpreter, which has pushed where it goes on. */
bool wasm_jit_call(struct wasm_exec *x, struct wasm_func *f, uint64_t *fp)
{
	return drive(x, begin(x, f, fp));
}

bool wasm_jit_land(struct wasm_exec *x, const struct jit_target *t)
{
	return drive(x, go(x, x->store->jit->jump, t->at));
}

bool wasm_jit_resume(struct wasm_exec *x)
{
	struct types t;
	types_of(*pending(x), &t);
	move_results(x, &t, x->fp, true);
	return drive(x, resume(x));
}

bool wasm_jit_holds(const struct wasm_exec *x)
{
	struct jit_walk w = wasm_jit_walk(x);
	if (x->ip != again_code || x->jit.paused == WASM_JIT_PAUSED_HOST)
		return false;
	const struct wasm_func *f = wasm_jit_walk_next(x, &w);
	return f && wasm_func_holds(f->inst->module, f->index);
}

bool wasm_jit_again(struct wasm_exec *x)
{
	const struct wasm_jit *j = x->store->jit;
	uint32_t event = JIT_AGAIN;
	x->frame--; /* what drive pushed */
	if (x->jit.paused == WASM_JIT_PAUSED_STEP)
		event = go(x, j->resume, 0);
	else if (x->jit.paused == WASM_JIT_PAUSED_REFILL)
		event = go(x, j->refilled, 0);
	return drive(x, event);
}

/* --- for developers
 * ----------------------------------------------------------------
 */

struct wasm_jit_stats wasm_store_jit_stats(const struct wasm_store *s)
{
	return s->jit ? s->jit->stats : (struct wasm_jit_stats){ 0 };
}

struct wasm_jit_stats wasm_instance_jit_stats(const struct wasm_instance *i)
{
	return wasm_store_jit_stats(i->store);
}

void jit_made(const struct wasm_jit *j, const struct jit_code *c)
{
	if (j->watch.made)
		j->watch.made(j->watch.ctx, c->func->inst->module,
			c->func->index, j->memory + c->at, c->len);
}

void jit_code_fini(struct wasm_jit *j, struct jit_code *c)
{
	wasm_heap_free(&j->store->heap, c->lines, c->line_count,
		sizeof *c->lines);
	c->lines = NULL;
}

void wasm_instance_jit_watch(struct wasm_instance *i,
	const struct wasm_jit_watch *w)
{
	struct wasm_jit *j = i->store->jit;
	if (!j)
		return;
	j->watch = *w;
	if (w->made)
		w->made(w->ctx, i->module, UINT32_MAX, j->memory, j->stubs_len);
	for (uint32_t k = 0; k < j->code_count; k++)
		jit_made(j, &j->codes[k]);
}

void wasm_instance_jit_all(struct wasm_instance *i,
	bool (*progress)(void *ctx, uint32_t done, uint32_t all), void *ctx)
{
	uint32_t all = i->module->func_count - i->module->func_imports;
	struct wasm_jit *j = i->store->jit;
	if (!j)
		return;
	jit_memory_begin(j);
	for (uint32_t n = 0; n < all; n++) {
		if (i->own[n].jit_state == JIT_NEW)
			wasm_jit_compile(j, &i->own[n]);
		if (progress && !progress(ctx, n + 1, all))
			break;
	}
	jit_memory_end(j);
}
