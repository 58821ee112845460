/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function while it is compiled: blocks of instructions in static single
 * assignment form, made from register code (which is validated already, has
 * its jump targets and is in an order where only loops jump backwards).
 * An instruction's number is its value's name.  Number 0 is nothing.
 * Whatever fails, memory or a limit, sticks in `failed`: the function is then
 * left to the interpreter.
 */
#ifndef WASM_JIT_IR_PRIV_H
#define WASM_JIT_IR_PRIV_H

#include "wasm/interp/ops_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/store_priv.h"

/* ANY32 and ANY: bits whose register class shows only by their use. */
enum jit_type {
	JT_NONE,
	JT_I32,
	JT_I64,
	JT_F32,
	JT_F64,
	JT_V128,
	JT_ANY32,
	JT_ANY,
	/* An operand whose 64 bits are used, of any class: zeros are above
	 * what is narrower. */
	JT_WIDE,
	/* In jit_operand_types only: the instruction's type; its `in`; a
	 * vector instruction's `spare`; what a store stores; a global's type,
	 * but of any class; what J_PUT stores; who is called by J_TAIL. */
	JT_OWN,
	JT_IN,
	JT_SECOND,
	JT_STORED,
	JT_WHOLE,
	JT_PUT,
	JT_CALLEE,
};

static inline bool jit_is_float(uint32_t type)
{
	return type >= JT_F32 && type <= JT_V128;
}

static inline bool jit_is_wide(uint32_t type)
{
	return type == JT_I64 || type == JT_F64;
}

enum jit_op {
	J_NOP,
	J_K,	/* imm */
	J_K128, /* imm the lower half, a and b the upper one */
	J_PARAM,
	J_PHI, /* args: one for each edge into the block */
	/* The order of the interpreter's binary operations. */
	J_ADD,
	J_SUB,
	J_MUL,
	J_DIVS,
	J_DIVU,
	J_REMS,
	J_REMU,
	J_AND,
	J_OR,
	J_XOR,
	J_SHL,
	J_SAR,
	J_SHR,
	J_ROL,
	J_ROR,
	J_MULHU, /* the upper half of a * imm */
	J_ICMP,	 /* cc, in */
	J_FCMP,
	J_CLZ,
	J_CTZ,
	J_POPCNT,
	J_EXT8S,
	J_EXT16S,
	J_EXT32S,
	J_WRAP,
	J_FADD,
	J_FSUB,
	J_FMUL,
	J_FDIV,
	J_FMIN,
	J_FMAX,
	J_FCOPYSIGN,
	J_FABS,
	J_FNEG,
	J_FCEIL,
	J_FFLOOR,
	J_FTRUNC,
	J_FNEAREST,
	J_FSQRT,
	J_INT_TO_FLOAT, /* in, cc: unsigned */
	J_FLOAT_TO_INT, /* in, cc: CVT_UNSIGNED | CVT_SATURATE */
	J_FLOAT_TO_FLOAT,
	J_REINTERPRET, /* to the other class of registers */
	J_SELECT,      /* a ? b : c */
	J_VEC,	       /* cc: which of vec_priv.h */
	J_LOAD,	       /* cc: kind, a address, imm offset */
	J_STORE,       /* cc: kind, a address, b value, imm offset */
	J_GLOBAL_GET,  /* imm: address of the value */
	J_GLOBAL_SET,
	J_MEMORY_SIZE,
	J_POINTER, /* behind imm + spare bytes at a in memory c, which are there
		    * (cc: and aligned) */
	J_SLOT,	   /* to element a of table c, which is there */
	J_ELEM,	   /* from an array, which begins at a, to element b, less
		    * where elements begin; cc: log2 of their size */
	J_GET,	   /* what is imm behind pointer a; cc: kind */
	J_PUT,	   /* b to imm behind pointer a; cc: kind */
	J_CAUGHT,  /* of what was caught: imm bytes in; UINT64_MAX: itself */
	J_TYPE,	   /* the store's number of the type, imm bytes behind what
		    * reference a refers to; NO_SUPER: it refers to nothing */
	J_BELOW,   /* is type number a that of imm or of one below it? */
	J_CHECK,   /* traps (cc) unless a is not null */
	J_CALL,	   /* imm: the function; args */
	J_CALL_INDIRECT,
	J_CALL_REF,
	J_RESULT, /* cc: which one of call a */
	J_STEP,	  /* imm: words for the interpreter; args, then their slots;
		   * aux: how many slots there are */
	J_COPY,	  /* within the first memory: args to, from, count */
	J_FILL,	  /* args: where, what with, how much */
	/* Ends of blocks. */
	J_JUMP,
	J_BRANCH, /* a not zero: first edge, else the second */
	J_TABLE,  /* a: which edge of the table */
	J_RETURN, /* args */
	J_TAIL,	  /* as the calls (cc) */
	J_THROW,  /* as J_STEP */
	J_THROW_REF,
	J_TRAP, /* cc */
	J_OP_COUNT,
};

