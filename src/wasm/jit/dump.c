/* SPDX-License-Identifier: Apache-2.0 */
/* Functions in the making, for people. */
#include "base/fmt.h"
#include "wasm/jit/emit_priv.h"
#include "wasm/jit/vec_priv.h"

/* clang-format off */
static const char *const names[J_OP_COUNT] = {
#define N(op, name) [J_##op] = name,
	N(NOP, "nop") N(K, "k") N(K128, "k128") N(PARAM, "param")
	N(PHI, "phi") N(ADD, "add") N(SUB, "sub") N(MUL, "mul")
	N(DIVS, "div_s") N(DIVU, "div_u") N(REMS, "rem_s") N(REMU, "rem_u")
	N(AND, "and") N(OR, "or") N(XOR, "xor") N(SHL, "shl") N(SAR, "shr_s")
	N(SHR, "shr_u") N(ROL, "rotl") N(ROR, "rotr") N(MULHU, "mulhu")
	N(ICMP, "icmp") N(FCMP, "fcmp") N(CLZ, "clz") N(CTZ, "ctz")
	N(POPCNT, "popcnt") N(EXT8S, "ext8") N(EXT16S, "ext16")
	N(EXT32S, "ext32") N(WRAP, "wrap") N(FADD, "fadd") N(FSUB, "fsub")
	N(FMUL, "fmul") N(FDIV, "fdiv") N(FMIN, "fmin") N(FMAX, "fmax")
	N(FCOPYSIGN, "copysign") N(FABS, "fabs") N(FNEG, "fneg")
	N(FCEIL, "ceil") N(FFLOOR, "floor") N(FTRUNC, "trunc")
	N(FNEAREST, "nearest") N(FSQRT, "sqrt") N(INT_TO_FLOAT, "to_float")
	N(FLOAT_TO_INT, "to_int") N(FLOAT_TO_FLOAT, "float_to_float")
	N(REINTERPRET, "reinterpret") N(SELECT, "select") N(VEC, "vec") N(LOAD, "load")
	N(STORE, "store") N(GLOBAL_GET, "global_get")
	N(GLOBAL_SET, "global_set") N(MEMORY_SIZE, "memory_size")
	N(POINTER, "pointer") N(SLOT, "slot") N(ELEM, "elem") N(GET, "get")
	N(PUT, "put") N(CAUGHT, "caught") N(TYPE, "type")
	N(BELOW, "below") N(COPY, "copy") N(FILL, "fill")
	N(TAIL, "tail") N(THROW, "throw") N(THROW_REF, "throw_ref")
	N(CHECK, "check") N(CALL, "call") N(CALL_INDIRECT, "call_indirect")
	N(CALL_REF, "call_ref") N(RESULT, "result") N(STEP, "step")
	N(JUMP, "jump") N(BRANCH, "branch") N(TABLE, "table")
	N(RETURN, "return") N(TRAP, "trap")
#undef N
};
static const char *const types[] = { "", "i32", "i64", "f32", "f64", "v128",
	"any32", "any" };
/* clang-format on */

struct line {
	char text[256];
	size_t len;
};

static void PRINTF(2, 3) add(struct line *l, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	l->len += fmt_v(l->text + l->len, sizeof l->text - l->len, format, ap);
	va_end(ap);
}

void jit_dump_line(const struct jit_fn *f, const char *text)
{
	if (f->jit->watch.text)
		f->jit->watch.text(f->jit->watch.ctx, text);
}

static void put(const struct jit_fn *f, struct line *l)
{
	jit_dump_line(f, l->text);
	*l = (struct line){ .len = 0 };
}

