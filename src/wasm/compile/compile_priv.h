/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation and rewriting to register code, in one pass over a body.
 *
 * The operand stack of WebAssembly exists while compiling only.  An entry is
 * either in its slot (each entry has one, by its height), or still a local's
 * value, or a constant: local.get and const emit nothing, and whoever uses an
 * entry names the slot it is really in.  Where control flow meets, entries
 * must be in their slots, and a local that is about to be written is copied
 * out first for the entries that still mean its old value.
 */
#ifndef WASM_COMPILE_COMPILE_PRIV_H
#define WASM_COMPILE_COMPILE_PRIV_H

#include "wasm/interp/ops_priv.h"
#include "wasm/module_priv.h"

enum { IN_SLOT, IN_LOCAL, IN_CONST };

struct wasm_val {
	uint32_t type;
	uint16_t slot; /* its place on the operand stack */
	uint8_t kind;
	uint64_t v; /* IN_LOCAL: number of the local; IN_CONST: the bits */
};

struct wasm_local {
	uint32_t type;
	uint32_t aliases; /* entries that are still this local */
	uint16_t slot;
	bool set; /* false: may not be read yet (non-nullable reference) */
};

enum wasm_ctl_kind {
	CTL_FUNC,
	CTL_BLOCK,
	CTL_LOOP,
	CTL_IF,
	CTL_ELSE,
	CTL_TRY,
	CTL_CATCH,
	CTL_CATCH_ALL,
	CTL_TRY_TABLE,
};

#define NO_CODE UINT32_MAX

struct wasm_ctl {
	uint8_t kind;
	bool unreachable; /* the rest of the block can't be reached */
	bool dead;	  /* nor could its beginning: no code is made */
	uint32_t height;  /* entries below the parameters */
	uint32_t base;	  /* slot of the first parameter or result */
	/* Parameters and results: in the pool, or the one type `single`. */
	uint32_t param_count, result_count;
	uint32_t param_first, result_first;
	uint32_t single;
	uint32_t loop_at;    /* CTL_LOOP: where to jump */
	uint32_t patches;    /* jumps to the end, linked; NO_CODE: none */
	uint32_t else_patch; /* CTL_IF: the jump over it */
	uint32_t set_height; /* locals set before, see wasm_local.set */
	/* CTL_TRY and later: the words it covers.  A legacy try has a slot
	 * below `base` for the exception. */
	uint32_t try_from, try_to;
	const uint8_t *catches; /* CTL_TRY_TABLE: its list, in the input */
};

/* An entry that is a reference. */
struct wasm_ref {
	uint32_t val;  /* its number */
	uint32_t live; /* the list of it and those below */
	bool made;     /* there is such a list */
};

/* What loads and stores say of their address. */
struct wasm_memarg {
	uint32_t memory, align;
	uint64_t offset;
	bool is64;
};

enum { MAX_CONSTS = 16 };

struct wasm_compiler {
	struct wasm_module *m;
	struct wasm_cursor in;
	struct err *err;
	bool places; /* are noted */
	bool failed;
	bool const_only; /* a constant expression */
	uint32_t func;	 /* for texts */

	const struct wasm_typedef *type;
	struct wasm_local *locals;
	uint32_t local_count, local_cap;
	struct wasm_val *vals;
	uint32_t val_count, val_cap; /* room for max_slot - stack_base */
	uint32_t top;		     /* slot that the next one gets */
	struct wasm_ref *refs;	     /* the references among them */
	uint32_t ref_count, ref_cap;
	struct wasm_ctl *ctls;
	uint32_t ctl_count, ctl_cap;
	uint32_t *sets; /* locals set, in order, to be undone at block ends */
	uint32_t set_count, set_cap;
	/* Calls whose targets are to be filled in. */
	uint32_t *calls;
	uint32_t call_count, call_cap;

