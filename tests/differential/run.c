/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every export of a module in the order of names, with zeros, and prints
 * what is seen of it: results, traps, what it logs, a hash of its memory.
 * run.cjs prints the same from node.  With --plan: the exports and their types.
 * With --canonical: all NaNs have the same bits; a module that is seen to do
 * something else then may well do so in another engine.
 * With --engines: does so interpreted, compiled, compiled by lots and with
 * little room for code, in one run each; what is seen has to be the same each
 * time, down to where traps were, and so have the values of all globals.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "wasm/store_priv.h"

static FILE *to;

static void print_value(char type, uint64_t v)
{
	float f;
	double d;
	uint32_t low = (uint32_t)v;
	memcpy(&f, &low, 4);
	memcpy(&d, &v, 8);
	if (type == 'i')
		fprintf(to, " %d", (int32_t)low);
	else if (type == 'I')
		fprintf(to, " %lld", (long long)v);
	else if (type == 'r')
		fprintf(to, v ? " ref" : " null");
	else if (type == 'V')
		fprintf(to, " vector");
	else if (type == 'f' ? f != f : d != d)
		fprintf(to, " nan");
	else if (type == 'f')
		fprintf(to, " %08x", low);
	else
		fprintf(to, " %016llx", (unsigned long long)v);
}

static bool ignore(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)c;
	(void)slots;
	(void)ctx;
	return true;
}

static bool log_values(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)c;
	fprintf(to, "log");
	for (const char *t = ctx; *t != ':'; t++)
		print_value(*t, *slots++);
	fprintf(to, "\n");
	return true;
}

#define LOG(name, sig)                                    \
	{                                                 \
		"fuzzing-support", name, sig, log_values, \
			(void *)(uintptr_t)(sig)          \
	}

static const struct wasm_import imports[] = { LOG("log-i32", "i:"),
	LOG("log-i64", "I:"), LOG("log-f32", "f:"), LOG("log-f64", "F:"),
	{ "fuzzing-support", "log-v128", "V:", ignore, NULL } };

static bool read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	for (size_t n = 1; n;) {
		uint8_t *p = buf_reserve(out, 65536);
		n = p ? fread(p, 1, 65536, f) : 0;
		buf_commit(out, n);
	}
	fclose(f);
	return buf_ok(out);
}

/* In full among our own engines; but where frames end, stacks differ. */
static bool in_full;

static void print_end(const struct wasm_result *r)
{
	bool by_size = r->trap == WASM_TRAP_STACK || r->trap == WASM_TRAP_LIMIT;
	if (in_full && r->end == WASM_TRAPPED && !by_size)
		fprintf(to, " %s", r->text);
	else if (r->end == WASM_TRAPPED)
		fprintf(to,
			r->trap == WASM_TRAP_EXCEPTION ? " exception" :
							 " trap");
	else if (r->end != WASM_RETURNED)
		fprintf(to, " stopped");
}

static void call(struct wasm_instance *i, const char *name, const char *sig)
{
	uint64_t params[64] = { 0 }, results[64] = { 0 };
	size_t in = 0, n = 0;
	struct wasm_result r;
	struct err e = { 0 };
	const char *p = sig;
	for (; *p != ':'; p++)
		in += *p == 'V' ? 2 : 1;
	for (const char *q = p + 1; *q; q++)
		n += *q == 'V' ? 2 : 1;
	bool called = wasm_call(i, name, params, in, results, n, &r, &e);
	fprintf(to, "%s", name);
	if (!called) {
		fprintf(to, " %s\n", e.text);
		return;
	}
	print_end(&r);
	size_t at = 0;
	for (p++; *p && r.end == WASM_RETURNED; p++) {
		print_value(*p, results[at]);
		at += *p == 'V' ? 2 : 1;
	}
	fprintf(to, "\n");
}

static void print_memory(const struct wasm_instance *i)
{
	struct wasm_extern x;
	if (!wasm_instance_export(i, BYTES_LIT("memory"), &x) ||
		x.kind != WASM_EXTERN_MEMORY)
		return;
	struct bytes b = wasm_extern_memory(&x);
	uint32_t h = 2166136261u;
	for (size_t k = 0; k < b.len; k++)
		h = (h ^ b.ptr[k]) * 16777619u;
	fprintf(to, "memory %zu %08x\n", b.len, h);
}

