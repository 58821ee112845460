/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench/wasm_load FILE...: how fast modules are decoded, validated and
 * rewritten, and what they take; then a made module of 30 MB with 18,000
 * functions.  Processor time, the best of several.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "wasm/wasm.h"

enum { RUNS = 10, FUNCS = 18000, BODY = 1700 };

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool report(const char *name, struct bytes in, int runs)
{
	double best = 1e9;
	size_t held = 0;
	for (int i = 0; i < runs; i++) {
		struct wasm_module *m;
		struct err e = { 0 };
		double from = cpu_now();
		if (!wasm_module_new(in, NULL, &m, &e)) {
			fprintf(stderr, "%s: %s\n", name, e.text);
			return false;
		}
		double took = cpu_now() - from;
		best = took < best ? took : best;
		held = wasm_module_footprint(m);
		wasm_module_free(m);
	}
	printf("  %-20s %7.2f MB  %6.0f MB/s  %7.2f MiB\n", name,
		(double)in.len / 1e6, (double)in.len / 1e6 / best,
		(double)held / (1 << 20));
	return true;
}

static bool read_file(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	for (size_t n = 1; n;) {
		uint8_t *p = buf_reserve(out, 1 << 20);
		n = p ? fread(p, 1, 1 << 20, f) : 0;
		buf_commit(out, n);
	}
	fclose(f);
	return buf_ok(out);
}

static void leb(struct buf *b, size_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_u8(b, (uint8_t)(v | 0x80));
	buf_u8(b, (uint8_t)v);
}

static void section(struct buf *out, uint8_t id, struct buf *body)
{
	buf_u8(out, id);
	leb(out, body->len);
	buf_put(out, buf_bytes(body));
	body->len = 0;
}

/* Loads, stores, arithmetic, branches, and a call of the function before. */
static void make_body(struct buf *b, size_t number)
{
	static const uint8_t piece[] = { 0x20, 0, 0x20, 1, 0x28, 2, 8, 0x6a,
		0x21, 1, 0x02, 0x40, 0x20, 1, 0x41, 5, 0x4a, 0x0d, 0, 0x20, 0,
		0x20, 1, 0x41, 3, 0x6c, 0x36, 2, 16, 0x0b };
	while (b->len < BODY - 20)
		buf_put(b, bytes_of(piece, sizeof piece));
	if (number) {
		static const uint8_t args[] = { 0x20, 0, 0x20, 1, 0x10 };
		buf_put(b, bytes_of(args, sizeof args));
		leb(b, number - 1);
		buf_u8(b, 0x1a);
	}
	buf_u8(b, 0x20);
	buf_u8(b, 1);
	buf_u8(b, 0x0b);
}

static void make_large(struct buf *out)
{
	auto_buf s = { 0 }, body = { 0 };
	buf_put(out, bytes_of("\0asm\1\0\0\0", 8));
	buf_put(&s, bytes_of("\1\x60\2\x7f\x7f\1\x7f", 7));
	section(out, 1, &s);
	leb(&s, FUNCS);
	for (size_t i = 0; i < FUNCS; i++)
		buf_u8(&s, 0);
	section(out, 3, &s);
	buf_put(&s, bytes_of("\1\0\1", 3));
	section(out, 5, &s);
	leb(&s, FUNCS);
	for (size_t i = 0; i < FUNCS; i++) {
		body.len = 0;
		buf_u8(&body, 0);
		make_body(&body, i);
		leb(&s, body.len);
		buf_put(&s, buf_bytes(&body));
	}
	section(out, 10, &s);
}

int main(int argc, char **argv)
{
	bool ok = true;
	struct rusage usage;
	for (int i = 1; i < argc; i++) {
		auto_buf file = { 0 };
		const char *slash = strrchr(argv[i], '/');
		ok = read_file(argv[i], &file) &&
			report(slash ? slash + 1 : argv[i], buf_bytes(&file),
				RUNS) &&
			ok;
	}
	auto_buf large = { 0 };
	make_large(&large);
	ok = buf_ok(&large) &&
		report("18,000 functions", buf_bytes(&large), 2) && ok;
	getrusage(RUSAGE_SELF, &usage);
	printf("  peak of the process, the module's bytes included: %ld MiB\n",
		usage.ru_maxrss / 1024);
	return ok ? 0 : 1;
}
