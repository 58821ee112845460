/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers: linear scan over intervals with holes that are split where they
 * have to move (Wimmer, Mössenböck 2005; Wimmer, Franz 2010).  An instruction
 * has an even position: it reads at that position, is done at the next one,
 * and what it makes begins there.
 */
#ifndef WASM_JIT_ALLOC_PRIV_H
#define WASM_JIT_ALLOC_PRIV_H

#include "wasm/jit/ir_priv.h"
#include "wasm/jit/x64_priv.h"

/* Where a value is: 0..15 general registers, 16..31 vector registers, the
 * stack, or a constant. */
enum {
	XMM0 = 16,
	LOC_STACK = 0x40,
	LOC_CONST = 0x41,
	LOC_NONE = 0xff,
	SCRATCH = R11,
	XSCRATCH = XMM0 + 15,
	XCYCLE = XMM0 + 14,
	NO_POS = UINT32_MAX,
};

enum {
	USE_MEM, /* anywhere will do */
	USE_ANY, /* better in a register */
	USE_REG,
};

struct jit_range {
	uint32_t from, to;
};

struct jit_use {
	uint32_t pos;
	uint8_t kind;
};

struct jit_ival {
	uint32_t v;
	uint32_t from, to;
	/* Ranges and uses, ascending: [r0, r1) cut to [from, to), [u0, u1). */
	uint32_t r0, r1, u0, u1;
	uint32_t next, prev; /* parts of the value after and before this one */
	uint8_t loc;
	uint8_t hint; /* LOC_NONE: none */
	bool vector;
	bool split; /* not the first part */
};

struct jit_opnd {
	uint32_t v;
	uint8_t kind;
	bool late; /* still needed when the result is written */
};

enum { MAX_OPNDS = 8 };

struct jit_heap {
	uint32_t *item, count, cap;
};

/* Where registers lose what is in them: positions, ascending; the first one
 * behind the beginning of the interval that is looked at. */
struct jit_losses {
	uint32_t *at, count, cap, next;
};

/* The ways into a block, which begins at `to`: the first and the last position
 * that one begins at. */
struct jit_ways {
	uint32_t to, low, high;
};

/* In the order in which they are tried. */
struct jit_regs {
	const uint8_t *reg;
	uint32_t count;
	uint32_t mask; /* the same as bits */
};

/* An interval in a hole of its, until `from`. */
struct jit_inactive {
	uint32_t n, from;
};

struct jit_alloc {
	struct jit_range *ranges; /* of each value together */
	struct jit_use *uses;
	uint32_t *order; /* the blocks that are emitted */
	uint32_t order_count;
	uint32_t *block_at;	   /* position / 2 -> place in `order` */
	struct jit_losses calls;   /* of all registers */
	struct jit_losses lost[3]; /* of rax, rcx, rdx */
	/* Whole values by where they begin: intervals 1 to queue_count. */
	uint32_t *queue, queue_at, queue_count;
	struct jit_heap todo; /* parts that were split off */
	/* Who has each register, and from where on to ask again. */
	uint32_t active[32], active_to[32];
	uint32_t active_mask;
	uint32_t wake; /* until then nothing changes here or in a hole */
	struct jit_inactive *inactive;
	uint32_t inactive_count, inactive_cap;
	uint32_t *pred_pos;    /* as f->preds: where values are then */
	struct jit_ways *ways; /* by the blocks' order */
	/* Per value: its place on the stack + 1, stored when it is made? */
	uint32_t *slots;
	uint8_t *eager;
	uint8_t *last_reg;	 /* the register that it had last, + 1 */
	uint32_t *last;		 /* part of the value that was asked for last */
	struct jit_regs regs[2]; /* that may be used: general, vectors */
};

struct jit_move {
	uint32_t pos;
	uint32_t v;    /* the value that moves, or the constant */
	uint32_t to_v; /* whose stack slot is meant by LOC_STACK in `to` */
	uint8_t from, to;
	uint8_t type;
};

/* --- live.c ----------------------------------------------------------------
 */
bool jit_number(struct jit_fn *f);
bool jit_intervals(struct jit_fn *f);
/* What the instruction reads, with what is folded into it. */
uint32_t jit_operands(const struct jit_fn *f, uint32_t n,
	struct jit_opnd out[MAX_OPNDS]);
/* Registers lost to it; UINT32_MAX: all. */
uint32_t jit_lost(const struct jit_fn *f, const struct jit_ins *i);
static inline bool jit_has_ival(const struct jit_ins *i)
{
	return i->op != J_K && i->op != J_K128 && i->type != JT_NONE;
}
/* A load that is done by who reads it. */
static inline bool jit_is_fused(const struct jit_ins *i)
{
	return i->op == J_LOAD && (i->flags & JF_FOLDED);
}
static inline bool jit_in_xmm(const struct jit_ins *i)
{
	return jit_is_float(i->type);
}
/* The place in `order` of the block that holds a position. */
static inline uint32_t jit_block_at(const struct jit_fn *f, uint32_t pos)
{
	return f->alloc->block_at[pos / 2];
}
/* The position after all. */
static inline uint32_t jit_end(const struct jit_fn *f)
{
	const struct jit_alloc *a = f->alloc;
	return f->blocks[a->order[a->order_count - 1]].to;
}
/* Is operand b of a vector instruction read after the result is begun? */
bool jit_vec_late(const struct jit_fn *f, const struct jit_ins *i);

/* --- scan.c ----------------------------------------------------------------
 */
bool jit_scan(struct jit_fn *f);
/* The first range of the interval that ends after pos. */
uint32_t jit_range_at(const struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos);
/* Cuts an interval that has no register yet; what is behind pos comes later. */
void jit_split_at(struct jit_fn *f, uint32_t n, uint32_t pos);
/* To the stack, until it has to be in a register; false: it has to be now. */
bool jit_spill_whole(struct jit_fn *f, uint32_t n);

/* --- resolve.c -------------------------------------------------------------
 */
bool jit_resolve(struct jit_fn *f);
uint32_t jit_loc_of_part(const struct jit_fn *f, uint32_t v, uint32_t pos);
/* Where a value is at a position. */
static inline uint32_t jit_loc(const struct jit_fn *f, uint32_t v, uint32_t pos)
{
	const struct jit_ins *i = &f->ins[v];
	if (i->op == J_K || i->op == J_K128)
		return LOC_CONST;
	const struct jit_ival *x = &f->ivals[i->ival];
	return x->next ? jit_loc_of_part(f, v, pos) : x->loc;
}

#endif
