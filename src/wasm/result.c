/* SPDX-License-Identifier: Apache-2.0 */
/* How a call ended, for people: the trap's name and who called whom. */
#include "base/fmt.h"
#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"

const char *wasm_trap_name(enum wasm_trap trap)
{
	static const char *const names[] = {
		[WASM_TRAP_NONE] = "no trap",
		[WASM_TRAP_UNREACHABLE] = "unreachable",
		[WASM_TRAP_MEMORY] = "out of bounds memory access",
		[WASM_TRAP_TABLE] = "out of bounds table access",
		[WASM_TRAP_ELEMENT] = "undefined element",
		[WASM_TRAP_NULL] = "null reference",
		[WASM_TRAP_SIGNATURE] = "indirect call type mismatch",
		[WASM_TRAP_DIVIDE] = "integer divide by zero",
		[WASM_TRAP_OVERFLOW] = "integer overflow",
		[WASM_TRAP_CONVERT] = "invalid conversion to integer",
		[WASM_TRAP_STACK] = "call stack exhausted",
		[WASM_TRAP_EXCEPTION] = "uncaught exception",
		[WASM_TRAP_LIMIT] = "limit reached",
		[WASM_TRAP_HOST] = "host function failed",
		[WASM_TRAP_UNINITIALIZED] = "uninitialized element",
		[WASM_TRAP_NULL_FUNC] = "null function reference",
		[WASM_TRAP_NULL_EXCEPTION] = "null exception reference",
		[WASM_TRAP_NULL_STRUCT] = "null structure reference",
		[WASM_TRAP_NULL_ARRAY] = "null array reference",
		[WASM_TRAP_NULL_I31] = "null i31 reference",
		[WASM_TRAP_ARRAY] = "out of bounds array access",
		[WASM_TRAP_CAST] = "cast failure",
		[WASM_TRAP_UNALIGNED] = "unaligned atomic",
		[WASM_TRAP_NOT_SHARED] = "expected shared memory",
		[WASM_TRAP_DEADLOCK] = "waiting without end",
	};
	return (size_t)trap < ARRAY_LEN(names) ? names[trap] : "unknown trap";
}

bool wasm_func_at(const struct wasm_module *m, const union wasm_word *at,
	uint32_t *func)
{
	if (at < m->code || at >= m->code + m->code_count)
		return false;
	uint32_t word = (uint32_t)(at - m->code), low = 0;
	uint32_t high = m->func_count - m->func_imports;
	if (!high || word < m->entries[0])
		return false;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;
		if (m->entries[mid] <= word)
			low = mid;
		else
			high = mid;
	}
	*func = m->func_imports + low;
	return true;
}

uint32_t wasm_first_point(const struct wasm_module *m, uint32_t word)
{
	uint32_t low = 0, high = m->point_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (m->points[mid].at < word)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t wasm_first_handler(const struct wasm_module *m, uint32_t word)
{
	uint32_t low = 0, high = m->handler_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (m->handlers[mid].at < word)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool wasm_func_holds(const struct wasm_module *m, uint32_t func)
{
	uint32_t n = func - m->func_imports;
	uint32_t end = n + 1 < m->func_count - m->func_imports ?
		m->entries[n + 1] :
		m->code_count;
	uint32_t i = wasm_first_point(m, m->entries[n]);
	return i < m->point_count && m->points[i].at < end;
}

struct bytes wasm_func_name(const struct wasm_module *m, uint32_t func)
{
	if (!m->func_names.ptr)
		return BYTES_NONE;
	struct wasm_cursor c = { .at = m->func_names.ptr,
		.end = m->func_names.ptr + m->func_names.len };
	uint32_t n = wasm_u32(&c);
	for (uint32_t i = 0; i < n && !c.why; i++) {
		uint32_t index = wasm_u32(&c);
		struct bytes name = wasm_name(&c);
		if (index == func && !c.why)
			return name;
	}
	return BYTES_NONE;
}

enum { MAX_NAME = 80 };

void wasm_module_func_name(const struct wasm_module *m, uint32_t func,
	char *out, size_t size)
{
	struct bytes name = wasm_func_name(m, func);
	int n = (int)size_min(name.len, MAX_NAME);
	if (n)
		fmt(out, size, "%.*s", n, (const char *)name.ptr);
	else
		fmt(out, size, "function %u", func);
}

struct trace {
	struct wasm_result *r;
	size_t at;
	unsigned lines;
};

enum { MAX_LINES = 24 };

static void put(struct trace *t, const char *text)
{
	t->at += fmt(t->r->text + t->at, sizeof t->r->text - t->at, "%s", text);
}

static void put_func(struct trace *t, const struct wasm_module *m,
	const union wasm_word *ip)
{
	uint32_t f, place;
	char name[MAX_NAME + 16], text[MAX_NAME + 48];
	if (t->lines > MAX_LINES || !wasm_func_at(m, ip, &f))
		return;
	if (t->lines++ == MAX_LINES) {
		put(t, "\n    ...");
		return;
	}
	wasm_module_func_name(m, f, name, sizeof name);
	fmt(text, sizeof text, "\n    at %s", name);
	put(t, text);
	place = wasm_place_of(m, f, (uint32_t)(ip - m->code));
	if (!place)
		return;
	fmt(text, sizeof text, " (0x%x)", place);
	put(t, text);
}

/* Innermost first.  A frame's address is that of the next instruction. */
static void put_frames(struct trace *t, const struct wasm_exec *x)
{
	const struct wasm_instance *i = x->inst;
	struct jit_walk w = wasm_jit_walk(x);
	const struct wasm_func *c;
	if (!i)
		return;
	put_func(t, i->module, x->ip);
	for (const struct wasm_frame *f = x->frame; f-- > x->frames;) {
		if (f->ip == wasm_resume_code) {
			while ((c = wasm_jit_walk_next(x, &w)))
				put_func(t, c->inst->module,
					c->inst->module->code + w.word);
			continue;
		}
		if (f->ip == wasm_cross_code) {
			i = (const struct wasm_instance *)(const void *)f->fp;
			if (!i)
				return;
			continue;
		}
		put_func(t, i->module, f->ip - 1);
	}
}

void wasm_exec_result(const struct wasm_exec *x, struct wasm_result *r)
{
	*r = (struct wasm_result){ .end = x->end };
	if (x->end == WASM_EXITED)
		r->exit_code = x->exit_code;
	if (x->end != WASM_TRAPPED)
		return;
	struct trace t = { .r = r };
	r->trap = x->trap;
	put(&t, wasm_trap_name(x->trap));
	if (x->trap == WASM_TRAP_HOST && x->why[0]) {
		put(&t, ": ");
		put(&t, x->why);
	}
	if (x->thread.id) {
		char in[32];
		fmt(in, sizeof in, ", in thread %u", x->thread.id);
		put(&t, in);
	}
	put_frames(&t, x);
}
