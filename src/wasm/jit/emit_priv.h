/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code from instructions whose values have places. */
#ifndef WASM_JIT_EMIT_PRIV_H
#define WASM_JIT_EMIT_PRIV_H

#include "wasm/jit/alloc_priv.h"
#include "wasm/jit/jit_priv.h"

/* Registers with one meaning everywhere. */
enum { REG_EXEC = R15, REG_MEM = R14, REG_BUDGET = R13 };

/* The middle of the fields that compiled code uses most. */
#define JIT_FIELD(name) ((int64_t)offsetof(struct wasm_exec, name))
#define FUNC_FIELD(n)	((int64_t)offsetof(struct wasm_func, n))

/* Out of line, at the end of the function. */
enum jit_slow {
	SLOW_REFILL,	/* a loop's turn without budget */
	SLOW_ENTRY,	/* the same on entry */
	SLOW_STACK,	/* no room for the frame */
	SLOW_SIGNATURE, /* a callee of another type, or of another instance */
	SLOW_TO_INT,	/* what a conversion does out of range */
	SLOW_TAIL,	/* as SLOW_SIGNATURE, of a tail call */
};

struct jit_trap {
	uint32_t at, trap, word;
};

struct jit_patch {
	uint32_t at;
	uint32_t what; /* block */
};

struct jit_pool {
	uint32_t at;	/* displacement to patch */
	uint32_t place; /* of the constant */
	uint32_t size;
	uint64_t v[2];
};

struct jit_far {
	uint8_t kind;
	uint32_t at, back; /* jump here, and there again */
	uint32_t n;	   /* instruction or block */
	uint32_t word;
	uint32_t site; /* of a call: whose */
	uint64_t imm;
};

/* Where a call returns to: of which instruction, at which position, and the
 * places of references then. */
struct jit_return {
	uint32_t at, n, pos;
	uint32_t map, map_count;
};

struct jit_emit {
	struct jit_fn *f;
	struct wasm_jit *j;
	struct jit_asm a;
	uint32_t base; /* offset of the code in the code memory */
	uint32_t n;    /* current instruction */
	uint32_t pos;
	uint32_t k;	  /* place of the current block in the order */
	uint32_t move;	  /* next of the moves within blocks */
	uint32_t call;	  /* next of the calls */
	uint32_t *starts; /* for dumps: where each instruction's code begins */
	uint32_t far_at, data_at; /* out of line, constants */
	struct jit_line *lines;
	uint32_t line_count, line_cap;
	uint32_t word; /* whose code comes next */
	struct jit_patch *jumps;
	struct jit_trap *traps;
	uint32_t jump_count, jump_cap, trap_count, trap_cap;
	struct jit_pool *pool;
	uint32_t pool_count, pool_cap;
	struct jit_far *fars;
	uint32_t far_count, far_cap;
	struct jit_patch *tables; /* at: the lea; what: instruction */
	uint32_t table_count, table_cap;
	uint32_t *by_target; /* block -> edge of a table that leads there */
	struct jit_patch *thunks; /* at: the call; what: function */
	uint32_t thunk_count, thunk_cap;
	struct jit_sites *sites; /* sites.c; NULL: nobody asks */
};

/* A condition in the flags. */
struct jit_cond {
	uint8_t cc;
	uint8_t parity; /* CC_P: or unordered; CC_NP: and ordered; 0 */
};

/* --- emit.c ------------------------------------------------------------------
 */
uint32_t jit_place(const struct jit_emit *e, uint32_t v);
uint32_t jit_def(const struct jit_emit *e);
struct x64_mem jit_slot(const struct jit_emit *e, uint32_t v);
/* The register of a general operand; the scratch register is filled when it
 * is in none.  jit_xreg: a vector register's number, 0 to 15. */
uint32_t jit_reg(struct jit_emit *e, uint32_t v);
uint32_t jit_xreg(struct jit_emit *e, uint32_t v, uint32_t type);
void jit_mov(struct jit_emit *e, uint32_t reg, uint32_t v, bool wide);
void jit_xmov(struct jit_emit *e, uint32_t xmm, uint32_t v, uint32_t type);
void jit_trap_if(struct jit_emit *e, uint32_t cc, uint32_t trap);
void jit_trap_always(struct jit_emit *e, uint32_t trap);
/* op reg, [constant] */
void jit_pool_op(struct jit_emit *e, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t size, uint64_t low, uint64_t high);
/* d = s op [constant], see x64_v3m. */
void jit_pool_vector(struct jit_emit *e, bool vex, uint32_t op, uint32_t d,
	uint32_t s, const uint64_t v[2]);
/* A jump that is to go out of line; `at` from x64_jcc or x64_jmp. */
struct jit_far *jit_far_away(struct jit_emit *e, uint32_t kind, uint32_t at,
	uint32_t n);
bool jit_emit_all(struct jit_emit *e);
void jit_forget_thunks(struct jit_emit *e);
static inline const struct jit_ins *jit_ins_of(const struct jit_emit *e,
	uint32_t v)
{
	return &e->f->ins[v];
}

/* --- moves.c
 * ------------------------------------------------------------------ */
