/* SPDX-License-Identifier: Apache-2.0 */
/* What goes by pointers: tables, memories behind the first one, structs,
 * arrays, caught exceptions. */
#include "wasm/jit/emit_priv.h"

#include "wasm/object_priv.h"

#define MEMORY_FIELD(n) ((int64_t)offsetof(struct wasm_memory, n))
#define TABLE_FIELD(n)	((int64_t)offsetof(struct wasm_table, n))
#define OBJECT_FIELD(n) ((int64_t)offsetof(struct wasm_object, n))

/* Speculation past the comparison finds `field` instead. */
static void mask(struct jit_emit *e, uint32_t cc, uint32_t reg, int64_t field)
{
	if (e->j->mask)
		x64_rm(&e->a, X64(0, 1, 0x40 | cc), X64_W, reg,
			x64_at(REG_EXEC, field));
}

/* The address and `end` together in the register of the result. */
static void add_end(struct jit_emit *e, const struct jit_ins *i, uint32_t d,
	uint64_t end)
{
	bool wide = i->flags & JF_WIDE;
	uint32_t a = jit_place(e, i->a);
	if (a < XMM0 && !wide && end <= INT32_MAX) {
		x64_rm(&e->a, X_LEA, X64_W, d, x64_at(a, (int64_t)end));
		return;
	}
	jit_mov(e, d, i->a, wide);
	x64_mov_ri(&e->a, SCRATCH, end);
	x64_rr(&e->a, X_ADD, X64_W, d, SCRATCH);
	if (wide)
		jit_trap_if(e, CC_B, WASM_TRAP_MEMORY);
}

static void pointer(struct jit_emit *e, const struct jit_ins *i)
{
	const struct wasm_memory *m = e->f->inst->memories[i->c];
	uint32_t d = jit_def(e);
	uint64_t end;
	if (__builtin_add_overflow(i->imm, i->spare, &end)) {
		jit_trap_always(e, WASM_TRAP_MEMORY);
		return;
	}
	add_end(e, i, d, end);
	x64_mov_ri(&e->a, SCRATCH, (uint64_t)(uintptr_t)m);
	x64_rm(&e->a, X_CMP, X64_W, d, x64_at(SCRATCH, MEMORY_FIELD(len)));
	jit_trap_if(e, CC_A, WASM_TRAP_MEMORY);
	mask(e, CC_A, d, JIT_FIELD(jit.safe));
	if (i->cc) {
		/* The size is a power of two, and divides what it ends at. */
		x64_rr(&e->a, X_MOV, 0, SCRATCH, d);
		x64_alu_ri(&e->a, ALU_AND, 0, SCRATCH, i->spare - 1);
		jit_trap_if(e, CC_NE, WASM_TRAP_UNALIGNED);
		x64_mov_ri(&e->a, SCRATCH, (uint64_t)(uintptr_t)m);
	}
	x64_rm(&e->a, X_ADD, X64_W, d, x64_at(SCRATCH, MEMORY_FIELD(data)));
}

static void slot(struct jit_emit *e, const struct jit_ins *i)
{
	const struct wasm_table *t = e->f->inst->tables[i->c];
	uint32_t d = jit_def(e);
	jit_mov(e, d, i->a, i->in == JT_I64);
	x64_mov_ri(&e->a, SCRATCH, (uint64_t)(uintptr_t)t);
	x64_rm(&e->a, X_CMP, X64_W, d, x64_at(SCRATCH, TABLE_FIELD(range.min)));
	jit_trap_if(e, CC_AE, WASM_TRAP_TABLE);
	mask(e, CC_AE, d, JIT_FIELD(jit.zero));
	x64_rm(&e->a, X_MOV, X64_W, SCRATCH,
		x64_at(SCRATCH, TABLE_FIELD(elems)));
	x64_rm(&e->a, X_LEA, X64_W, d, x64_sum(SCRATCH, d, 3, 0));
}

/* The register of the pointer, or NO_REG: it is null, which a check before has
 * found. */
static uint32_t base(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t a = jit_place(e, i->a);
	if (a < XMM0)
		return a;
	if (a == LOC_CONST)
		jit_trap_always(e, WASM_TRAP_UNREACHABLE);
	else
		jit_bug(e->f, "spilled operand");
	return NO_REG;
}

