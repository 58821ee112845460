/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler for x86-64 and what its code runs on.
 *
 * Compiled functions run on a stack of their own (x->jit.stack), pass values
 * in registers (docs/jit.md) and keep three of them for good: r15 the machine
 * (struct wasm_exec), r14 the first memory, r13 the budget.  Whatever is not
 * compiled code, be it a host function, one that is interpreted or one not
 * compiled yet, is reached by leaving to the interpreter's loop with the
 * callee in hand; it comes back by resuming.  So the host's stack never gets
 * deeper, and both kinds of frames lie in one order: x->frames holds a frame
 * for each stay in compiled code (its ip is wasm_resume_code).
 */
#ifndef WASM_JIT_JIT_PRIV_H
#define WASM_JIT_JIT_PRIV_H

#include "wasm/interp/exec_priv.h"
#include "wasm/jit/state_priv.h"

/* struct wasm_func.jit_state */
enum {
	JIT_NEVER, /* not of an instance that is compiled */
	JIT_NEW,
	JIT_DONE,
	JIT_REFUSED,
};

/* What compiled code leaves for. */
enum jit_event {
	JIT_RETURNED,
	JIT_CALLS,  /* x->callee, arguments in x->jit.regs */
	JIT_HALTED, /* x->end is set, or it pauses */
	JIT_TRAPS,  /* x->trap is set */
	JIT_TAILS,  /* as JIT_CALLS, in place of the function that does it */
	JIT_THROWS, /* x->exception */
	JIT_AGAIN,  /* from outside: the host function once more */
};

/* Which word of register code the machine code from there on is of. */
struct jit_line {
	uint32_t at, word;
};

struct jit_code {
	uint32_t at, len; /* offsets into the code memory */
	uint32_t frame;
	const struct wasm_func *func;
	struct jit_line *lines; /* ascending; none without places */
	uint32_t line_count;
};

/* An instruction for the interpreter, and what ends it. */
struct jit_words {
	struct jit_words *next;
	uint32_t memory; /* that is meant by an access */
	union wasm_word w[6];
};

/* Where a call returns to: the words of the frame that hold references
 * meanwhile, and where exceptions go. */
struct jit_site {
	uint32_t at; /* offset into the code memory */
	uint32_t word, word_count;
	uint32_t landing, landing_count;
};

struct jit_landing {
	uint32_t at;
	uint32_t tag; /* the instance's number; UINT32_MAX: any */
};

/* Why a function is left to the interpreter (reasons.c). */
enum jit_reason {
	JIT_FINE,
	JIT_NO_MEMORY,
	JIT_TOO_MUCH_MEMORY,
	JIT_TOO_MUCH_WORK,
	JIT_MANY_VARIABLES,
	JIT_TOO_LARGE,
	JIT_LARGE_FRAME,
	JIT_NO_ROOM,
	JIT_DRAWN,
	JIT_UNKNOWN,
	JIT_JUMPS_OUT,
	JIT_SLOT_OUT,
	JIT_NO_WAY_IN,
	JIT_ERRED,
	JIT_REASONS,
};

/* The compiler's memory: given back all at once, but for what the next
 * compilation begins with. */
struct jit_arena {
	struct wasm_heap *heap;
	struct jit_chunk *chunks, *kept;
	size_t used, cap;   /* of the newest */
	size_t taken, most; /* by this compilation */
};

/* One for each store that has compiled functions. */
struct wasm_jit {
	struct wasm_store *store;
	uint8_t *memory; /* executable but for moments */
	size_t size, used;
	size_t writable_from, writable_to; /* for many functions; or 0 */
	struct jit_code *codes;		   /* in the order of `at` */
	uint32_t code_count, code_cap;
	struct jit_words *words; /* for JIT_STEP */
	struct jit_arena arena;	 /* between compilations */
	uint32_t instances;
	bool broken; /* the code memory can't be used */

	/* Offsets of what is common to all functions. */
	uint32_t stubs_len, enter, jump, resume, leave, indirect, step, trap,
		refill, refilled;
	uint32_t tail, tail_typed, throw, throw_ref, copy, fill;

	/* What is known of calls that compiled functions are in. */
	struct jit_site *sites; /* in the order of `at` */
	uint32_t site_count, site_cap;
	uint32_t *words_of;
	uint32_t word_count, word_cap;
	struct jit_landing *landings;
	uint32_t landing_count, landing_cap;

	struct wasm_op_entry ops[WASM_OP_COUNT]; /* the interpreter's */

	uint32_t level; /* enum jit_level: of vectors */
	bool sse41, popcnt, lzcnt, bmi1, bmi2;
	struct wasm_jit_stats stats;
	uint32_t refused_for[JIT_REASONS];
	uint32_t stress; /* registers of each kind; 0: all */
	bool verify, mask;
	struct wasm_jit_watch watch; /* for developers */
};

bool wasm_jit_new(struct wasm_store *s);
void wasm_jit_free(struct wasm_store *s);
/* The machine's stack for compiled code, so large and some more. */
bool wasm_jit_stack(struct wasm_exec *x, uint32_t bytes);
/* The instance's functions may be compiled from now on. */
void wasm_jit_adopt(struct wasm_instance *i);
/* Compiles it, or finds that it can't be: f->jit_state says. */
void wasm_jit_compile(struct wasm_jit *j, struct wasm_func *f);

