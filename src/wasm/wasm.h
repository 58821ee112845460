/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebAssembly engine's one door.  A module is validated and rewritten to
 * register code in one pass; an instance runs it.  Everything in a module is
 * hostile: whatever is wrong with it is an error that names the place
 * (`function 12 at 0x3f2: ...`), whatever it makes big has a limit.
 * Depends on nothing but memory functions.
 *
 * Values travel in 64-bit slots: i32 and f32 in the low half (upper half
 * zero), v128 in two slots, references as opaque slots where 0 is null.
 */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include "base/bytes.h"
#include "base/err.h"

struct wasm_module;
struct wasm_instance;
struct wasm_caller;

/* Value types, as in the binary format (WebAssembly 2.0 §5.3). */
enum wasm_type {
	WASM_I32 = 0x7f,
	WASM_I64 = 0x7e,
	WASM_F32 = 0x7d,
	WASM_F64 = 0x7c,
	WASM_V128 = 0x7b,
	WASM_FUNCREF = 0x70,
	WASM_EXTERNREF = 0x6f,
};

/* Hard limits; a zero field means the default given. */
struct wasm_limits {
	uint64_t memory_bytes; /* all linear memories together; 4 GiB */
	uint64_t module_bytes; /* the engine's own memory for code; 1 GiB */
	uint32_t table_elems;  /* all tables together; 10,000,000 */
	uint32_t stack_bytes;  /* wasm stack (not the host's); 1 MiB */
	uint32_t call_depth;   /* nested calls; 20,000 */
	uint32_t threads;      /* of a program at once; 64 */
	uint32_t thread_stack; /* stack_bytes of all but the first; 256 KiB */
	/* JIT: the compiler for x86-64; a store is refused where there is
	 * none, or where no memory may become executable.  AUTO: the same,
	 * but interpreted there. */
	enum wasm_engine {
		WASM_ENGINE_INTERP,
		WASM_ENGINE_JIT,
		WASM_ENGINE_AUTO,
	} engine;
	uint64_t code_bytes;	/* compiled code; 64 MiB */
	uint32_t jit_registers; /* for tests: no more of each kind */
	/* For tests: whatever the compiler decides is drawn by lot, and it
	 * checks itself; 0: not. */
	uint64_t jit_stress;
	/* For tests: no newer vector instructions than 1 SSE2, 2 SSSE3,
	 * 3 SSE4.1, 4 SSE4.2, 5 AVX. */
	uint32_t jit_vectors;
	bool jit_mask; /* speculation does not pass a check of bounds either */
	/* Where the embedder has a cheaper way than two calls of mprotect:
	 * copies code to the begin of whole pages that were reserved without
	 * rights and never used, which can be read and executed then. */
	bool (*put_code)(void *to, const void *code, size_t len);
	/* For modules: the NaNs that arithmetic makes all have the same bits,
	 * so that runs agree across machines to the last bit.  Costs time. */
	bool canonical_nans;
	bool collect_always; /* for tests: at every allocation */
	/* For modules and developers: where each instruction is is kept, so
	 * that traps and dumps name it.  Costs memory. */
	bool places;
};

/*
 * Decodes, validates and rewrites a binary module.  Keeps no pointer into
 * `in`.  The module may be instantiated any number of times and must outlive
 * its instances.
 */
MUST_USE bool wasm_module_new(struct bytes in, const struct wasm_limits *l,
	struct wasm_module **out, struct err *e);
void wasm_module_free(struct wasm_module *m);

/*
 * The type of an exported function in the letters of wasm_import.sig, with V
 * for v128 and r for any reference; false when there is no such function or
 * `size` is too small.
 */
bool wasm_module_signature(const struct wasm_module *m, struct bytes name,
	char *out, size_t size);
/* The same of an imported function: of several of that name, the first. */
bool wasm_module_import_signature(const struct wasm_module *m,
	struct bytes module, struct bytes name, char *out, size_t size);

/*
 * A function that the embedder supplies.  `sig` spells its type: one letter
 * per value (i i32, I i64, f f32, F f64), parameters, ':', results: "iIi:i".
 * `call` finds its parameters in slots[0..] and leaves its results there.
 * It returns true to go on; false after wasm_caller_trap/exit/stop.
 */
struct wasm_import {
	const char *module;
	const char *name;
	const char *sig;
	bool (*call)(struct wasm_caller *c, uint64_t *slots, void *ctx);
	void *ctx;
};

/* How a call ended. */
enum wasm_end {
	WASM_RETURNED,
	WASM_EXITED,  /* a host function asked for it: wasm_result.exit_code */
	WASM_TRAPPED, /* wasm_result.trap says which */
	WASM_STOPPED, /* the tick said so, or fuel ran out */
};