/* Conditions of float comparisons, in the order of the binary format. */
enum { FC_EQ, FC_NE, FC_LT, FC_GT, FC_LE, FC_GE, FC_NOT = 8 };
enum { CVT_UNSIGNED = 1, CVT_SATURATE = 2 };

/* Kinds of accesses. */
enum jit_access {
	ACC_32,
	ACC_64,
	ACC_S8_32,
	ACC_U8,
	ACC_S16_32,
	ACC_U16,
	ACC_S8_64,
	ACC_S16_64,
	ACC_S32_64,
	ACC_V128, /* vectors; the narrow ones with zeros above */
	ACC_V32,
	ACC_V64,
	ACC_STORE_32 = 0,
	ACC_STORE_64,
	ACC_STORE_8,
	ACC_STORE_16,
	ACC_STORE_V128,
	ACC_STORE_SLOT, /* all of it, cleared above a narrow value */
};
/* J_TAIL */
enum { TAIL_CALL, TAIL_INDIRECT, TAIL_REF };

enum {
	JF_FOLDED = 1,	/* no code of its own: part of its user */
	JF_CHECKED = 2, /* an access that is known to be within bounds */
	JF_WIDE = 4,	/* a 64-bit address */
	JF_LIVE = 8,
	JF_REF = 0x80, /* the collector looks for it where it may run */
};

struct jit_ins {
	uint8_t op, type, flags, cc;
	uint8_t in; /* type of the operands where it is not `type` */
	uint8_t reg_hint;
	uint16_t spare;	  /* accesses: bytes; vectors: type of b */
	uint32_t a, b, c; /* operands; with args: a, then first and count */
	uint32_t block;
	uint32_t aux;  /* calls: number of the type */
	uint32_t word; /* what it was made for */
	uint64_t imm;
	uint32_t prev, next;
	uint32_t uses;
	uint32_t pos;  /* its place in the order of emission */
	uint32_t ival; /* its first interval */
};

struct jit_edge {
	uint32_t from, to;
	uint32_t pred; /* its number among the edges into `to` */
	bool back;
	bool throws;	 /* to a handler */
	uint32_t call;	 /* of those: the instruction that throws */
	uint32_t *state; /* per variable live into `to`: its value */
	uint32_t moves, move_count;
	uint32_t code; /* of a table's edge: where its moves are; 0: none */
};

struct jit_block {
	uint32_t at;	      /* its first word */
	uint32_t end;	      /* the word after its last */
	uint32_t first, last; /* instructions */
	uint32_t succ, succ_count;
	uint32_t pred, pred_count; /* in f->preds: numbers of edges */
	uint32_t from, to;	   /* positions */
	uint32_t loop_end;	   /* of a loop's head: its last block */
	uint32_t loop;		   /* head of the innermost loop; 0: none */
	uint32_t depth;
	uint32_t idom, dom_depth;
	uint32_t joined; /* the last join whose dominator was looked for here */
	uint32_t *live;	 /* the variables live into it */
	uint32_t *phis;	 /* and their phis, where they have one */
	uint32_t live_count;
	uint32_t label;	  /* offset of its code */
	uint32_t handler; /* a landing: of which handler, + 1 */
	bool reached;
	bool is_head;
};

struct jit_fn {
	struct wasm_jit *jit;
	struct wasm_instance *inst;
	const struct wasm_module *m;
	const struct wasm_typedef *type;
	struct wasm_func *func;
	const union wasm_word *header, *code; /* code: m->code */
	uint32_t first_word, end_word;
	struct jit_arena arena;
	enum jit_reason failed; /* why it is left to the interpreter */
	uint64_t work, max_work;

	struct jit_ins *ins;
	uint32_t ins_count, ins_cap;
	uint32_t *args; /* operand lists */
	uint32_t arg_count, arg_cap;
	struct jit_block *blocks;
	uint32_t block_count, block_cap;
	struct jit_edge *edges;
	uint32_t edge_count, edge_cap;
	uint32_t *preds, *pred_from; /* and the blocks that they come from */
	uint16_t *ops;		     /* word - first_word -> its operation */
	uint32_t *block_of; /* word - first_word -> block, where one begins */
	uint32_t first_handler,
		end_handler; /* of the function, in the module */
	uint32_t *landing;   /* handler - first_handler -> block */
	uint32_t *around;    /* the same -> the handler to look at next */