	bool dead;	/* of the innermost block, including unreachable */
	uint32_t floor; /* its height: what is below is not to be popped */
	uint32_t aliases;
	uint32_t loops;		/* enclosing */
	uint32_t header;	/* word of the function's header */
	struct wasm_memarg arg; /* of the instruction at hand */
	uint32_t local_slots;
	uint32_t stack_base;  /* slot of the first operand */
	bool keeps_locals;    /* some are references to objects */
	bool holds;	      /* so is something, somewhere in the function */
	uint32_t live_locals; /* their list, when it was made */
	uint32_t max_slot;
	uint64_t consts[MAX_CONSTS];
	uint32_t const_count, const_room;
	/* The instruction that made the value on top, while nothing else was
	 * emitted and no label placed after it. */
	uint32_t last;
	/* Where the newest instruction begins, and the one before it, while
	 * no label was placed after them; NO_CODE: can't be part of a pair. */
	uint32_t tail, tail_before;
};

/* --- texts ------------------------------------------------------------- */
void wasm_compile_fail(struct wasm_compiler *c, const char *why);
void wasm_compile_limit(struct wasm_compiler *c, const char *why);

/* --- stack.c: the operand stack and code ------------------------------- */
/* One word; not the first one of an instruction. */
uint32_t wasm_emit(struct wasm_compiler *c, union wasm_word w);
/* Room for one word more. */
bool wasm_more_code(struct wasm_compiler *c);
/* fuse.c: makes a pair of an instruction and the one that follows it (and
 * whose operands may be exchanged for that). */
bool wasm_fuse(union wasm_word first[2]);

/* The first word of an instruction. */
static inline uint32_t wasm_emit_first(struct wasm_compiler *c,
	union wasm_word w)
{
	struct wasm_module *m = c->m;
	if (c->dead || c->failed)
		return 0;
	if (m->code_count == m->code_cap && !wasm_more_code(c))
		return 0;
	uint32_t at = m->code_count++;
	m->code[at] = w;
	bool paired = c->tail + 1 == at && wasm_fuse(&m->code[at - 1]);
	c->tail_before = paired ? NO_CODE : c->tail;
	c->tail = paired ? NO_CODE : at;
	c->last = NO_CODE;
	return at;
}

static inline uint32_t wasm_emit_op(struct wasm_compiler *c, uint32_t op,
	uint32_t a, uint32_t b, uint32_t cc)
{
	return wasm_emit_first(c,
		(union wasm_word){ .low = op | a << 16, .high = b | cc << 16 });
}

/* op, a, and a 32-bit number. */
static inline uint32_t wasm_emit_wide(struct wasm_compiler *c, uint32_t op,
	uint32_t a, uint32_t high)
{
	return wasm_emit_first(c,
		(union wasm_word){ .low = op | a << 16, .high = high });
}

void wasm_emit_pair(struct wasm_compiler *c, uint32_t low, uint32_t high);
void wasm_emit_u64(struct wasm_compiler *c, uint64_t v);
/* From here on jumps may come in. */
static inline void wasm_emit_label(struct wasm_compiler *c)
{
	c->last = c->tail = c->tail_before = NO_CODE;
}

/* Remembers that the instruction at `at` makes the value on top. */
static inline void wasm_emit_result(struct wasm_compiler *c, uint32_t at)
{
	c->last = c->dead ? NO_CODE : at;
}

static inline uint32_t wasm_top_slot(const struct wasm_compiler *c)
{
	return c->top;
}

/* live.c: an entry that is a reference is about to come, has gone. */
void wasm_ref_pushed(struct wasm_compiler *c, uint32_t type);

static inline void wasm_ref_popped(struct wasm_compiler *c)
{
	while (c->ref_count && c->refs[c->ref_count - 1].val >= c->val_count)
		c->ref_count--;
}

/* Forgets the entries above, which are not locals any more. */
static inline void wasm_cut(struct wasm_compiler *c, uint32_t count)
{
	if (count < c->val_count)
		c->top = c->vals[count].slot;
	c->val_count = count;
	wasm_ref_popped(c);
}

/* Pushing makes room first, when there is none. */
bool wasm_push_room(struct wasm_compiler *c, uint32_t end);