enum wasm_trap {
	WASM_TRAP_NONE,
	WASM_TRAP_UNREACHABLE,
	WASM_TRAP_MEMORY,	  /* out of bounds memory access */
	WASM_TRAP_TABLE,	  /* out of bounds table access */
	WASM_TRAP_ELEMENT,	  /* undefined element */
	WASM_TRAP_NULL,		  /* uninitialized element, null reference */
	WASM_TRAP_SIGNATURE,	  /* indirect call type mismatch */
	WASM_TRAP_DIVIDE,	  /* integer divide by zero */
	WASM_TRAP_OVERFLOW,	  /* integer overflow */
	WASM_TRAP_CONVERT,	  /* invalid conversion to integer */
	WASM_TRAP_STACK,	  /* call stack exhausted */
	WASM_TRAP_EXCEPTION,	  /* uncaught exception */
	WASM_TRAP_LIMIT,	  /* a limit of ours */
	WASM_TRAP_HOST,		  /* a host function refused: see text */
	WASM_TRAP_UNINITIALIZED,  /* null element of a table called */
	WASM_TRAP_NULL_FUNC,	  /* null function reference called */
	WASM_TRAP_NULL_EXCEPTION, /* null exception reference thrown */
	WASM_TRAP_NULL_STRUCT,	  /* null structure reference */
	WASM_TRAP_NULL_ARRAY,	  /* null array reference */
	WASM_TRAP_NULL_I31,	  /* null i31 reference */
	WASM_TRAP_ARRAY,	  /* out of bounds array access */
	WASM_TRAP_CAST,		  /* cast failure */
	WASM_TRAP_UNALIGNED,	  /* unaligned atomic access */
	WASM_TRAP_NOT_SHARED,	  /* waiting needs a shared memory */
	WASM_TRAP_DEADLOCK,	  /* every thread waits, and without end */
};

struct wasm_result {
	enum wasm_end end;
	uint32_t exit_code;
	enum wasm_trap trap;
	/* For people: the trap's name as the specification's tests spell it
	 * and the wasm functions on the stack (names from the name section,
	 * else indices), innermost first, with the instruction's place in the
	 * module where places are kept.  Reveals the module: never for the
	 * host. */
	char text[1024];
};

/* The text that the specification's tests use ("integer divide by zero"). */
const char *wasm_trap_name(enum wasm_trap trap);

/*
 * Links and instantiates: fails with a name when an import is missing or its
 * type differs, and when a segment does not fit (that trap is in *r, which
 * may be NULL).  Runs the start function.  `imports` and every ctx must
 * outlive the instance.
 */
MUST_USE bool wasm_instance_new(const struct wasm_module *m,
	const struct wasm_import *imports, size_t import_count,
	const struct wasm_limits *l, struct wasm_instance **out,
	struct wasm_result *r, struct err *e);
void wasm_instance_free(struct wasm_instance *i);

/* True when the module exports a function of that name. */
bool wasm_module_exports_func(const struct wasm_module *m, const char *name);
/* The name of export number i, in the order of names; false past the end. */
bool wasm_module_export(const struct wasm_module *m, size_t i,
	struct bytes *name);

/*
 * Calls an exported function.  params has one slot (v128: two) per
 * parameter, results room for the results.  False with an error when there
 * is no such export or the counts do not fit its type; otherwise true, and
 * *r says how it ended.
 */
MUST_USE bool wasm_call(struct wasm_instance *i, const char *name,
	const uint64_t *params, size_t param_slots, uint64_t *results,
	size_t result_slots, struct wasm_result *r, struct err *e);

/*
 * Interruption: `tick` is called about every `interval` units of work (one
 * unit: a call, a loop turn, 64 bytes of a bulk operation); when it returns
 * false the call ends as WASM_STOPPED.  It must not call back into the
 * instance.  interval 0 turns it off.
 */
void wasm_instance_tick(struct wasm_instance *i, uint32_t interval,
	bool (*tick)(void *ctx), void *ctx);
/* Total work allowed from now on, in the same units; UINT64_MAX: no limit. */
void wasm_instance_fuel(struct wasm_instance *i, uint64_t units);

/*
 * Threads (docs/wasm.md): they take turns on the one thread of the embedder,
 * and live until the call in which they began is over.  The clock says how
 * long a wait takes: `now` in ns, `wait` sleeps until `deadline` (UINT64_MAX:
 * none) or until what a paused host function waits for may have happened, and
 * says false when the call is to stop.  Without one a wait is over as soon as
 * nobody else can go on.  Copied.
 */