static void each(const struct wasm_module *m, struct wasm_instance *i)
{
	struct bytes name;
	char text[256], sig[128];
	for (size_t k = 0; wasm_module_export(m, k, &name); k++) {
		if (name.len >= sizeof text ||
			!wasm_module_signature(m, name, sig, sizeof sig))
			continue;
		memcpy(text, name.ptr, name.len);
		text[name.len] = '\0';
		if (!i)
			fprintf(to, "%s %s\n", text, sig);
		else if (!strchr(sig, 'V'))
			call(i, text, sig);
	}
}

/* References differ from run to run. */
static bool is_number(uint32_t type)
{
	return type == WASM_I32 || type == WASM_I64 || type == WASM_F32 ||
		type == WASM_F64 || type == WASM_V128;
}

static void print_globals(const struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = 0; n < m->global_count; n++)
		if (is_number(m->globals[n].type))
			fprintf(to, "global %u %llx %llx\n", n,
				(unsigned long long)i->globals[n]->v[0],
				(unsigned long long)i->globals[n]->v[1]);
}

static void run(const struct wasm_module *m, const struct wasm_limits *l)
{
	struct wasm_instance *i = NULL;
	struct wasm_result r;
	struct err e = { 0 };
	if (wasm_instance_new(m, imports, ARRAY_LEN(imports), l, &i, &r, &e)) {
		each(m, i);
		print_memory(i);
	} else {
		fprintf(to, "start");
		print_end(&r);
		fprintf(to, "\n");
		if (r.end == WASM_RETURNED)
			fprintf(stderr, "%s\n", e.text);
	}
	if (i && l) {
		struct wasm_jit_stats s = wasm_instance_jit_stats(i);
		print_globals(i);
		if (l->engine == WASM_ENGINE_JIT)
			fprintf(stderr, "compiled %u refused %u\n", s.compiled,
				s.refused);
	}
	wasm_instance_free(i);
}

/* What is seen, to be freed. */
static char *seen(const struct wasm_module *m, const struct wasm_limits *l)
{
	char *text = NULL;
	size_t size;
	to = open_memstream(&text, &size);
	run(m, l);
	fclose(to);
	to = stdout;
	return text;
}

static int compare(const struct wasm_module *m)
{
	static const struct wasm_limits limits[] = {
		{ .engine = WASM_ENGINE_INTERP },
		{ .engine = WASM_ENGINE_JIT },
		{ .engine = WASM_ENGINE_JIT, .jit_stress = 1 },
		{ .engine = WASM_ENGINE_JIT, .jit_stress = 2 },
		{ .engine = WASM_ENGINE_JIT, .code_bytes = 8192 },
	};
	in_full = true;
	char *want = seen(m, &limits[0]);
	int status = 0;
	for (size_t k = 1; k < ARRAY_LEN(limits); k++) {
		char *got = seen(m, &limits[k]);
		if (strcmp(want, got) != 0) {
			fprintf(to, "engine %zu:\n%s", k, got);
			status = 1;
		}
		free(got);
	}
	if (status)
		fprintf(to, "interpreted:\n%s", want);
	free(want);
	return status;
}

int main(int argc, char **argv)
{
	auto_buf file = { 0 };
	struct wasm_module *m;
	struct err e = { 0 };
	struct wasm_limits l = { .canonical_nans = true, .places = true };
	const char *how = argc == 3 ? argv[1] : "";
	int status = 0;
	to = stdout;
	if (argc < 2 || !read_file(argv[argc - 1], &file))
		return 2;
	bool engines = !strcmp(how, "--engines");
	bool canonical = engines || !strcmp(how, "--canonical");
	if (!wasm_module_new(buf_bytes(&file), canonical ? &l : NULL, &m, &e)) {
		fprintf(to, "refused %s\n", e.text);
		return engines ? 0 : 1;
	}
	if (!strcmp(how, "--plan"))
		each(m, NULL);
	else if (engines)
		status = compare(m);
	else
		run(m, NULL);
	wasm_module_free(m);
	return status;
}