	/* Variables: slot s as a number is s, as a vector slots + s. */
	uint32_t slots, vars;
	uint32_t const_from, const_to; /* slots that hold constants */
	uint32_t *dense;	       /* variable -> its number + 1 */
	uint32_t *var_of;	       /* and back */
	uint32_t dense_count, dense_cap;
	uint32_t bit_words;
	uint64_t *live_in, *kill; /* bits per block, by dense number */
	uint32_t *cur;		  /* variable -> value, here and now */
	void *scan;
	uint64_t lots; /* the generator's state; 0: nothing is drawn by lot */

	/* Building. */
	uint32_t block;	 /* the current one */
	uint32_t word;	 /* the same */
	uint32_t *table; /* value numbering: hashed */
	uint32_t table_mask, table_used;
	uint32_t *bounds; /* the same for what was checked: value -> check */
	uint32_t bounds_mask, bounds_used;
	uint64_t *phi_most;  /* while loops are looked at: value -> largest */
	uint64_t min_memory; /* bytes the first memory has for sure */
	bool loops;	     /* some edge leads back */
	bool calls;	     /* it calls something */
	uint32_t memory;     /* that the next access means */
	bool holds;	     /* references that the collector looks for */
	bool floats;	     /* something in it is not for general registers */
	bool lacking;	     /* the machine has not what it takes */

	/* Registers. */
	struct jit_ival *ivals;
	uint32_t ival_count, ival_cap;
	struct jit_alloc *alloc;
	struct jit_move *moves;
	uint32_t move_count, move_cap;
	uint32_t inner_moves; /* the first that is not along an edge */
	uint32_t spill_bytes, out_bytes, frame;
};

/* --- arena.c ------------------------------------------------------------ */
/* Zeroed; NULL sets f->failed. */
void *jit_alloc(struct jit_fn *f, size_t count, size_t size);
/* Room for `need` elements in a growing array at *(void **)where, which begins
 * as NULL with *cap 0; what is new is not cleared.  False sets f->failed. */
MUST_USE bool jit_grow(struct jit_fn *f, void *where, uint32_t *cap,
	uint64_t need, size_t size);
#define jit_fit(f, ptr, cap, need)                                         \
	((uint64_t)(need) <= (cap) ? true :                                \
				     jit_grow((f), (void *)&(ptr), &(cap), \
					     (need), sizeof *(ptr)))
/* Counts work against the limit. */
bool jit_work(struct jit_fn *f, uint64_t n);

/* --- reasons.c ------------------------------------------------------------ */
/* The function is left to the interpreter, for the first reason that is told.
 */
bool jit_fail(struct jit_fn *f, enum jit_reason why);
/* An error of the compiler's own: ends the program where it checks itself. */
bool jit_bug(struct jit_fn *f, const char *what);

/* --- decode.c ----------------------------------------------------------- */
enum {
	R_A = 1,
	R_B = 2,
	R_C = 4,
	R_D = 8, /* a of the last word */
	R_A2 = 0x10,
	R_B2 = 0x20,
	R_C2 = 0x40,
	R_D2 = 0x80,
	W_A = 0x100,
	W_A2 = 0x200,
	IS_STEP = 0x400, /* left to the interpreter's operation */
	IS_END = 0x800,
	IS_OTHER = 0x1000, /* operands by its kind */
};
struct jit_shape {
	uint8_t words; /* but for a table's entries; 0: unknown */
	uint16_t bits;
};
extern const struct jit_shape jit_shapes[WASM_OP_COUNT];
extern const uint16_t jit_firsts[WASM_OP_COUNT]; /* of pairs; else 0 */

/* The operation of a word, with pairs taken apart. */
static inline uint32_t jit_decode(const union wasm_word *w)
{
	return jit_firsts[w->op] ? jit_firsts[w->op] : w->op;
}
/* The same, found once. */
static inline uint32_t jit_op_at(const struct jit_fn *f, uint32_t word)
{
	return f->ops[word - f->first_word];
}
/* Words of that operation at w; 0: unknown. */
static inline uint32_t jit_word_count(const union wasm_word *w, uint32_t op)
{
	uint32_t n = jit_shapes[op].words;
	return op == OP_br_table ? n + w->high + 1 : n;
}
static inline uint32_t jit_word_shape(uint32_t op)
{
	return jit_shapes[op].bits;
}

/* The variable that the instruction makes; NO_VAR: none, or those of a call. */
#define NO_VAR UINT32_MAX
uint32_t jit_word_result(const struct jit_fn *f, const union wasm_word *w,
	uint32_t op);