static inline void wasm_push_val(struct wasm_compiler *c, struct wasm_val v,
	uint32_t type)
{
	uint32_t slot = c->top, end = slot + t_slots(type);
	if (end > c->max_slot && !wasm_push_room(c, end))
		return;
	v.type = type;
	v.slot = (uint16_t)slot;
	c->top = end;
	if (t_is_ref(type))
		wasm_ref_pushed(c, type);
	c->vals[c->val_count++] = v;
	if (v.kind == IN_LOCAL) {
		c->aliases++;
		c->locals[v.v].aliases++;
	}
}

/* Pushes an entry that is (going to be) in its slot, which is returned. */
static inline uint32_t wasm_push(struct wasm_compiler *c, uint32_t type)
{
	uint32_t slot = wasm_top_slot(c);
	wasm_push_val(c, (struct wasm_val){ .kind = IN_SLOT }, type);
	return slot;
}

static inline void wasm_push_const(struct wasm_compiler *c, uint32_t type,
	uint64_t v)
{
	wasm_push_val(c, (struct wasm_val){ .kind = IN_CONST, .v = v }, type);
}

static inline void wasm_push_local(struct wasm_compiler *c, uint32_t local)
{
	wasm_push_val(c, (struct wasm_val){ .kind = IN_LOCAL, .v = local },
		c->locals[local].type);
}

static inline void wasm_unalias(struct wasm_compiler *c,
	const struct wasm_val *v)
{
	if (v->kind == IN_LOCAL) {
		c->aliases--;
		c->locals[v->v].aliases--;
	}
}

/* Pops an entry of a subtype of `type`, of any type, of a reference type. */
struct wasm_val wasm_pop_other(struct wasm_compiler *c, uint32_t type);

static inline struct wasm_val wasm_pop(struct wasm_compiler *c, uint32_t type)
{
	if (c->val_count == c->floor || c->vals[c->val_count - 1].type != type)
		return wasm_pop_other(c, type);
	struct wasm_val v = c->vals[--c->val_count];
	c->top = v.slot;
	if (t_is_ref(type))
		wasm_ref_popped(c);
	wasm_unalias(c, &v);
	return v;
}

struct wasm_val wasm_pop_any(struct wasm_compiler *c);
struct wasm_val wasm_pop_ref(struct wasm_compiler *c);
/* The slot to read a popped constant from; emits what it takes. */
uint32_t wasm_use_const(struct wasm_compiler *c, uint32_t slot, uint32_t type,
	uint64_t v);
/* The same for any popped entry. */
static inline uint32_t wasm_use(struct wasm_compiler *c,
	const struct wasm_val *v)
{
	if (v->kind == IN_LOCAL)
		return c->locals[v->v].slot;
	if (v->kind == IN_CONST)
		return wasm_use_const(c, v->slot, v->type, v->v);
	return v->slot;
}

/* Moves a popped entry to a slot. */
void wasm_move(struct wasm_compiler *c, const struct wasm_val *v, uint32_t to);
/* Puts the entry with that number into its slot. */
void wasm_flush(struct wasm_compiler *c, uint32_t i);
/* All entries that are still locals; those of one local. */
void wasm_flush_aliases(struct wasm_compiler *c);
static inline void wasm_flush_locals(struct wasm_compiler *c)
{
	if (c->aliases)
		wasm_flush_aliases(c);
}

void wasm_flush_local(struct wasm_compiler *c, uint32_t local);
/* The top n entries. */
void wasm_flush_some(struct wasm_compiler *c, uint32_t n);
static inline void wasm_flush_top(struct wasm_compiler *c, uint32_t n)
{
	if (n)
		wasm_flush_some(c, n);
}

static inline bool wasm_is_const(const struct wasm_val *v)
{
	return v->kind == IN_CONST;
}

/* Fits the 16-bit constant of an instruction? */
static inline bool wasm_small(const struct wasm_val *v)
{
	int64_t k = v->type == T_I32 ? (int32_t)(uint32_t)v->v : (int64_t)v->v;
	return v->kind == IN_CONST && k >= INT16_MIN && k <= INT16_MAX;
}

