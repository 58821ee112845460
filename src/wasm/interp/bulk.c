/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on whole memories and tables.  Long ones are done in pieces so
 * that they can be interrupted; 64 bytes are a unit of work.
 */
#include "wasm/interp/exec_priv.h"

enum { PIECE = 1 << 20, UNIT = 64, UNIT_ELEMS = 8 };

static bool outside(uint64_t at, uint64_t n, uint64_t len)
{
	return at > len || n > len - at;
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
	fp[ip->a] = grown(wasm_memory_enlarge(m, fp[ip->b]), m->range.is64);
	RELOAD();
	NEXT(2);
}

/* False when the call is to stop. */
static bool fill(struct wasm_exec *x, uint8_t *to, int v, uint64_t n)
{
	while (n) {
		size_t piece = n < PIECE ? (size_t)n : PIECE;
		if (!wasm_exec_work(x, piece / UNIT))
			return false;
		memset(to, v, piece);
		to += piece;
		n -= piece;
	}
	return true;
}

static bool move(struct wasm_exec *x, uint8_t *to, const uint8_t *from,
	uint64_t n)
{
	bool down = (uintptr_t)to <= (uintptr_t)from;
	while (n) {
		size_t piece = n < PIECE ? (size_t)n : PIECE;
		if (!wasm_exec_work(x, piece / UNIT))
			return false;
		n -= piece;
		memmove(down ? to : to + n, down ? from : from + n, piece);
		if (down) {
			to += piece;
			from += piece;
		}
	}
	return true;
}

/* a where, b value, c count; word 1: memory */
OP(memory_fill)
{
	struct wasm_memory *m = x->inst->memories[ip[1].low];
	uint64_t at = fp[ip->a], n = fp[ip->c];
	if (outside(at, n, m->len))
		TRAP(MEMORY);
	if (n && !fill(x, m->data + at, (uint8_t)fp[ip->b], n))
		GOTO(halt);
	NEXT(2);
}

/* a to, b from, c count; word 1: memories from, to */
OP(memory_copy)
{
	struct wasm_memory *s = x->inst->memories[ip[1].low];
	struct wasm_memory *d = x->inst->memories[ip[1].high];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (outside(to, n, d->len) || outside(from, n, s->len))
		TRAP(MEMORY);
	if (n && !move(x, d->data + to, s->data + from, n))
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
	if (outside(to, n, d->len) || outside(from, n, have))
		TRAP(MEMORY);
	if (n && !move(x, d->data + to, seg->bytes.ptr + from, n))
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
	uint64_t at = fp[ip->a], v = fp[ip->b], n = fp[ip->c];
	if (outside(at, n, t->range.min))
		TRAP(TABLE);
	if (!wasm_exec_work(x, n / UNIT_ELEMS))
		GOTO(halt);
	for (uint64_t i = 0; i < n; i++)
		t->elems[at + i] = v;
	NEXT(2);
}

/* a to, b from, c count; word 1: tables from, to */
OP(table_copy)
{
	struct wasm_table *s = x->inst->tables[ip[1].low];
	struct wasm_table *d = x->inst->tables[ip[1].high];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (outside(to, n, d->range.min) || outside(from, n, s->range.min))
		TRAP(TABLE);
	if (!wasm_exec_work(x, n / UNIT_ELEMS))
		GOTO(halt);
	if (n)
		memmove(d->elems + to, s->elems + from,
			(size_t)n * sizeof *d->elems);
	NEXT(2);
}

/* a to, b from, c count; word 1: segment, table */
OP(table_init)
{
	const struct wasm_elemdef *seg = &x->inst->module->elems[ip[1].low];
	struct wasm_table *d = x->inst->tables[ip[1].high];
	const uint64_t *refs = x->inst->elem_refs[ip[1].low];
	uint64_t to = fp[ip->a], from = fp[ip->b], n = fp[ip->c];
	if (outside(to, n, d->range.min) ||
		outside(from, n, refs ? seg->count : 0))
		TRAP(TABLE);
	if (!wasm_exec_work(x, n / UNIT_ELEMS))
		GOTO(halt);
	if (n)
		memcpy(d->elems + to, refs + from, (size_t)n * sizeof *refs);
	NEXT(2);
}

OP(elem_drop)
{
	wasm_elem_drop(x->inst, ip->high);
	NEXT(1);
}
