/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter's state, and how its operations are written.  Each is a
 * function of its own that ends in a jump to the next one; what the machine
 * needs at every step travels in argument registers.  Compilers that may not
 * turn such a call into a jump (sanitizers, no optimisation, other
 * architectures' calling conventions) get a plain loop instead: the same
 * source with other macros.  -DWASM_INTERP_LOOP asks for it.
 */
#ifndef WASM_INTERP_EXEC_PRIV_H
#define WASM_INTERP_EXEC_PRIV_H

#include "wasm/interp/ops_priv.h"
#include "wasm/interp/thread_priv.h"
#include "wasm/jit/state_priv.h"
#include "wasm/store_priv.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__OPTIMIZE__) || defined(__clang__) ||              \
	!(defined(__x86_64__) || defined(__riscv) || defined(__aarch64__))
#define WASM_INTERP_LOOP
#endif

/* Where a call goes back to. */
struct wasm_frame {
	const union wasm_word *ip;
	uint64_t *fp;
};

struct wasm_exec {
	struct wasm_jit_state jit;
	/* Hot. */
	int64_t budget; /* units of work until somebody must look */
	struct wasm_frame *frame, *frames_end;
	uint64_t *stack_end;
	struct wasm_instance *inst;
	struct wasm_global **globals;
	struct wasm_memory *mem0;

	/* The loop's variant keeps its registers here, the other one only
	 * where it stopped. */
	const union wasm_word *ip;
	uint64_t *fp;
	uint8_t *mem;
	uint64_t mem_len;
	bool done;

	struct wasm_frame *frames;
	uint32_t frame_cap, max_frames;
	uint64_t *stack;
	uint32_t stack_slots, max_slots;

	int64_t granted; /* what budget was when it was last set */

	/* Between an operation and make_room, call_any, tail_any. */
	uint32_t need; /* slots from fp on */
	uint32_t skip; /* words to the next instruction */
	struct wasm_func *callee;

	bool running;
	enum wasm_end end;
	enum wasm_trap trap;
	uint32_t exit_code;
	char why[128]; /* a host function's own words */
	struct wasm_store *store;
	struct wasm_memory none;  /* stands for memory 0 where there is none */
	uint64_t exception;	  /* being thrown */
	struct wasm_trace *trace; /* or NULL; the first thread's own */
	struct wasm_thread thread;
};

struct wasm_caller {
	struct wasm_exec *exec;
};

struct wasm_op_entry;
#define WASM_ARGS                                                             \
	const union wasm_word *ip, uint64_t *fp, uint8_t *mem, uint64_t mlen, \
		struct wasm_exec *x, const struct wasm_op_entry *ops

/*
 * Operations are reached through a constant table only, by numbers that the
 * compiler wrote: their jumps need no check, and they no landing pad.
 */
#if defined(__CET__) && !defined(__clang__)
#define WASM_OP_FUNC __attribute__((nocf_check))
#else
#define WASM_OP_FUNC
#endif

struct wasm_op_entry {
	void (*run)(WASM_ARGS) WASM_OP_FUNC;
};

/* trace.c: the operations once more, each with a look before it. */
struct wasm_trace {
	void (*step)(void *ctx, const struct wasm_step *s);
	void *ctx;
	bool called; /* by the instruction before */
	const struct wasm_op_entry *real;
	struct wasm_op_entry ops[WASM_OP_COUNT];
};

#define WASM_X(n) void wasm_op_##n(WASM_ARGS) WASM_OP_FUNC;
WASM_OPS_ALL
#undef WASM_X
/* Not operations: where operations go when something is out of the way. */
void wasm_op_stop(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_halt(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_refill(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_make_room(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_call_any(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_tail_any(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_unwind(WASM_ARGS) WASM_OP_FUNC;
void wasm_op_traced(WASM_ARGS) WASM_OP_FUNC;

#define OP(n) WASM_OP_FUNC void wasm_op_##n(WASM_ARGS)
#define UNUSED_ARGS \
	((void)ip, (void)fp, (void)mem, (void)mlen, (void)x, (void)ops)

#ifdef WASM_INTERP_LOOP
#define SAVE() (x->ip = ip, x->fp = fp, x->mem = mem, x->mem_len = mlen)
#define GO()                 \
	do {                 \
		UNUSED_ARGS; \
		SAVE();      \
		return;      \
	} while (0)
#define GOTO(handler)                                         \
	do {                                                  \
		wasm_op_##handler(ip, fp, mem, mlen, x, ops); \
		return;                                       \
	} while (0)
#else
#define GO()                                                \
	do {                                                \
		ops[ip->op].run(ip, fp, mem, mlen, x, ops); \
		return;                                     \
	} while (0)
#define GOTO(handler)                                         \
	do {                                                  \
		wasm_op_##handler(ip, fp, mem, mlen, x, ops); \
		return;                                       \
	} while (0)
#endif

#define LIKELY(c)   __builtin_expect(!!(c), 1)
#define UNLIKELY(c) __builtin_expect(!!(c), 0)

/* Leaves the machine; x->end says why. */
#define HALT()                  \
	do {                    \
		UNUSED_ARGS;    \
		x->ip = ip;     \
		x->fp = fp;     \
		x->done = true; \
		return;         \
	} while (0)

/* On to the instruction n words further. */
#define NEXT(n)            \
	do {               \
		ip += (n); \
		GO();      \
	} while (0)

/* Jumps by the distance that word w of the instruction holds; a turn of a
 * loop is a unit of work. */
#define JUMP(w)                                             \
	do {                                                \
		int32_t rel_ = ip[w].rel;                   \
		ip += (w) + (int64_t)rel_;                  \
		if (rel_ <= 0 && UNLIKELY(--x->budget < 0)) \
			GOTO(refill);                       \
		GO();                                       \
	} while (0)

#define TRAP(t)                          \
	do {                             \
		x->trap = WASM_TRAP_##t; \
		GOTO(stop);              \
	} while (0)

/* Takes the registers from the state after something may have changed them. */
#define RELOAD()                     \
	do {                         \
		mem = x->mem0->data; \
		mlen = x->mem0->len; \
	} while (0)

static inline float f32_of(uint64_t slot)
{
	uint32_t bits = (uint32_t)slot;
	float f;
	memcpy(&f, &bits, 4);
	return f;
}

static inline double f64_of(uint64_t slot)
{
	double f;
	memcpy(&f, &slot, 8);
	return f;
}

static inline uint64_t slot_f32(float f)
{
	uint32_t bits;
	memcpy(&bits, &f, 4);
	return bits;
}

static inline uint64_t slot_f64(double f)
{
	uint64_t bits;
	memcpy(&bits, &f, 8);
	return bits;
}

/* Enters an instance: its globals and its first memory. */
void wasm_exec_enter(struct wasm_exec *x, struct wasm_instance *i);
/* Makes room for a frame of n slots at x->fp; false with x->trap set. */
bool wasm_exec_room(struct wasm_exec *x, uint32_t n);
/*
 * Pays for n units of work; false when the call is to stop (x->end is set).
 * Calls the tick as often as it falls due.
 */
bool wasm_exec_pay(struct wasm_exec *x, uint64_t n);
static inline bool wasm_exec_work(struct wasm_exec *x, uint64_t n)
{
	if (x->budget >= 0 && n <= (uint64_t)x->budget) {
		x->budget -= (int64_t)n;
		return true;
	}
	return wasm_exec_pay(x, n);
}
/* Makes x->exception of values, which the collector finds at x->ip; false: no
 * memory, x->trap is set. */
bool wasm_exec_throw(struct wasm_exec *x, const struct wasm_tag *tag,
	const uint64_t *values);
/* Calls the embedder's function; false when the call is to stop. */
bool wasm_exec_host(struct wasm_exec *x, const struct wasm_func *f,
	uint64_t *slots);
/* Code that a frame may return to: leaving the machine, or an instance. */
extern const union wasm_word wasm_exit_code[1];
extern const union wasm_word wasm_cross_code[1];
/* Or compiled code: wasm/jit. */
extern const union wasm_word wasm_resume_code[1];

/* A call from outside: parameters in, results out of `slots`. */
void wasm_exec_run(struct wasm_exec *x, struct wasm_func *f, uint64_t *slots,
	uint32_t params, uint32_t results);
/* In two steps: the machine stands before the call, false with its end when
 * there is no room; it goes until its end or a pause. */
bool wasm_exec_begin(struct wasm_exec *x, struct wasm_func *f,
	const uint64_t *slots, uint32_t params, uint32_t results);
void wasm_exec_go(struct wasm_exec *x);
/* A budget for what it does next; what it used and `more` is accounted for. */
void wasm_exec_grant(struct wasm_exec *x);
void wasm_exec_settle(struct wasm_exec *x, uint64_t more);
struct wasm_exec *wasm_exec_new(struct wasm_store *s, uint32_t stack_bytes);
void wasm_exec_free(struct wasm_exec *x);
/* Fills a result from how the last run ended. */
void wasm_exec_result(const struct wasm_exec *x, struct wasm_result *r);

#endif