static inline uint32_t wasm_imm(const struct wasm_val *v)
{
	return (uint16_t)v->v;
}

/* --- live.c: what the collector has to know ---------------------------- */
/* The references on the stack and in locals, as a list in module->live.  They
 * are in their slots afterwards. */
uint32_t wasm_live_refs(struct wasm_compiler *c);
/* At the end of a function: `last` is its last instruction.  One that has
 * references to objects has a point, if nowhere else there, an empty one. */
void wasm_close_points(struct wasm_compiler *c, uint32_t last);
/* The word is a place where the collector may run, with that list. */
void wasm_add_point(struct wasm_compiler *c, uint32_t word, uint32_t live);

/* --- control.c --------------------------------------------------------- */
struct wasm_ctl *wasm_ctl_at(struct wasm_compiler *c, uint32_t depth);
void wasm_unreachable(struct wasm_compiler *c);
void wasm_compile_control(struct wasm_compiler *c, uint32_t op);
void wasm_compile_block(struct wasm_compiler *c, uint32_t op);
void wasm_compile_end(struct wasm_compiler *c, uint32_t op);
void wasm_compile_br_if(struct wasm_compiler *c, uint32_t op);
void wasm_compile_br_null(struct wasm_compiler *c, bool on_null);
/* A conditional branch (br_nz and the like) on register a. */
void wasm_branch_on(struct wasm_compiler *c, uint32_t depth, uint32_t op,
	uint32_t a);
/* Opens the outermost block. */
void wasm_compile_open(struct wasm_compiler *c);
static inline const uint32_t *wasm_params(const struct wasm_compiler *c,
	const struct wasm_ctl *k)
{
	return c->m->pool + k->param_first;
}

static inline const uint32_t *wasm_results(const struct wasm_compiler *c,
	const struct wasm_ctl *k)
{
	return k->single ? &k->single : c->m->pool + k->result_first;
}

/* What a jump to its label takes. */
static inline const uint32_t *wasm_label_types(const struct wasm_compiler *c,
	const struct wasm_ctl *k, uint32_t *n)
{
	bool loop = k->kind == CTL_LOOP;
	*n = loop ? k->param_count : k->result_count;
	return loop ? wasm_params(c, k) : wasm_results(c, k);
}

void wasm_pop_types(struct wasm_compiler *c, const uint32_t *t, uint32_t n);
void wasm_push_types(struct wasm_compiler *c, const uint32_t *t, uint32_t n);
/* Jumps to a label with the values on top, which stay on the stack. */
void wasm_branch(struct wasm_compiler *c, uint32_t depth);
/* Blocks that the other groups begin and end. */
void wasm_begin_block(struct wasm_compiler *c, uint8_t kind);
void wasm_check_end(struct wasm_compiler *c, struct wasm_ctl *k);
void wasm_next_part(struct wasm_compiler *c, struct wasm_ctl *k);
/*
 * Checks that the label's values are on top; they stay.  With `take` they
 * have the label's types afterwards.
 */
void wasm_check_values(struct wasm_compiler *c, const uint32_t *t, uint32_t n,
	bool take);
static inline void wasm_check_top(struct wasm_compiler *c, struct wasm_ctl *k,
	bool take)
{
	uint32_t n;
	const uint32_t *t = wasm_label_types(c, k, &n);
	if (n)
		wasm_check_values(c, t, n, take);
}

void wasm_end_block(struct wasm_compiler *c);
/* Emits the jump part alone: op with a, to the label. */
void wasm_jump_to(struct wasm_compiler *c, struct wasm_ctl *k, uint32_t word);

/* --- exception.c -------------------------------------------------------- */
void wasm_compile_exception(struct wasm_compiler *c, uint32_t op);
/* Reads the list of a try_table that is about to begin. */
const uint8_t *wasm_read_catches(struct wasm_compiler *c);
/* The code for its exceptions, when the block itself is closed. */
void wasm_emit_catches(struct wasm_compiler *c, const struct wasm_ctl *k);