/*
 * Entries of the interpreter, which has pushed a frame to return to.  Each
 * returns false when the call is over (x->end is set); else the interpreter
 * goes on at x->ip, x->fp.
 */
bool wasm_jit_call(struct wasm_exec *x, struct wasm_func *f, uint64_t *fp);
bool wasm_jit_resume(struct wasm_exec *x);
/* After a pause. */
bool wasm_jit_again(struct wasm_exec *x);
/* Does it pause in compiled code that may have references nobody tells of? */
bool wasm_jit_holds(const struct wasm_exec *x);
/* Can it be called as compiled code?  Compiles at the first call. */
bool wasm_jit_ready(struct wasm_exec *x, struct wasm_func *f);
void wasm_jit_replace_ops(struct wasm_op_entry *ops);
enum { WASM_JIT_TAG_SHIFT = 20 };
uint32_t wasm_jit_tag(const struct wasm_instance *i, uint32_t canon);
/* Called by compiled code. */
void wasm_jit_sync(struct wasm_exec *x);
enum { JIT_REFILL_ENDS, JIT_REFILL_GOES_ON, JIT_REFILL_PAUSES };
uint32_t wasm_jit_refill(struct wasm_exec *x);
bool wasm_jit_step(struct wasm_exec *x, const struct jit_words *k,
	uint64_t *frame);
uint32_t wasm_jit_throw(struct wasm_exec *x, const struct jit_words *k,
	uint64_t *frame);
uint32_t wasm_jit_throw_ref(struct wasm_exec *x, uint64_t exception);

/* Forgets the newest stay in compiled code. */
void wasm_jit_drop_stay(struct wasm_exec *x);
/* Walks the frames of stays, from the newest one outwards. */
struct jit_walk {
	const uint64_t *sp;
	const uint64_t *seg;
	uint32_t word; /* of the module's code, where the frame is */
};
struct jit_walk wasm_jit_walk(const struct wasm_exec *x);
/* The next frame of the stay; NULL: it is over. */
const struct wasm_func *wasm_jit_walk_next(const struct wasm_exec *x,
	struct jit_walk *w);

/* --- unwind.c ------------------------------------------------------------- */
/* Calls `found` for each reference that compiled functions need. */
void wasm_jit_references(const struct wasm_exec *x,
	void (*found)(void *ctx, uint64_t ref), void *ctx);
/* Where in compiled code an exception goes on, with that frame's end. */
struct jit_target {
	struct wasm_instance *inst;
	uint32_t at;
	const uint64_t *sp;
};
/* Looks through the newest stay that `w` has not passed yet. */
bool wasm_jit_find_landing(const struct wasm_exec *x, struct jit_walk *w,
	const struct wasm_tag *tag, struct jit_target *t);
/* Where an exception goes on, which the machine is made ready for: ip NULL in
 * compiled code. */
struct wasm_landing {
	const union wasm_word *ip;
	uint64_t *fp;
	struct jit_target compiled;
};
/* interp/throw.c: takes x->exception from ip (NULL: the newest stay) to whoever
 * handles it; false: nobody does. */
bool wasm_exec_unwind(struct wasm_exec *x, const union wasm_word *ip,
	uint64_t *fp, struct wasm_landing *l);
/* Goes on there; as wasm_jit_resume. */
bool wasm_jit_land(struct wasm_exec *x, const struct jit_target *t);

/* --- memory.c ------------------------------------------------------------- */
bool jit_memory_open(struct wasm_jit *j, size_t size);
void jit_memory_close(struct wasm_jit *j);
/* Between these two code may be put without a call of mprotect for each, and
 * none may run. */
void jit_memory_begin(struct wasm_jit *j);
void jit_memory_end(struct wasm_jit *j);
bool jit_has_room(const struct wasm_jit *j, uint32_t len);
/* Appends code, at j->used; its offset, or UINT32_MAX. */
uint32_t jit_memory_add(struct wasm_jit *j, const uint8_t *code, uint32_t len);

/* --- stubs.c ---------------------------------------------------------------
 */
bool jit_stubs_make(struct wasm_jit *j);

/* --- reasons.c ---------------------------------------------------------- */
/* A function is left to the interpreter. */
void jit_count_reason(struct wasm_jit *j, enum jit_reason why);

/* --- arena.c ------------------------------------------------------------ */
void jit_arena_reset(struct jit_arena *a);
void jit_arena_fini(struct jit_arena *a);

/* --- compile.c -------------------------------------------------------------
 */
struct jit_fn;
/* f: zeros. */
void jit_prepare(struct jit_fn *f, struct wasm_jit *j, struct wasm_func *w);
void jit_fini(struct jit_fn *f);
/* Bytes of arguments on the stack. */
uint32_t jit_stack_args(const struct wasm_module *m,
	const struct wasm_typedef *t);
/* Do the callee's arguments on the stack have room where the caller's are? */
bool jit_tail_fits(const struct wasm_module *m,
	const struct wasm_typedef *caller, const struct wasm_typedef *callee);
/* Machine code for f; false: f->failed says why not. */
bool jit_translate(struct jit_fn *f, struct jit_code *out);

struct jit_words *jit_words_new(struct wasm_jit *j);
/* Tells who watches. */
void jit_made(const struct wasm_jit *j, const struct jit_code *c);
void jit_code_fini(struct wasm_jit *j, struct jit_code *c);

#endif