struct wasm_clock {
	uint64_t (*now)(void *ctx);
	bool (*wait)(void *ctx, uint64_t deadline);
	void *ctx;
};
void wasm_instance_clock(struct wasm_instance *i, const struct wasm_clock *c);

/*
 * References of the embedder's own (externref): any number below 2^62, never
 * null.  A slot that holds anything else is a reference of the program's.
 */
static inline uint64_t wasm_ref_host(uint64_t v)
{
	return v << 2 | 2;
}

static inline bool wasm_ref_is_host(uint64_t slot, uint64_t *v)
{
	*v = slot >> 2;
	return (slot & 3) == 2;
}

/* --- for host functions, valid during the call only -------------------- */

/*
 * A checked view of the caller's first memory: NULL unless [at, at+len) lies
 * within it.  Valid until the memory grows (no host function grows it).
 */
uint8_t *wasm_caller_memory(struct wasm_caller *c, uint64_t at, uint64_t len);
uint64_t wasm_caller_memory_size(struct wasm_caller *c);

/* Each sets the end of the whole call and returns false, for `return`. */
bool wasm_caller_trap(struct wasm_caller *c, const char *text);
bool wasm_caller_exit(struct wasm_caller *c, uint32_t code);
bool wasm_caller_stop(struct wasm_caller *c);

/* Does the program have other threads just now? */
bool wasm_caller_shares(const struct wasm_caller *c);
/*
 * For `return` (false), when there are others: they go on, and the function is
 * called again, with the same parameters, when `deadline` has come (0: after
 * everybody else's turn) or the clock's wait has returned.  Other threads may
 * have changed everything but what the function noted in its struct wasm_kept,
 * which is all zero when it is called for the first time.
 */
bool wasm_caller_pause(struct wasm_caller *c, uint64_t deadline);
struct wasm_kept {
	uint64_t since, done;
};
struct wasm_kept *wasm_caller_kept(struct wasm_caller *c);
/*
 * A new thread with an own instance of the caller's module, over the same
 * imports: calls the exported function `entry`, of two i32, with the thread's
 * number (1 to 2^29 - 1) and arg.  Says why there is none.
 */
enum wasm_spawn { WASM_SPAWNED, WASM_SPAWN_LIMIT, WASM_SPAWN_NO_ENTRY };
enum wasm_spawn wasm_caller_spawn(struct wasm_caller *c, const char *entry,
	uint32_t arg, uint32_t *id);

/* --- several instances that share things -------------------------------- */

/*
 * A store owns instances that may import from each other; nothing of it may
 * outlive it.  wasm_instance_new is a store for one instance alone.
 */
struct wasm_store;
MUST_USE bool wasm_store_new(const struct wasm_limits *l,
	struct wasm_store **out, struct err *e);
void wasm_store_free(struct wasm_store *s);
/* As wasm_instance_fuel, also for what happens while instantiating. */
void wasm_store_fuel(struct wasm_store *s, uint64_t units);
/* As wasm_instance_tick, also for what happens while instantiating. */
void wasm_store_tick(struct wasm_store *s, uint32_t interval,
	bool (*tick)(void *ctx), void *ctx);
size_t wasm_store_footprint(const struct wasm_store *s);

void wasm_store_clock(struct wasm_store *s, const struct wasm_clock *c);

/* What an instance exports and another can import. */
enum wasm_extern_kind {
	WASM_EXTERN_FUNC,
	WASM_EXTERN_TABLE,
	WASM_EXTERN_MEMORY,
	WASM_EXTERN_GLOBAL,
	WASM_EXTERN_TAG,
};
struct wasm_extern {
	enum wasm_extern_kind kind;
	void *object;
};

/*
 * As wasm_instance_new within a store; `find` names what each import is and
 * returns false when there is no such thing.  An instance that failed to
 * start stays in the store: others may have got its functions.
 */
MUST_USE bool wasm_store_instantiate(struct wasm_store *s,
	const struct wasm_module *m,
	bool (*find)(void *ctx, struct bytes module, struct bytes name,
		struct wasm_extern *out),
	void *ctx, struct wasm_instance **out, struct wasm_result *r,
	struct err *e);
bool wasm_instance_export(const struct wasm_instance *i, struct bytes name,
	struct wasm_extern *out);

/* As wasm_call, for what wasm_instance_export found. */
MUST_USE bool wasm_store_call(struct wasm_store *s,
	const struct wasm_extern *func, const uint64_t *params,
	size_t param_slots, uint64_t *results, size_t result_slots,
	struct wasm_result *r, struct err *e);

/* Things of the embedder's own.  `im` must outlive the store. */
MUST_USE bool wasm_store_func(struct wasm_store *s,
	const struct wasm_import *im, struct wasm_extern *out);
