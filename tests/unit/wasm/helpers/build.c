/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include <stdarg.h>
#include <stdlib.h>

#include "../../test.h"

void leb(struct buf *b, uint64_t v)
{
	while (v >= 0x80) {
		buf_u8(b, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	buf_u8(b, (uint8_t)v);
}

void sleb(struct buf *b, int64_t v)
{
	while (v < -64 || v > 63) {
		buf_u8(b, (uint8_t)((v & 0x7f) | 0x80));
		v >>= 7;
	}
	buf_u8(b, (uint8_t)(v & 0x7f));
}

static void text(struct buf *b, const char *s)
{
	leb(b, strlen(s));
	buf_put(b, bytes_str(s));
}

static uint8_t letter(char c)
{
	static const char letters[] = "iIfFVrayx";
	static const uint8_t types[] = { WASM_I32, WASM_I64, WASM_F32, WASM_F64,
		WASM_V128, WASM_EXTERNREF, WASM_FUNCREF, 0x6e, 0x69 };
	return types[strchr(letters, c) - letters];
}

static void type_list(struct buf *b, const char *s, size_t n)
{
	leb(b, n);
	for (size_t i = 0; i < n; i++)
		buf_u8(b, letter(s[i]));
}

uint32_t build_type(struct build *b, const char *sig)
{
	const char *sep = strchr(sig, ':');
	buf_u8(&b->types, 0x60);
	type_list(&b->types, sig, (size_t)(sep - sig));
	type_list(&b->types, sep + 1, strlen(sep + 1));
	return b->type_count++;
}

void build_import(struct build *b, const char *name, const char *sig)
{
	uint32_t t = build_type(b, sig);
	text(&b->imports, "m");
	text(&b->imports, name);
	buf_u8(&b->imports, 0);
	leb(&b->imports, t);
	b->import_count++;
	b->func_imports++;
}

static void locals(struct buf *b, const char *s)
{
	leb(b, strlen(s));
	for (; *s; s++) {
		leb(b, 1);
		buf_u8(b, letter(*s));
	}
}

uint32_t build_func(struct build *b, const char *export, const char *sig,
	const char *local, struct bytes code)
{
	auto_buf body = { 0 };
	uint32_t index = b->func_imports + b->func_count;
	leb(&b->funcs, build_type(b, sig));
	b->func_count++;
	locals(&body, local);
	buf_put(&body, code);
	buf_u8(&body, 0x0b);
	leb(&b->codes, body.len);
	buf_put(&b->codes, buf_bytes(&body));
	b->code_count++;
	if (export)
		build_export(b, export, 0, index);
	return index;
}

static void limits(struct buf *b, uint64_t min, uint64_t max)
{
	buf_u8(b, max != UINT64_MAX);
	leb(b, min);
	if (max != UINT64_MAX)
		leb(b, max);
}

void build_memory(struct build *b, uint64_t min, uint64_t max)
{
	limits(&b->memories, min, max);
	b->memory_count++;
}

void build_table(struct build *b, uint32_t min, uint32_t max)
{
	buf_u8(&b->tables, WASM_FUNCREF);
	limits(&b->tables, min, max);
	b->table_count++;
}

void build_global(struct build *b, char type, bool mutable, int64_t init)
{
	buf_u8(&b->globals, letter(type));
	buf_u8(&b->globals, mutable);
	buf_u8(&b->globals, type == 'i' ? 0x41 : 0x42);
	sleb(&b->globals, init);
	buf_u8(&b->globals, 0x0b);
	b->global_count++;
}

void build_export(struct build *b, const char *name, uint8_t kind,
	uint32_t index)
{
	text(&b->exports, name);
	buf_u8(&b->exports, kind);
	leb(&b->exports, index);
	b->export_count++;
}

void build_elem(struct build *b, uint32_t at, const uint8_t *funcs, size_t n)
{
	buf_u8(&b->elems, 0);
	buf_u8(&b->elems, 0x41);
	sleb(&b->elems, (int32_t)at);
	buf_u8(&b->elems, 0x0b);
	leb(&b->elems, n);
	for (size_t i = 0; i < n; i++)
		leb(&b->elems, funcs[i]);
	b->elem_count++;
}

void build_data(struct build *b, bool passive, uint32_t at, struct bytes data)
{
	buf_u8(&b->datas, passive);
	if (!passive) {
		buf_u8(&b->datas, 0x41);
		sleb(&b->datas, (int32_t)at);
		buf_u8(&b->datas, 0x0b);
	}
	leb(&b->datas, data.len);
	buf_put(&b->datas, data);
	b->data_count++;
}

static void section(struct buf *out, uint8_t id, uint32_t count, struct buf *in)
{
	auto_buf body = { 0 };
	if (count) {
		leb(&body, count);
		buf_put(&body, buf_bytes(in));
		buf_u8(out, id);
		leb(out, body.len);
		buf_put(out, buf_bytes(&body));
	}
	buf_fini(in);
}

void build_done(struct build *b, struct buf *out)
{
	struct buf none = { 0 };
	buf_put(out, BYTES_LIT("\0asm\1\0\0\0"));
	section(out, 1, b->type_count, &b->types);
	section(out, 2, b->import_count, &b->imports);
	section(out, 3, b->func_count, &b->funcs);
	section(out, 4, b->table_count, &b->tables);
	section(out, 5, b->memory_count, &b->memories);
	section(out, 13, b->tag_count, &b->tags);
	section(out, 6, b->global_count, &b->globals);
	section(out, 7, b->export_count, &b->exports);
	if (b->start) {
		buf_u8(out, 8);
		buf_u8(out, 1);
		buf_u8(out, (uint8_t)(b->start - 1));
	}
	section(out, 9, b->elem_count, &b->elems);
	if (b->data_count_section)
		section(out, 12, b->data_count, &none);
	section(out, 10, b->code_count, &b->codes);
	section(out, 11, b->data_count, &b->datas);
	if (b->names.len) {
		buf_u8(out, 0);
		leb(out, b->names.len + 5);
		text(out, "name");
		buf_put(out, buf_bytes(&b->names));
	}
	buf_fini(&b->names);
	*b = (struct build){ 0 };
}

void made_limited(struct made *x, struct build *b, const struct wasm_limits *l)
{
	auto_buf out = { 0 };
	*x = (struct made){ 0 };
	build_done(b, &out);
	if (!wasm_module_new(buf_bytes(&out), l, &x->m, &x->e) ||
		!wasm_instance_new(x->m, NULL, 0, l, &x->i, &x->r, &x->e))
		fail_msg("%s", x->e.text);
}

void made_init(struct made *x, struct build *b)
{
	made_limited(x, b, NULL);
}

void made_fini(struct made *x)
{
	wasm_instance_free(x->i);
	wasm_module_free(x->m);
}

enum { MAX_PARAMS = 8 };

static size_t gather(const char *params, va_list ap, uint64_t *out)
{
	size_t n = 0;
	for (; *params && n < MAX_PARAMS; params++)
		out[n++] = *params == 'i' ? va_arg(ap, uint32_t) :
					    va_arg(ap, uint64_t);
	return n;
}

uint64_t made_call(struct made *x, const char *name, const char *params, ...)
{
	uint64_t in[MAX_PARAMS], result = 0;
	va_list ap;
	va_start(ap, params);
	size_t n = gather(params, ap, in);
	va_end(ap);
	if (!wasm_call(x->i, name, in, n, &result, 1, &x->r, &x->e))
		fail_msg("%s", x->e.text);
	if (x->r.end != WASM_RETURNED)
		fail_msg("%s: end %d %s", name, x->r.end, x->r.text);
	return result;
}

enum wasm_trap made_trap(struct made *x, const char *name, const char *params,
	...)
{
	uint64_t in[MAX_PARAMS], result[2];
	va_list ap;
	va_start(ap, params);
	size_t n = gather(params, ap, in);
	va_end(ap);
	for (size_t results = 0; results < 2; results++) {
		if (!wasm_call(x->i, name, in, n, result, results, &x->r,
			    &x->e))
			continue;
		return x->r.end == WASM_TRAPPED ? x->r.trap : WASM_TRAP_NONE;
	}
	fail_msg("%s", x->e.text);
	return WASM_TRAP_NONE;
}

void refused(struct build *b, const char *why)
{
	auto_buf out = { 0 };
	struct wasm_module *m = NULL;
	struct err e = { 0 };
	build_done(b, &out);
	CHECK(!wasm_module_new(buf_bytes(&out), NULL, &m, &e));
	CHECK_HAS(e.text, why);
}