static void place(const struct jit_fn *f, struct line *l, uint32_t v,
	uint32_t pos)
{
	static const char *const regs[] = { "rax", "rcx", "rdx", "rbx", "rsp",
		"rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		"r14", "r15" };
	uint32_t at = f->alloc && f->ivals ? jit_loc(f, v, pos) : LOC_NONE;
	if (at < XMM0)
		add(l, ":%s", regs[at]);
	else if (at < XMM0 + 16)
		add(l, ":x%u", at - XMM0);
	else if (at == LOC_STACK)
		add(l, ":[%u]", f->alloc->slots ? f->alloc->slots[v] - 1 : 0);
}

static void operand(const struct jit_fn *f, struct line *l, uint32_t v,
	uint32_t pos)
{
	const struct jit_ins *i = &f->ins[v];
	if (i->op == J_K) {
		add(l, " 0x%llx", (unsigned long long)i->imm);
		return;
	}
	if (i->op == J_K128) {
		add(l, " 0x%llx_%016llx", (unsigned long long)jit_k128_high(i),
			(unsigned long long)i->imm);
		return;
	}
	add(l, " v%u", v);
	if (i->flags & JF_FOLDED)
		add(l, "(folded)");
	else if (v)
		place(f, l, v, pos);
}

static void instruction(const struct jit_fn *f, struct line *l, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	uint32_t from = wasm_place_of(f->m, f->func->index, i->word);
	if (from)
		add(l, " 0x%05x", from);
	add(l, "  %5u ", i->pos);
	if (i->type) {
		add(l, "v%u", n);
		place(f, l, n, i->pos + 1);
		add(l, " = ");
	}
	add(l, "%s %s", names[i->op], types[i->type]);
	if (i->op == J_VEC)
		add(l, ".%s", jit_vecs[i->cc].name);
	else if (i->cc)
		add(l, ".%u", i->cc);
	for (int k = 0; k < 3; k++) {
		uint32_t v = k == 0 ? i->a : k == 1 ? i->b : i->c;
		if (jit_operand_type(i, k) || (!k && i->op == J_RESULT))
			operand(f, l, v, i->pos);
	}
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c && l->len < 200;
		k++) {
		uint32_t pos = i->pos;
		if (i->op == J_PHI) {
			const struct jit_block *b = &f->blocks[i->block];
			uint32_t e = f->preds[b->pred + k];
			pos = jit_edge_pos(f, &f->edges[e]);
		}
		operand(f, l, f->args[i->b + k], pos);
	}
	if (i->op == J_VEC && i->imm)
		add(l, " %llu", (unsigned long long)i->imm);
	if (i->op == J_LOAD || i->op == J_STORE)
		add(l, " +%llu%s", (unsigned long long)i->imm,
			i->flags & JF_CHECKED ? " checked" : "");
	if (i->flags & JF_FOLDED)
		add(l, " (folded)");
}

static void block_head(const struct jit_fn *f, struct line *l, uint32_t b)
{
	const struct jit_block *x = &f->blocks[b];
	add(l, "block %u (depth %u, word %u)", b, x->depth, x->at);
	for (uint32_t k = 0; k < x->pred_count; k++)
		add(l, " <- %u", f->edges[f->preds[x->pred + k]].from);
	put(f, l);
}

void jit_dump_ssa(const struct jit_fn *f)
{
	struct line l = { .len = 0 };
	add(&l, "function %u", f->func->index);
	put(f, &l);
	for (uint32_t b = 0; b < f->block_count; b++) {
		if (!f->blocks[b].reached)
			continue;
		block_head(f, &l, b);
		for (uint32_t n = f->blocks[b].first; n; n = f->ins[n].next) {
			instruction(f, &l, n);
			put(f, &l);
		}
	}
}

/* The code up to there, which belongs to what was written last. */
static void code(const struct jit_fn *f, const struct jit_emit *e,
	uint32_t *from, uint32_t to)
{
	const struct wasm_jit_watch *w = &f->jit->watch;
	if (w->code && to > *from)
		w->code(w->ctx, bytes_of(e->a.buf, e->a.len), e->base, *from,
			to);
	*from = to;
}

void jit_dump_asm(const struct jit_fn *f, const struct jit_emit *e)
{
	struct line l = { .len = 0 };
	uint32_t at = 0;
	add(&l, "function %u: %u bytes, frame %u", f->func->index, e->a.len,
		f->frame);
	put(f, &l);
	for (uint32_t b = 0; b < f->block_count; b++) {
		if (!f->blocks[b].reached)
			continue;
		code(f, e, &at, f->blocks[b].label);
		block_head(f, &l, b);
		for (uint32_t n = f->blocks[b].first; n; n = f->ins[n].next) {
			if (e->starts[n])
				code(f, e, &at, e->starts[n]);
			instruction(f, &l, n);
			put(f, &l);
		}
	}
	code(f, e, &at, e->far_at);
	jit_dump_line(f, "out of line");
	code(f, e, &at, e->data_at);
	jit_dump_line(f, "constants and tables");
	code(f, e, &at, e->a.len);
}