void jit_move_one(struct jit_emit *e, const struct jit_move *m);
/* All at once. */
void jit_move_all(struct jit_emit *e, const struct jit_move *m, uint32_t n);

/* --- emit_int.c
 * ----------------------------------------------------------------- */
bool jit_emit_int(struct jit_emit *e, const struct jit_ins *i);
struct jit_cond jit_emit_cond(struct jit_emit *e, uint32_t v);
struct jit_cond jit_not(struct jit_cond c);
/* op reg, value: from a register, the stack or as a constant */
void jit_alu(struct jit_emit *e, uint32_t op, uint32_t imm_op, bool wide,
	uint32_t reg, uint32_t v);

/* --- emit_float.c
 * --------------------------------------------------------------- */
bool jit_emit_float(struct jit_emit *e, const struct jit_ins *i);
void jit_emit_to_int_far(struct jit_emit *e, const struct jit_far *s);
struct jit_cond jit_emit_float_compare(struct jit_emit *e,
	const struct jit_ins *i);
/* op xmm, value: from a register, the stack or the pool */
void jit_xop(struct jit_emit *e, uint32_t op, uint32_t xmm, uint32_t v,
	uint32_t type);

/* --- emit_vec.c
 * ---------------------------------------------------------------- */
bool jit_emit_vec(struct jit_emit *e, const struct jit_ins *i);
/* Leaves "not equal" when the test finds a bit. */
void jit_emit_any(struct jit_emit *e, const struct jit_ins *i);
void jit_xconst(struct jit_emit *e, uint32_t xmm, const struct jit_ins *k);

/* --- emit_memory.c
 * -------------------------------------------------------------- */
bool jit_emit_memory(struct jit_emit *e, const struct jit_ins *i);
/* Where an access goes, checked; a fused load's leaves the scratch register
 * alone. */
struct x64_mem jit_address(struct jit_emit *e, const struct jit_ins *i);

void jit_load_from(struct jit_emit *e, uint32_t kind, uint32_t d,
	struct x64_mem m);
void jit_store_to(struct jit_emit *e, const struct jit_ins *i,
	struct x64_mem m);

/* --- emit_ref.c ----------------------------------------------------------- */
bool jit_emit_ref(struct jit_emit *e, const struct jit_ins *i);

/* --- bulk.c ----------------------------------------------------------------
 */
void jit_stubs_bulk(struct wasm_jit *j, struct jit_asm *a, uint32_t out);
bool jit_emit_bulk(struct jit_emit *e, const struct jit_ins *i);

/* --- stubs.c ---------------------------------------------------------------
 */
/* Calls bool func(x, rsi, rdx, rcx) of the host's, then returns; false: the
 * call is halted. */
void jit_stub_host(struct jit_asm *a, uint64_t func, uint32_t out);

/* --- emit_tail.c ---------------------------------------------------------- */
void jit_emit_tail(struct jit_emit *e, const struct jit_ins *i);
void jit_emit_tail_far(struct jit_emit *e, const struct jit_far *s);

/* --- sites.c ---------------------------------------------------------------
 */
/* A call returns here: what the collector and exceptions want to know of it.
 * Its number; again: the same call's other way. */
bool jit_sites_begin(struct jit_emit *e);
uint32_t jit_site(struct jit_emit *e);
void jit_site_again(struct jit_emit *e, uint32_t site);
/* For all who ask: before the code is where it goes to. */
bool jit_sites_publish(struct jit_emit *e);

/* --- emit_call.c
 * ----------------------------------------------------------------- */
bool jit_emit_call(struct jit_emit *e, const struct jit_ins *i);
/* Arguments to where the callee expects them, those on the stack from
 * [rsp + where] on; `index` goes to rax. */
void jit_emit_args(struct jit_emit *e, const struct jit_ins *i,
	const struct wasm_typedef *t, uint32_t index, int64_t where);
/* Points the call or jump at `at` to a function of the instance. */
void jit_go_code(struct jit_emit *e, struct wasm_func *to, uint32_t at);
/* rax, an index of the table, becomes the function there. */
void jit_find_callee(struct jit_emit *e, const struct jit_ins *i);
/* A jump that is taken when the function in rax is another instance's, or of
 * another type. */
uint32_t jit_other_type(struct jit_emit *e, const struct jit_ins *i);
uint32_t jit_other_instance(struct jit_emit *e);
/* A value to memory that is nobody's place; whole slots, so that what is above
 * an f32 is zero. */
void jit_put_slot(struct jit_emit *e, uint32_t v, struct x64_mem to);
void jit_emit_entry(struct jit_emit *e);
void jit_emit_return(struct jit_emit *e, const struct jit_ins *i);
void jit_emit_signature_far(struct jit_emit *e, const struct jit_far *s);
struct jit_abi {
	uint32_t general, vector, stack;
};
/* Where the next argument goes: a register, or LOC_STACK with *offset. */
uint32_t jit_abi_next(struct jit_abi *a, uint32_t wasm_type, uint32_t *offset);
void jit_call_stub(struct jit_emit *e, uint32_t stub);

#endif