static void elem(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), a = base(e, i);
	if (a == NO_REG)
		return;
	jit_mov(e, SCRATCH, i->b, false);
	x64_rm(&e->a, X_CMP, 0, SCRATCH, x64_at(a, OBJECT_FIELD(count)));
	jit_trap_if(e, CC_AE, WASM_TRAP_ARRAY);
	mask(e, CC_AE, SCRATCH, JIT_FIELD(jit.zero));
	if (i->cc > 3)
		x64_shift_ri(&e->a, 4, X64_W, SCRATCH, i->cc);
	x64_rm(&e->a, X_LEA, X64_W, d,
		x64_sum(a, SCRATCH, i->cc > 3 ? 0 : i->cc, 0));
}

static void get(struct jit_emit *e, const struct jit_ins *i)
{
	struct x64_mem m = x64_at(jit_reg(e, i->a), (int64_t)i->imm);
	uint32_t d = jit_def(e);
	jit_load_from(e, i->cc, d, m);
}

static void put(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t a = base(e, i);
	struct x64_mem m = x64_at(a, (int64_t)i->imm);
	if (a == NO_REG)
		return;
	if (i->cc == ACC_STORE_SLOT)
		jit_put_slot(e, i->b, m);
	else
		jit_store_to(e, i, m);
}

/* Whoever unwinds has put the exception there. */
static void caught(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e);
	bool general = d < XMM0;
	struct x64_mem m = x64_at(REG_EXEC, JIT_FIELD(jit.caught));
	if (i->imm != UINT64_MAX) {
		x64_rm(&e->a, X_MOV, X64_W, SCRATCH, m);
		m = x64_at(SCRATCH, (int64_t)i->imm);
	}
	if (general)
		x64_rm(&e->a, X_MOV, X64_W, d, m);
	else
		x64_rm(&e->a,
			i->type == JT_V128	  ? X_MOVUPS :
				i->type == JT_F32 ? X_MOVSS :
						    X_MOVSD,
			0, d - XMM0, m);
}

/* --- what references refer to ------------------------------------------------
 */

/* Null, an i31 and the embedder's own references have no type to look up. */
static void type(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t a = jit_reg(e, i->a), d = jit_def(e);
	x64_mov_ri(&e->a, d, NO_SUPER);
	x64_rr(&e->a, X64(0, 0, 0xf6), a >= 4 ? X64_BYTE : 0, 0, a);
	x64_u8(&e->a, 3);
	uint32_t other = x64_jcc(&e->a, CC_NE);
	x64_rr(&e->a, X_TEST, X64_W, a, a);
	uint32_t null = x64_jcc(&e->a, CC_E);
	x64_rm(&e->a, X_MOV, 0, d, x64_at(a, (int64_t)i->imm));
	x64_patch_here(&e->a, other);
	x64_patch_here(&e->a, null);
}

/* From type to supertype, until it is the one or there is none. */
static void below(struct jit_emit *e, const struct jit_ins *i)
{
	_Static_assert(sizeof(struct wasm_canon) == 12, "3 * 4");
	const struct wasm_registry *r = &e->j->store->registry;
	uint32_t d = jit_def(e);
	if (jit_place(e, i->a) != d)
		jit_mov(e, d, i->a, false);
	uint32_t top = e->a.len;
	x64_alu_ri(&e->a, ALU_CMP, 0, d, (int32_t)i->imm);
	uint32_t yes = x64_jcc(&e->a, CC_E);
	x64_alu_ri(&e->a, ALU_ADD, 0, d, 1); /* NO_SUPER: 0 */
	uint32_t no = x64_jcc(&e->a, CC_E);
	x64_mov_ri(&e->a, SCRATCH, (uint64_t)(uintptr_t)&r->types);
	x64_rm(&e->a, X_MOV, X64_W, SCRATCH, x64_at(SCRATCH, 0));
	x64_rm(&e->a, X_LEA, X64_W, d, x64_sum(d, d, 1, 0));
	x64_rm(&e->a, X_MOV, 0, d,
		x64_sum(SCRATCH, d, 2,
			(int64_t)offsetof(struct wasm_canon, super) - 12));
	x64_patch(&e->a, x64_jmp(&e->a), top);
	x64_patch_here(&e->a, yes);
	x64_mov_ri(&e->a, d, 1);
	x64_patch_here(&e->a, no);
}

bool jit_emit_ref(struct jit_emit *e, const struct jit_ins *i)
{
	switch (i->op) {
	case J_POINTER:
		pointer(e, i);
		return true;
	case J_SLOT:
		slot(e, i);
		return true;
	case J_ELEM:
		elem(e, i);
		return true;
	case J_GET:
		get(e, i);
		return true;
	case J_PUT:
		put(e, i);
		return true;
	case J_CAUGHT:
		caught(e, i);
		return true;
	case J_TYPE:
		type(e, i);
		return true;
	case J_BELOW:
		below(e, i);
		return true;
	default:
		return false;
	}
}