/* Sizes in pages or elements; max UINT64_MAX: none. */
MUST_USE bool wasm_store_memory(struct wasm_store *s, uint64_t min,
	uint64_t max, bool is64, struct wasm_extern *out);
/* A shared memory as the module imports it; false: it imports none of that
 * name, or it is too large. */
MUST_USE bool wasm_store_shared_memory(struct wasm_store *s,
	const struct wasm_module *m, struct bytes module, struct bytes name,
	struct wasm_extern *out);
MUST_USE bool wasm_store_table(struct wasm_store *s, uint64_t min, uint64_t max,
	bool is64, struct wasm_extern *out);
MUST_USE bool wasm_store_global(struct wasm_store *s, enum wasm_type type,
	bool is_mutable, uint64_t value, struct wasm_extern *out);
/* The memory's bytes, until it grows. */
struct bytes wasm_extern_memory(const struct wasm_extern *m);
/* The value of a global: one slot, for a v128 two. */
void wasm_extern_global(const struct wasm_extern *g, uint64_t value[2]);

/* --- for developers ------------------------------------------------------ */

/* How many functions, imports included, which come first. */
uint32_t wasm_module_funcs(const struct wasm_module *m);
/* The name that traces give it; size at least 16. */
void wasm_module_func_name(const struct wasm_module *m, uint32_t func,
	char *out, size_t size);
/* Writes a function's register code, line by line, with the number of the
 * word that it is about (0: the function itself); nothing for imports. */
void wasm_module_dump(const struct wasm_module *m, uint32_t func,
	void (*put)(void *ctx, uint32_t word, const char *text), void *ctx);

/* Where instruction number n of all functions is in the module, and its
 * register code (the instruction after may still have changed what is there).
 * False past the end; nothing without wasm_limits.places. */
struct wasm_place {
	uint32_t func, word, at;
};
bool wasm_module_place(const struct wasm_module *m, size_t n,
	struct wasm_place *out);

/* Interpreted programs step by step; what is compiled is not seen.  `step`
 * is called before each instruction of register code. */
struct wasm_step {
	bool enters; /* the first instruction of a function just called */
	bool leaves; /* goes back to the caller */
	const struct wasm_module *module;
	uint32_t func, depth, word;
	const uint64_t *slots; /* the function's, parameters first */
	uint32_t slot_count;
};
MUST_USE bool wasm_instance_trace(struct wasm_instance *i,
	void (*step)(void *ctx, const struct wasm_step *s), void *ctx,
	struct err *e);

/* What was compiled so far; zeros for what is interpreted. */
struct wasm_jit_stats {
	uint32_t compiled, refused; /* functions */
	uint32_t gaps; /* of these: refused for what is in them, no limit */
	uint64_t code_bytes, words; /* machine code; register code read */
	uint64_t work;
	uint32_t vector_steps; /* vector instructions left to interpreter */
};
struct wasm_jit_stats wasm_store_jit_stats(const struct wasm_store *s);
struct wasm_jit_stats wasm_instance_jit_stats(const struct wasm_instance *i);
/*
 * Compiles all functions of the instance now, not each at its first call;
 * `progress` (may be NULL) hears how many are done, and stops it with false;
 * it may run nothing of the store's.
 */
void wasm_instance_jit_all(struct wasm_instance *i,
	bool (*progress)(void *ctx, uint32_t done, uint32_t all), void *ctx);
/* Sees what becomes of each function that is compiled from now on. */
struct wasm_jit_watch {
	enum { WASM_DUMP_SSA = 1, WASM_DUMP_ASM = 2 } dump; /* or both */
	void (*text)(void *ctx, const char *line);
	/* The machine code of what the last line said: the bytes [from, to) of
	 * a function's, which is going to be at offset `base`. */
	void (*code)(void *ctx, struct bytes func, uint32_t base, uint32_t from,
		uint32_t to);
	/* Code lies there from now on, that of functions made before included;
	 * func UINT32_MAX: what all have in common. */
	void (*made)(void *ctx, const struct wasm_module *m, uint32_t func,
		const void *at, size_t len);
	void *ctx;
};
void wasm_instance_jit_watch(struct wasm_instance *i,
	const struct wasm_jit_watch *w);
/* Why functions were left to the interpreter: reason number n, or NULL. */
const char *wasm_store_jit_reason(const struct wasm_store *s, uint32_t n,
	uint32_t *count);
const char *wasm_instance_jit_reason(const struct wasm_instance *i, uint32_t n,
	uint32_t *count);

/* Memory that the module and the instance hold, in bytes. */
size_t wasm_module_footprint(const struct wasm_module *m);
size_t wasm_instance_footprint(const struct wasm_instance *i);

#endif
