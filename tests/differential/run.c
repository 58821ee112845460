/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every export of a module in the order of names, with zeros, and prints
 * what is seen of it: results, traps, what it logs, a hash of its memory.
 * run.cjs prints the same from node.  With --plan: the exports and their types.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "wasm/wasm.h"

static void print_value(char type, uint64_t v)
{
	float f;
	double d;
	uint32_t low = (uint32_t)v;
	memcpy(&f, &low, 4);
	memcpy(&d, &v, 8);
	if (type == 'i')
		printf(" %d", (int32_t)low);
	else if (type == 'I')
		printf(" %lld", (long long)v);
	else if (type == 'r')
		printf(v ? " ref" : " null");
	else if (type == 'V')
		printf(" vector");
	else if (type == 'f' ? f != f : d != d)
		printf(" nan");
	else if (type == 'f')
		printf(" %08x", low);
	else
		printf(" %016llx", (unsigned long long)v);
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
	printf("log");
	for (const char *t = ctx; *t != ':'; t++)
		print_value(*t, *slots++);
	printf("\n");
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

static void print_end(const struct wasm_result *r)
{
	if (r->end == WASM_TRAPPED)
		printf(r->trap == WASM_TRAP_EXCEPTION ? " exception" : " trap");
	else if (r->end != WASM_RETURNED)
		printf(" stopped");
}

static void call(struct wasm_instance *i, const char *name, const char *sig)
{
	uint64_t params[64] = { 0 }, results[64] = { 0 };
	size_t in = 0, out = 0;
	struct wasm_result r;
	struct err e = { 0 };
	const char *p = sig;
	for (; *p != ':'; p++)
		in += *p == 'V' ? 2 : 1;
	for (const char *q = p + 1; *q; q++)
		out += *q == 'V' ? 2 : 1;
	bool called = wasm_call(i, name, params, in, results, out, &r, &e);
	printf("%s", name);
	if (!called) {
		printf(" %s\n", e.text);
		return;
	}
	print_end(&r);
	size_t at = 0;
	for (p++; *p && r.end == WASM_RETURNED; p++) {
		print_value(*p, results[at]);
		at += *p == 'V' ? 2 : 1;
	}
	printf("\n");
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
	printf("memory %zu %08x\n", b.len, h);
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
			printf("%s %s\n", text, sig);
		else if (!strchr(sig, 'V'))
			call(i, text, sig);
	}
}

int main(int argc, char **argv)
{
	auto_buf file = { 0 };
	struct wasm_module *m;
	struct wasm_instance *i = NULL;
	struct wasm_result r;
	struct err e = { 0 };
	bool plan = argc == 3 && !strcmp(argv[1], "--plan");
	if (argc < 2 || !read_file(argv[argc - 1], &file))
		return 2;
	if (!wasm_module_new(buf_bytes(&file), NULL, &m, &e)) {
		printf("refused %s\n", e.text);
		return 1;
	}
	if (plan) {
		each(m, NULL);
	} else if (wasm_instance_new(m, imports, ARRAY_LEN(imports), NULL, &i,
			   &r, &e)) {
		each(m, i);
		print_memory(i);
	} else {
		printf("start");
		print_end(&r);
		printf("\n");
		if (r.end == WASM_RETURNED)
			fprintf(stderr, "%s\n", e.text);
	}
	wasm_instance_free(i);
	wasm_module_free(m);
	return 0;
}