/* --- memory.c ---------------------------------------------------------- */
bool wasm_read_any_memarg(struct wasm_compiler *c, uint32_t align,
	struct wasm_memarg *out);
/* Most are two small numbers, of memory 0. */
static inline bool wasm_read_memarg(struct wasm_compiler *c, uint32_t align,
	struct wasm_memarg *out)
{
	struct wasm_cursor *in = &c->in;
	const struct wasm_module *m = c->m;
	if (wasm_cursor_left(in) < 2 || in->at[0] > align ||
		in->at[1] >= 0x80 || !m->memory_count)
		return wasm_read_any_memarg(c, align, out);
	*out = (struct wasm_memarg){ .align = in->at[0],
		.offset = in->at[1],
		.is64 = m->memories[0].range.is64 };
	in->at += 2;
	return !c->failed;
}

void wasm_enter_memory(struct wasm_compiler *c, const struct wasm_memarg *g);
void wasm_leave_memory(struct wasm_compiler *c, const struct wasm_memarg *g);
uint32_t wasm_emit_access(struct wasm_compiler *c, uint32_t op, uint32_t a,
	uint32_t b, const struct wasm_memarg *g);
uint32_t wasm_address_type(const struct wasm_range *r);
/* Pops operands of types tc, tb, ta; the pair follows the operation. */
void wasm_emit_three(struct wasm_compiler *c, uint32_t op, uint32_t ta,
	uint32_t tb, uint32_t tc, uint32_t low, uint32_t high);

/* --- numeric.c ------------------------------------------------------------ */
/* The arithmetic emitted last left its result in that slot: when the module
 * wants it so, all NaNs become one. */
void wasm_canonical(struct wasm_compiler *c, uint32_t op, uint32_t slot);

/* --- the other groups of instructions ---------------------------------- */
void wasm_compile_const(struct wasm_compiler *c, uint32_t op);
void wasm_compile_i32_compare(struct wasm_compiler *c, uint32_t op);
void wasm_compile_i64_compare(struct wasm_compiler *c, uint32_t op);
void wasm_compile_i32_binary(struct wasm_compiler *c, uint32_t op);
void wasm_compile_i64_binary(struct wasm_compiler *c, uint32_t op);
void wasm_compile_numeric(struct wasm_compiler *c, uint32_t op);
void wasm_compile_load(struct wasm_compiler *c, uint32_t op);
void wasm_compile_store(struct wasm_compiler *c, uint32_t op);
void wasm_compile_local_get(struct wasm_compiler *c, uint32_t op);
void wasm_compile_local_set(struct wasm_compiler *c, uint32_t op);
void wasm_compile_local_tee(struct wasm_compiler *c, uint32_t op);
void wasm_compile_memory(struct wasm_compiler *c, uint32_t op);
void wasm_compile_variable(struct wasm_compiler *c, uint32_t op);
void wasm_compile_call(struct wasm_compiler *c, uint32_t op);
void wasm_compile_reference(struct wasm_compiler *c, uint32_t op);
void wasm_compile_simd(struct wasm_compiler *c);
void wasm_compile_atomic(struct wasm_compiler *c);
void wasm_compile_gc(struct wasm_compiler *c);
void wasm_compile_cast(struct wasm_compiler *c, uint32_t op);
/* 0xfc */
void wasm_compile_saturating(struct wasm_compiler *c, uint32_t op);
void wasm_compile_bulk_memory(struct wasm_compiler *c, uint32_t op);
void wasm_compile_bulk_table(struct wasm_compiler *c, uint32_t op);

/* --- compile.c --------------------------------------------------------- */
MUST_USE bool wasm_compile_body(struct wasm_compiler *c, uint32_t func,
	struct bytes body);
/* A constant expression of that type, from the cursor of the module. */
MUST_USE bool wasm_compile_expr(struct wasm_compiler *c, struct wasm_cursor *in,
	uint32_t type, struct wasm_expr *out);
/* Fills in the targets of the calls. */
void wasm_compile_link(struct wasm_compiler *c);
void wasm_compiler_fini(struct wasm_compiler *c);

#endif
