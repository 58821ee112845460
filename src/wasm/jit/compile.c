/* SPDX-License-Identifier: Apache-2.0 */
/* One function, from register code to machine code. */
#include "wasm/jit/emit_priv.h"

#include "base/must.h"

/* Work and memory that a function may cost: so much for each word, and so much
 * at least.  Whatever needs more is interpreted. */
enum {
	WORK_PER_WORD = 400,
	WORK_ANYWAY = 1 << 20,
	BYTES_PER_WORD = 4 << 10,
	BYTES_ANYWAY = 16 << 20,
};

static bool more_code(struct jit_asm *a, uint32_t n)
{
	struct jit_fn *f = a->ctx;
	if (a->len > f->jit->size)
		return false;
	return jit_fit(f, a->buf, a->cap, (uint64_t)a->len + n);
}

void jit_prepare(struct jit_fn *f, struct wasm_jit *j, struct wasm_func *w)
{
	f->jit = j;
	f->inst = w->inst;
	f->m = w->inst->module;
	f->func = w;
	f->type = wasm_func_type(f->m, w->index);
	f->code = f->m->code;
	f->header = w->code;
	f->first_word = (uint32_t)(w->code - f->code) + WASM_HEADER_WORDS;
	f->end_word = (uint32_t)(w->code - f->code) + w->code[1].low;
	f->slots = w->code->op;
	f->vars = f->slots * 2;
	f->const_from = w->code->a + w->code->b;
	f->const_to = f->const_from + w->code->c;
	f->arena = j->arena;
	f->arena.heap = &j->store->heap;
	uint64_t words = f->end_word - f->first_word;
	f->max_work = WORK_ANYWAY + words * WORK_PER_WORD;
	f->arena.most = (size_t)(BYTES_ANYWAY + words * BYTES_PER_WORD);
	f->arena.taken = 0;
	f->holds = wasm_func_holds(f->m, w->index);
	if (f->m->memory_count)
		f->min_memory = f->m->memories[0].range.min << 16;
}

/* Parameters would like to stay where they come in. */
static void hint_params(struct jit_fn *f)
{
	struct jit_abi abi = { 0 };
	uint32_t next = 0, offset, at = LOC_NONE;
	for (uint32_t v = f->blocks[0].first; v; v = f->ins[v].next) {
		struct jit_ins *i = &f->ins[v];
		if (i->op != J_PARAM)
			continue;
		for (; next <= i->imm; next++)
			at = jit_abi_next(&abi,
				f->m->pool[f->type->first + next], &offset);
		i->reg_hint = at < LOC_STACK ? (uint8_t)(at + 1) : 0;
	}
}

static bool allocate(struct jit_fn *f)
{
	f->alloc = jit_alloc(f, 1, sizeof *f->alloc);
	if (!f->alloc)
		return false;
	hint_params(f);
	bool ok = jit_number(f) && jit_intervals(f) && jit_scan(f) &&
		jit_resolve(f) && (!f->jit->verify || jit_verify(f));
	f->frame = (f->out_bytes + f->spill_bytes + 7) & ~7u;
	return ok && (f->frame < 1 << 20 || jit_fail(f, JIT_LARGE_FRAME));
}

/* The lines as long as the code lives. */
static bool keep_lines(const struct jit_emit *e, struct jit_code *out)
{
	if (!e->line_count)
		return true;
	out->lines = wasm_heap_new(&e->j->store->heap, e->line_count,
		sizeof *out->lines);
	if (!out->lines)
		return jit_fail(e->f, JIT_NO_MEMORY);
	memcpy(out->lines, e->lines, e->line_count * sizeof *out->lines);
	out->line_count = e->line_count;
	return true;
}

static bool emit(struct jit_fn *f, struct jit_code *out)
{
	struct jit_emit e = { .f = f,
		.j = f->jit,
		.a = { .ctx = f, .more = more_code },
		.base = (uint32_t)f->jit->used };
	if (f->jit->watch.dump & WASM_DUMP_ASM)
		e.starts = jit_alloc(f, f->ins_count, sizeof *e.starts);
	bool ok = jit_fit(f, e.a.buf, e.a.cap, f->ins_count * 8ull) &&
		jit_sites_begin(&e) && jit_emit_all(&e);
	if (ok && e.starts)
		jit_dump_asm(f, &e);
	*out = (struct jit_code){ .at = e.base,
		.len = e.a.len,
		.frame = f->frame,
		.func = f->func };
	ok = ok && keep_lines(&e, out) && jit_has_room(f->jit, e.a.len) &&
		jit_sites_publish(&e) &&
		jit_memory_add(f->jit, e.a.buf, e.a.len) != UINT32_MAX;
	if (ok)
		return true;
	jit_forget_thunks(&e);
	return jit_fail(f, JIT_NO_ROOM);
}

static bool still_right(struct jit_fn *f, bool typed)
{
	char text[160];
	if (!f->jit->verify || jit_verify_ssa(f, typed, text, sizeof text))
		return true;
	if (f->failed)
		return false;
	jit_dump_ssa(f);
	return jit_bug(f, text);
}

bool jit_translate(struct jit_fn *f, struct jit_code *out)
{
	bool ok = jit_flow(f) && jit_build(f) && still_right(f, false) &&
		jit_ranges(f) && jit_finish(f) && still_right(f, true) &&
		jit_fuse(f);
	if (ok && (f->jit->watch.dump & WASM_DUMP_SSA))
		jit_dump_ssa(f);
	return ok && allocate(f) && emit(f, out);
}

void jit_fini(struct jit_fn *f)
{
	jit_arena_reset(&f->arena);
	f->jit->arena = f->arena;
}

/* Calls that were compiled before there was code look at jit_entry. */
static bool publish(struct wasm_jit *j, struct wasm_func *w,
	const struct jit_code *c)
{
	if (!wasm_fit(&j->store->heap, j->codes, j->code_cap,
		    j->code_count + 1ull))
		return false;
	j->codes[j->code_count++] = *c;
	w->jit_at = c->at;
	w->jit_entry = j->memory + c->at;
	w->jit_state = JIT_DONE;
	return true;
}

void wasm_jit_compile(struct wasm_jit *j, struct wasm_func *w)
{
	struct jit_fn f = { 0 };
	struct jit_code code = { 0 };
	w->jit_state = JIT_REFUSED;
	jit_prepare(&f, j, w);
	if (jit_stress_begin(&f))
		jit_stress_place(&f);
	j->stats.words += f.end_word - f.first_word;
	if (!f.failed && !j->broken && jit_translate(&f, &code) &&
		publish(j, w, &code)) {
		j->stats.compiled++;
		j->stats.code_bytes += code.len;
		jit_made(j, &code);
	} else {
		jit_code_fini(j, &code);
		jit_count_reason(j, f.failed ? f.failed : JIT_NO_MEMORY);
	}
	j->stats.work += f.work;
	jit_fini(&f);
}