/* Calls `ref` for each variable that the instruction reads, then writes. */
void jit_word_refs(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	void (*ref)(struct jit_fn *f, uint32_t var, bool write));
/* The type of the function that a call instruction calls. */
const struct wasm_typedef *jit_call_type(struct jit_fn *f,
	const union wasm_word *w, uint32_t op);
static inline uint32_t jit_var(const struct jit_fn *f, uint32_t slot,
	uint32_t type)
{
	return type == T_V128 ? f->slots + slot : slot;
}

/* --- operands.c ------------------------------------------------------------
 */
/* Where an instruction names a variable that it reads. */
enum jit_role {
	ROLE_A, /* a, b, c of the first word */
	ROLE_B,
	ROLE_C,
	ROLE_LAST,   /* a of the last word */
	ROLE_SECOND, /* a of the second word */
	ROLE_HIGH,   /* the upper half of the second word */
	ROLE_LIST,   /* one after the other from there on */
};
struct jit_oper {
	uint32_t var;
	uint8_t role, slots;
};
/* What an instruction reads: `few`, or memory of the arena; NULL: none. */
enum { JIT_OPERS = 8 };
const struct jit_oper *jit_opers(struct jit_fn *f, const union wasm_word *w,
	uint32_t op, struct jit_oper few[JIT_OPERS], uint32_t *count);

/* --- flow.c: blocks, edges, loops, liveness of variables ------------------ */
bool jit_flow(struct jit_fn *f);

/* --- handlers.c: exceptions ------------------------------------------------
 */
/* Finds the function's handlers. */
bool jit_handlers(struct jit_fn *f);
/* The innermost handler for what is thrown at a word, then the one around it;
 * end_handler: there is none. */
uint32_t jit_handler_for(struct jit_fn *f, uint32_t word, uint32_t *depth);
uint32_t jit_handler_around(struct jit_fn *f, uint32_t word, uint32_t h,
	uint32_t *depth);
/* May the instruction throw to a handler of this function's?  is_caught: of
 * one that has some. */
bool jit_is_caught(struct jit_fn *f, const union wasm_word *w, uint32_t op);
static inline bool jit_throws_here(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	return f->first_handler < f->end_handler && jit_is_caught(f, w, op);
}
/* The word that tells which handlers an instruction has. */
uint32_t jit_throw_word(const struct jit_fn *f, const union wasm_word *w,
	uint32_t op);
/* How many handlers begin at a word: each has a block of its own before. */
uint32_t jit_landings_at(struct jit_fn *f, uint32_t word, uint32_t block);
/* The variables that a landing writes. */
void jit_landing_refs(struct jit_fn *f, uint32_t b,
	void (*ref)(struct jit_fn *f, uint32_t var, bool write));
void jit_build_landing(struct jit_fn *f, uint32_t b);

/* --- build.c ------------------------------------------------------------- */
bool jit_build(struct jit_fn *f);

/* --- ssa.c: making instructions ------------------------------------------- */
/* A new instruction at the end of the current block. */
uint32_t jit_add(struct jit_fn *f, const struct jit_ins *i);
/* Before or after another one. */
void jit_insert_before(struct jit_fn *f, uint32_t at, uint32_t i);
uint32_t jit_new(struct jit_fn *f, const struct jit_ins *i);
void jit_remove(struct jit_fn *f, uint32_t i);
/* As jit_add for what has no effect: an equal one that dominates is taken,
 * constants are folded, to which *i may change. */
uint32_t jit_pure(struct jit_fn *f, struct jit_ins *i);
uint32_t jit_const(struct jit_fn *f, uint64_t v);
static inline bool jit_is_const(const struct jit_fn *f, uint32_t v, uint64_t *k)
{
	*k = f->ins[v].imm;
	return f->ins[v].op == J_K;
}
bool jit_dominates(const struct jit_fn *f, uint32_t a, uint32_t b);
/* Room in the operand lists. */
uint32_t jit_args(struct jit_fn *f, uint32_t n);
/* Is [v+0, v+n) known to be within memory?  Remembers that it is from now. */
bool jit_known_bound(struct jit_fn *f, uint32_t v, uint64_t n);
/* The largest number that the value can be. */
uint64_t jit_most(const struct jit_fn *f, uint32_t v, int depth);

/* --- range.c: what loops tell about addresses -------------------------------
 */
bool jit_ranges(struct jit_fn *f);

/* --- fold.c ----------------------------------------------------------------
 */
