/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on whole memories and tables. */
#include "wasm/interp/bulk_priv.h"

enum { PIECE = 1 << 20, UNIT = 64, UNIT_ELEMS = 8, PAGE = 65536 };

static size_t piece_of(uint64_t n)
{
	return n < PIECE ? (size_t)n : PIECE;
}

bool wasm_bulk_set(struct wasm_exec *x, void *to, int v, uint64_t n)
{
	for (uint8_t *at = to; n;) {
		size_t piece = piece_of(n);
		if (!wasm_exec_work(x, piece / UNIT))
			return false;
		memset(at, v, piece);
		at += piece;
		n -= piece;
	}
	return true;
}

bool wasm_bulk_move(struct wasm_exec *x, void *to, const void *from, uint64_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;
	bool down = (uintptr_t)d <= (uintptr_t)s;
	while (n) {
		size_t piece = piece_of(n);
		if (!wasm_exec_work(x, piece / UNIT))
			return false;
		n -= piece;
		memmove(down ? d : d + n, down ? s : s + n, piece);
		if (down) {
			d += piece;
			s += piece;
		}
	}
	return true;
}

bool wasm_bulk_repeat(struct wasm_exec *x, void *to, const void *element,
	uint32_t size, uint64_t count)
{
	uint8_t *start = to;
	uint64_t n = count * size, done = size;
	if (!count)
		return true;
	memcpy(start, element, size);
	while (done < n) {
		/* What is there already, once more. */
		size_t piece = piece_of(done < n - done ? done : n - done);
		if (!wasm_exec_work(x, piece / UNIT))
			return false;
		memcpy(start + done, start, piece);
		done += piece;
	}
	return true;
}

/* a, high: memory */
OP(memory_size)
{
	const struct wasm_memory *m = x->inst->memories[ip->high];
	fp[ip->a] = m->range.min;
	NEXT(1);
}

static uint64_t grown(uint64_t old, bool is64)
{
	return old == UINT64_MAX && !is64 ? UINT32_MAX : old;
}

/* a result, b how much; word 1: memory */
OP(memory_grow)
{
	struct wasm_memory *m = x->inst->memories[ip[1].low];
	uint64_t pages = fp[ip->b], old = wasm_memory_extend(m, pages);
	if (old != UINT64_MAX) {
		bool cleared =
			wasm_bulk_set(x, m->data + m->len, 0, pages * PAGE);
		wasm_memory_extended(m, pages, cleared);
		RELOAD();
		if (!cleared)
			GOTO(halt);
	}
	fp[ip->a] = grown(old, m->range.is64);
	NEXT(2);
}

/* a where, b value, c count; word 1: memory */
OP(memory_fill)
{
	struct wasm_memory *m = x->inst->memories[ip[1].low];
	uint64_t at = fp[ip->a], n = fp[ip->c];
	if (wasm_outside(at, n, m->len))
		TRAP(MEMORY);
	if (n && !wasm_bulk_set(x, m->data + at, (uint8_t)fp[ip->b], n))
		GOTO(halt);
	NEXT(2);
}

/* a to, b from, c count; word 1: memories from, to */
OP(memory_copy)
{
	struct wasm_memory *s = x->inst->memories[ip[1].low];
	struct wasm_memory *d = x->inst->memories[ip[1].high];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (wasm_outside(to, n, d->len) || wasm_outside(from, n, s->len))
		TRAP(MEMORY);
	if (n && !wasm_bulk_move(x, d->data + to, s->data + from, n))
		GOTO(halt);
	NEXT(2);
}

/* a to, b from, c count; word 1: segment, memory */
OP(memory_init)
{
	const struct wasm_datadef *seg = &x->inst->module->datas[ip[1].low];
	struct wasm_memory *d = x->inst->memories[ip[1].high];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	uint64_t have = x->inst->data_dropped[ip[1].low] ? 0 : seg->bytes.len;
	if (wasm_outside(to, n, d->len) || wasm_outside(from, n, have))
		TRAP(MEMORY);
	if (n && !wasm_bulk_move(x, d->data + to, seg->bytes.ptr + from, n))
		GOTO(halt);
	NEXT(2);
}

OP(data_drop)
{
	x->inst->data_dropped[ip->high] = 1;
	NEXT(1);
}

/* a result, b index; word 1: table */
OP(table_get)
{
	const struct wasm_table *t = x->inst->tables[ip[1].low];
	uint64_t i = fp[ip->b];
	if (i >= t->range.min)
		TRAP(TABLE);
	fp[ip->a] = t->elems[i];
	NEXT(2);
}

/* a value, b index; word 1: table */
OP(table_set)
{
	struct wasm_table *t = x->inst->tables[ip[1].low];
	uint64_t i = fp[ip->b];
	if (i >= t->range.min)
		TRAP(TABLE);
	t->elems[i] = fp[ip->a];
	NEXT(2);
}

/* a, high: table */
OP(table_size)
{
	fp[ip->a] = x->inst->tables[ip->high]->range.min;
	NEXT(1);
}

/* a result, b how many, c initial value; word 1: table */
OP(table_grow)
{
	struct wasm_table *t = x->inst->tables[ip[1].low];
	uint64_t n = fp[ip->b];
	if (!wasm_exec_work(x, n / UNIT_ELEMS))
		GOTO(halt);
	fp[ip->a] = grown(wasm_table_enlarge(t, n, fp[ip->c]), t->range.is64);
	NEXT(2);
}

/* a where, b value, c count; word 1: table */
OP(table_fill)
{
	struct wasm_table *t = x->inst->tables[ip[1].low];
	uint64_t at = fp[ip->a], n = fp[ip->c];
	if (wasm_outside(at, n, t->range.min))
		TRAP(TABLE);
	if (!wasm_bulk_repeat(x, t->elems + at, &fp[ip->b], sizeof *t->elems,
		    n))
		GOTO(halt);
	NEXT(2);
}

/* a to, b from, c count; word 1: tables from, to */
OP(table_copy)
{
	struct wasm_table *s = x->inst->tables[ip[1].low];
	struct wasm_table *d = x->inst->tables[ip[1].high];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (wasm_outside(to, n, d->range.min) ||
		wasm_outside(from, n, s->range.min))
		TRAP(TABLE);
	if (!wasm_bulk_move(x, d->elems + to, s->elems + from,
		    n * sizeof *d->elems))
		GOTO(halt);
	NEXT(2);
}

/* a to, b from, c count; word 1: segment, table */
OP(table_init)
{
	const struct wasm_elemdef *seg = &x->inst->module->elems[ip[1].low];
	struct wasm_table *d = x->inst->tables[ip[1].high];
	const uint64_t *refs = x->inst->elem_refs[ip[1].low];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (wasm_outside(to, n, d->range.min) ||
		wasm_outside(from, n, refs ? seg->count : 0))
		TRAP(TABLE);
	if (n &&
		!wasm_bulk_move(x, d->elems + to, refs + from,
			n * sizeof *refs))
		GOTO(halt);
	NEXT(2);
}

OP(elem_drop)
{
	wasm_elem_drop(x->inst, ip->high);
	NEXT(1);
}