/* Another value for it, or 0; may change the instruction. */
uint32_t jit_fold(struct jit_fn *f, struct jit_ins *i);
/* A comparison's condition when its operands are exchanged. */
uint8_t jit_mirrored(uint8_t cc);

/* --- types.c: register classes, dead code, folding into users ---------------
 */
bool jit_finish(struct jit_fn *f);
/* What type operand n (0 a, 1 b, 2 c) has to have; JT_NONE: there is none,
 * JT_ANY: any. */
extern const uint8_t jit_operand_types[J_OP_COUNT][3];
static inline uint32_t jit_operand_type(const struct jit_ins *i, int n)
{
	uint32_t type = jit_operand_types[i->op][n];
	switch (type) {
	case JT_OWN:
		return i->type;
	case JT_IN:
		return i->in;
	case JT_SECOND:
		return i->spare;
	case JT_PUT:
		if (i->cc == ACC_STORE_SLOT)
			return i->in == JT_V128 ? JT_V128 : JT_ANY;
		FALLTHROUGH;
	case JT_STORED:
		return i->cc == ACC_STORE_V128 ? JT_V128 :
			i->cc == ACC_STORE_64  ? JT_WIDE :
			i->cc == ACC_STORE_32  ? JT_ANY :
						 JT_I32;
	case JT_WHOLE:
		return i->in == JT_V128			   ? JT_V128 :
			i->in == JT_I32 || i->in == JT_F32 ? JT_ANY :
							     JT_WIDE;
	case JT_CALLEE:
		return i->cc == TAIL_CALL ? JT_NONE : JT_I64;
	default:
		return type;
	}
}
/* What holds a value of a wasm type. */
uint32_t jit_type_of(uint32_t wasm_type);
/* The same for operand k of a list. */
uint32_t jit_arg_type(const struct jit_fn *f, const struct jit_ins *i,
	uint32_t k);
/* What is so of all instructions of a kind. */
enum {
	JB_ARGS = 1,   /* reads a list of operands */
	JB_EFFECT = 2, /* changes something, or where the run goes on */
	JB_TRAPS = 4,  /* may trap, and has no other effect */
	JB_CALLS = 8,  /* no register survives it */
	JB_TAKES = 16, /* may take rax, rcx or rdx */
};
extern const uint8_t jit_op_bits[J_OP_COUNT];
static inline bool jit_has_args(uint32_t op)
{
	return jit_op_bits[op] & JB_ARGS;
}
static inline bool jit_has_effect(const struct jit_ins *i)
{
	return jit_op_bits[i->op] & JB_EFFECT;
}
/* One of JB_TRAPS. */
bool jit_traps(const struct jit_fn *f, const struct jit_ins *i);
static inline bool jit_may_trap(const struct jit_fn *f, const struct jit_ins *i)
{
	return jit_op_bits[i->op] & JB_TRAPS && jit_traps(f, i);
}
/* A constant that an instruction can hold, for an operation of that type? */
bool jit_fits32(const struct jit_fn *f, uint32_t v, uint32_t type);

/* --- fuse.c: loads as operands ---------------------------------------------
 */
bool jit_fuse(struct jit_fn *f);

/* --- dump.c ----------------------------------------------------------------
 */
/* To who watches, if anybody. */
void jit_dump_line(const struct jit_fn *f, const char *text);
void jit_dump_ssa(const struct jit_fn *f);
/* With the machine code of each instruction. */
struct jit_emit;
void jit_dump_asm(const struct jit_fn *f, const struct jit_emit *e);
/* Where along an edge values are when it is taken. */
static inline uint32_t jit_edge_pos(const struct jit_fn *f,
	const struct jit_edge *e)
{
	return e->call ? f->ins[e->call].pos + 1 : f->blocks[e->from].to - 1;
}

/* --- stress.c ----------------------------------------------------------------
 */
/* False: the function is left to the interpreter. */
bool jit_stress_begin(struct jit_fn *f);
void jit_stress_place(struct jit_fn *f);
void jit_stress_features(struct wasm_jit *j);
bool jit_stress_interval(struct jit_fn *f, uint32_t n);
/* One of n, and one time of n; 0 and never when nothing is drawn by lot. */
uint32_t jit_lot(struct jit_fn *f, uint32_t n);
bool jit_chance(struct jit_fn *f, uint32_t n);

/* --- verify_ssa.c -----------------------------------------------------------
 */
/* `typed`: after jit_finish.  False: the text says what is wrong, or memory
 * was short (f->failed). */
bool jit_verify_ssa(struct jit_fn *f, bool typed, char *text, size_t size);

/* --- verify.c: the allocator's work ------------------------------------------
 */
bool jit_verify(struct jit_fn *f);

#endif
