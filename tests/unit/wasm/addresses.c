/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way to an address, at every limit: width of the index, how it is
 * computed, offset, kind of access, size of memory.  Whether it lies within
 * memory is known here; what is read or written has to be the same in all
 * engines.  Before and behind memory lie pages that nobody may touch.
 * The default is a sample, DONJON_ALL=1 the whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../test.h"
#include "helpers/build.h"
#include "wasm/store_priv.h"

enum { WASM_PAGE = 65536, FENCE = 4096, EDGE = 256 };

/* --- what is done at an address ----------------------------------------------
 */

struct access {
	uint8_t prefix, op; /* prefix 0: none */
	uint8_t size;
	char type; /* of the result, or of the value */
	bool store, lane;
};

/* clang-format off */
static const struct access accesses[] = {
	{ 0, 0x28, 4, 'i', 0, 0 }, { 0, 0x29, 8, 'I', 0, 0 },
	{ 0, 0x2a, 4, 'f', 0, 0 }, { 0, 0x2b, 8, 'F', 0, 0 },
	{ 0, 0x2c, 1, 'i', 0, 0 }, { 0, 0x2d, 1, 'i', 0, 0 },
	{ 0, 0x2e, 2, 'i', 0, 0 }, { 0, 0x2f, 2, 'i', 0, 0 },
	{ 0, 0x30, 1, 'I', 0, 0 }, { 0, 0x31, 1, 'I', 0, 0 },
	{ 0, 0x32, 2, 'I', 0, 0 }, { 0, 0x33, 2, 'I', 0, 0 },
	{ 0, 0x34, 4, 'I', 0, 0 }, { 0, 0x35, 4, 'I', 0, 0 },
	{ 0, 0x36, 4, 'i', 1, 0 }, { 0, 0x37, 8, 'I', 1, 0 },
	{ 0, 0x38, 4, 'f', 1, 0 }, { 0, 0x39, 8, 'F', 1, 0 },
	{ 0, 0x3a, 1, 'i', 1, 0 }, { 0, 0x3b, 2, 'i', 1, 0 },
	{ 0, 0x3c, 1, 'I', 1, 0 }, { 0, 0x3d, 2, 'I', 1, 0 },
	{ 0, 0x3e, 4, 'I', 1, 0 },
	{ 0xfd, 0, 16, 'V', 0, 0 }, { 0xfd, 1, 8, 'V', 0, 0 },
	{ 0xfd, 2, 8, 'V', 0, 0 }, { 0xfd, 3, 8, 'V', 0, 0 },
	{ 0xfd, 4, 8, 'V', 0, 0 }, { 0xfd, 5, 8, 'V', 0, 0 },
	{ 0xfd, 6, 8, 'V', 0, 0 }, { 0xfd, 7, 1, 'V', 0, 0 },
	{ 0xfd, 8, 2, 'V', 0, 0 }, { 0xfd, 9, 4, 'V', 0, 0 },
	{ 0xfd, 10, 8, 'V', 0, 0 }, { 0xfd, 11, 16, 'V', 1, 0 },
	{ 0xfd, 84, 1, 'V', 0, 1 }, { 0xfd, 85, 2, 'V', 0, 1 },
	{ 0xfd, 86, 4, 'V', 0, 1 }, { 0xfd, 87, 8, 'V', 0, 1 },
	{ 0xfd, 88, 1, 'V', 1, 1 }, { 0xfd, 89, 2, 'V', 1, 1 },
	{ 0xfd, 90, 4, 'V', 1, 1 }, { 0xfd, 91, 8, 'V', 1, 1 },
	{ 0xfd, 92, 4, 'V', 0, 0 }, { 0xfd, 93, 8, 'V', 0, 0 },
};
/* clang-format on */

/* How the address comes from x; those from TWICE on do something before. */
enum way {
	PLAIN,
	PLUS,	/* x + 3 */
	MINUS,	/* x - 3 */
	TIMES2, /* x << 1 */
	TIMES4,
	TIMES8,
	SCALED,	 /* (x << 2) + 3 */
	SUM,	 /* x + (x << 3) */
	MASKED,	 /* x & 0xffff */
	SHIFTED, /* x >> 3, unsigned */
	PRODUCT, /* x * 5 */
	FIXED,	 /* x is known when compiling */
	TWICE,	 /* a byte is read at the same place before */
	FURTHER, /* a byte is read 16 behind it before */
	WAYS,
};

static uint64_t computed(enum way w, uint64_t x, bool wide)
{
	uint64_t v = x;
	switch (w) {
	case PLUS:
		v = x + 3;
		break;
	case MINUS:
		v = x - 3;
		break;
	case TIMES2:
	case TIMES4:
	case TIMES8:
		v = x << (w - TIMES2 + 1);
		break;
	case SCALED:
		v = (x << 2) + 3;
		break;
	case SUM:
		v = x + (x << 3);
		break;
	case MASKED:
		v = x & 0xffff;
		break;
	case SHIFTED:
		v = (wide ? x : (uint32_t)x) >> 3;
		break;
	case PRODUCT:
		v = x * 5;
		break;
	default:
		break;
	}
	return wide ? v : (uint32_t)v;
}

/* An x that leads to the address, or close to it. */
static uint64_t back(enum way w, uint64_t address)
{
	switch (w) {
	case PLUS:
		return address - 3;
	case MINUS:
		return address + 3;
	case TIMES2:
	case TIMES4:
	case TIMES8:
		return address >> (w - TIMES2 + 1);
	case SCALED:
		return (address - 3) >> 2;
	case SUM:
		return address / 9;
	case SHIFTED:
		return address << 3;
	case PRODUCT:
		return address / 5;
	default:
		return address;
	}
}

static const uint64_t offsets[] = { 0, 1, 2, 3, 7, 8, 15, 16, 48, 49, 56, 57,
	60, 61, 62, 63, 64, 65, 0xfff0, 0xfff8, 0xffff, 0x10000, 0x7ffffff0,
	0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
	/* of 64-bit memories only */
	0x100000000, 0x7ffffffffffffff0, 0x7fffffffffffffff, 0x8000000000000000,
	0xfffffffffffffff0, 0xffffffffffffffff };
enum { NARROW_OFFSETS = 27 };

/* --- functions
 * ----------------------------------------------------------------
 */

struct shape {
	bool wide;
	uint64_t pages;
};

struct function {
	const struct access *a;
	enum way way;
	uint64_t offset, fixed;
};

static void put_const(struct buf *b, bool wide, uint64_t v)
{
	buf_u8(b, wide ? 0x42 : 0x41);
	sleb(b, wide ? (int64_t)v : (int32_t)(uint32_t)v);
}

/* x op k; the opcodes are those of i32. */
static void put_op(struct buf *b, bool wide, uint8_t op, uint64_t k)
{
	put_const(b, wide, k);
	buf_u8(b, (uint8_t)(op + (wide ? 0x7c - 0x6a : 0)));
}

static void put_address(struct buf *b, const struct function *f, bool wide)
{
	enum { GET = 0x20, AND = 0x71, SHL = 0x74, SHR = 0x76, MUL = 0x6c };
	uint8_t add = (uint8_t)(0x6a + (wide ? 0x7c - 0x6a : 0));
	if (f->way == FIXED) {
		put_const(b, wide, f->fixed);
		return;
	}
	buf_put(b, B(GET, 0));
	switch (f->way) {
	case PLUS:
		put_op(b, wide, 0x6a, 3);
		break;
	case MINUS:
		put_op(b, wide, 0x6b, 3);
		break;
	case TIMES2:
	case TIMES4:
	case TIMES8:
		put_op(b, wide, SHL, (uint64_t)(f->way - TIMES2 + 1));
		break;
	case SCALED:
		put_op(b, wide, SHL, 2);
		put_op(b, wide, 0x6a, 3);
		break;
	case SUM:
		buf_put(b, B(GET, 0));
		put_op(b, wide, SHL, 3);
		buf_u8(b, add);
		break;
	case MASKED:
		put_op(b, wide, AND, 0xffff);
		break;
	case SHIFTED:
		put_op(b, wide, SHR, 3);
		break;
	case PRODUCT:
		put_op(b, wide, MUL, 5);
		break;
	default:
		break;
	}
}

static void put_vector(struct buf *b)
{
	buf_put(b, B(0xfd, 12));
	for (uint8_t k = 0; k < 16; k++)
		buf_u8(b, (uint8_t)(k * 17 + 0x81));
}

static void put_value(struct buf *b, char type)
{
	switch (type) {
	case 'i':
		put_const(b, false, 0x87654321);
		break;
	case 'I':
		put_const(b, true, 0x8765432112345678);
		break;
	case 'f':
		buf_put(b, B(0x43, 1, 2, 3, 4));
		break;
	case 'F':
		buf_put(b, B(0x44, 1, 2, 3, 4, 5, 6, 7, 8));
		break;
	default:
		put_vector(b);
	}
}

/* A byte is read, and dropped. */
static void put_look(struct buf *b, const struct function *f, bool wide,
	uint64_t offset)
{
	put_address(b, f, wide);
	buf_put(b, B(0x2d, 0));
	leb(b, offset);
	buf_u8(b, 0x1a);
}

static void put_function(struct build *b, const struct function *f, bool wide,
	size_t number)
{
	const struct access *a = f->a;
	auto_buf code = { 0 };
	char name[16], sig[8];
	snprintf(name, sizeof name, "%zu", number);
	snprintf(sig, sizeof sig, a->store ? "%c:" : "%c:%c", wide ? 'I' : 'i',
		a->type);
	if (f->way == TWICE)
		put_look(&code, f, wide, f->offset);
	else if (f->way == FURTHER && f->offset <= UINT32_MAX - 16)
		put_look(&code, f, wide, f->offset + 16);
	put_address(&code, f, wide);
	if (a->store)
		put_value(&code, a->type);
	else if (a->lane)
		put_vector(&code);
	if (a->prefix)
		buf_u8(&code, a->prefix);
	leb(&code, a->op);
	buf_u8(&code, 0);
	leb(&code, f->offset);
	if (a->lane)
		buf_u8(&code, (uint8_t)(16 / a->size - 1));
	build_func(b, name, sig, "", buf_bytes(&code));
}

/* --- engines
 * -------------------------------------------------------------------
 */

enum { ENGINES = 4 };

static const struct wasm_limits engines[ENGINES] = {
	{ .engine = WASM_ENGINE_INTERP, .memory_bytes = 1ull << 36 },
	{ .engine = WASM_ENGINE_AUTO, .memory_bytes = 1ull << 36 },
	{ .engine = WASM_ENGINE_AUTO,
		.memory_bytes = 1ull << 36,
		.jit_mask = true },
	{ .engine = WASM_ENGINE_AUTO,
		.memory_bytes = 1ull << 36,
		.jit_stress = 3 },
};

struct engine {
	struct wasm_instance *i;
	uint8_t *was, *map;
	struct wasm_result r;
	uint64_t out[2];
};

struct set {
	struct wasm_module *m;
	struct engine e[ENGINES];
	uint64_t len;
	size_t calls;
};

static uint8_t content(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 256 + 1);
}

static void fill(const struct set *s, uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		for (int k = 0; k < ENGINES; k++)
			s->e[k].map[FENCE + from] = content(from);
}

/* The engine's memory, where it can't be missed. */
static void fence(struct engine *e, uint64_t len)
{
	size_t all = (size_t)len + FENCE * 2ul;
	e->map = mmap(NULL, all, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(e->map != MAP_FAILED);
	CHECK(!len ||
		!mprotect(e->map + FENCE, (size_t)len, PROT_READ | PROT_WRITE));
	e->was = e->i->memories[0]->data;
	e->i->memories[0]->data = e->map + FENCE;
}

static bool set_init(struct set *s, struct build *b)
{
	auto_buf out = { 0 };
	struct wasm_result r;
	struct err e = { 0 };
	build_done(b, &out);
	*s = (struct set){ 0 };
	if (!wasm_module_new(buf_bytes(&out), &engines[0], &s->m, &e))
		fail_msg("%s", e.text);
	for (int k = 0; k < ENGINES; k++) {
		if (!wasm_instance_new(s->m, NULL, 0, &engines[k], &s->e[k].i,
			    &r, &e))
			return false;
		s->len = s->e[k].i->memories[0]->len;
		fence(&s->e[k], s->len);
	}
	fill(s, 0, s->len < WASM_PAGE ? s->len : WASM_PAGE);
	fill(s, s->len < WASM_PAGE ? 0 : s->len - WASM_PAGE, s->len);
	return true;
}

static void set_fini(struct set *s)
{
	for (int k = 0; k < ENGINES; k++) {
		struct engine *e = &s->e[k];
		if (e->map)
			e->i->memories[0]->data = e->was;
		if (e->map)
			munmap(e->map, (size_t)s->len + FENCE * 2ul);
		wasm_instance_free(e->i);
	}
	wasm_module_free(s->m);
}

/* All engines call it, and end alike. */
static void call_all(struct set *s, const char *name, const uint64_t *in,
	size_t params, size_t results)
{
	struct err e = { 0 };
	for (int k = 0; k < ENGINES; k++) {
		struct engine *x = &s->e[k];
		x->out[0] = x->out[1] = 0;
		if (!wasm_call(x->i, name, in, params, x->out, results, &x->r,
			    &e))
			fail_msg("%s: %s", name, e.text);
		if (x->r.end != s->e[0].r.end || x->r.trap != s->e[0].r.trap ||
			x->out[0] != s->e[0].out[0] ||
			x->out[1] != s->e[0].out[1])
			fail_msg("%s(%llx) in engine %d: %d %llx %llx, not %d "
				 "%llx %llx",
				name, (unsigned long long)in[0], k, x->r.end,
				(unsigned long long)x->out[0],
				(unsigned long long)x->out[1], s->e[0].r.end,
				(unsigned long long)s->e[0].out[0],
				(unsigned long long)s->e[0].out[1]);
	}
	s->calls++;
}

static void compare(const struct set *s, uint64_t from, uint64_t to)
{
	to = to > s->len ? s->len : to;
	for (int k = 1; k < ENGINES && from < to; k++)
		CHECK_MEM(s->e[0].map + FENCE + from,
			s->e[k].map + FENCE + from, to - from);
}

static bool within(const struct set *s, uint64_t address, uint64_t offset,
	uint64_t size)
{
	uint64_t at, end;
	return !__builtin_add_overflow(address, offset, &at) &&
		!__builtin_add_overflow(at, size, &end) && end <= s->len;
}

/* --- loads and stores
 * -------------------------------------------------------------
 */

static void access_at(struct set *s, const struct function *f, bool wide,
	const char *name, uint64_t x)
{
	x = wide ? x : (uint32_t)x;
	uint64_t address =
		f->way == FIXED ? f->fixed : computed(f->way, x, wide);
	bool fits = within(s, address, f->offset, f->a->size);
	uint64_t at = address + f->offset;
	if (f->way == FURTHER && f->offset <= UINT32_MAX - 16)
		fits &= within(s, address, f->offset + 16, 1);
	call_all(s, name, &x, 1, f->a->store ? 0 : f->a->type == 'V' ? 2 : 1);
	if (s->e[0].r.end != (fits ? WASM_RETURNED : WASM_TRAPPED) ||
		(!fits && s->e[0].r.trap != WASM_TRAP_MEMORY))
		fail_msg("%s: way %d, offset %llx, x %llx: %s", name, f->way,
			(unsigned long long)f->offset, (unsigned long long)x,
			fits ? "traps" : "does not trap");
	if (!fits || !f->a->store)
		return;
	compare(s, at < EDGE ? 0 : at - EDGE, at + EDGE);
	fill(s, at, at + f->a->size);
}

static void access_all(struct set *s, const struct function *f, bool wide,
	size_t number)
{
	static const uint64_t far[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff,
		0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xffffffffffffffff };
	char name[16];
	uint64_t last = s->len - f->a->size - f->offset;
	snprintf(name, sizeof name, "%zu", number);
	for (size_t k = 0; k < ARRAY_LEN(far); k++)
		access_at(s, f, wide, name, far[k]);
	if (f->way == FIXED)
		return;
	for (uint64_t d = 0; d < 7; d++)
		access_at(s, f, wide, name, back(f->way, last) + d - 3);
	access_at(s, f, wide, name, back(f->way, 0 - f->offset));
	access_at(s, f, wide, name, back(f->way, 0 - f->offset - f->a->size));
	access_at(s, f, wide, name, back(f->way, last - 16));
}

static void add(struct function *list, size_t *n, struct function f,
	unsigned one_of)
{
	if ((unsigned)rand() % one_of == 0)
		list[(*n)++] = f;
}

/* One function of each kind, or a sample of them. */
static size_t functions(const struct shape *sh, struct function *list,
	unsigned one_of)
{
	size_t n = 0, count = sh->wide ? ARRAY_LEN(offsets) : NARROW_OFFSETS;
	for (size_t a = 0; a < ARRAY_LEN(accesses); a++)
		for (size_t o = 0; o < count; o++)
			for (int w = 0; w < WAYS; w++) {
				struct function f = { &accesses[a], (enum way)w,
					offsets[o], 0 };
				uint64_t last = sh->pages * WASM_PAGE -
					f.a->size - f.offset;
				if (w != FIXED) {
					add(list, &n, f, one_of);
					continue;
				}
				for (int d = -1; d < 2; d++) {
					f.fixed = last + (uint64_t)(int64_t)d;
					if (!sh->wide)
						f.fixed = (uint32_t)f.fixed;
					add(list, &n, f, one_of);
				}
			}
	return n;
}

static void put_memory(struct build *b, const struct shape *sh)
{
	buf_u8(&b->memories, sh->wide ? 5 : 1);
	leb(&b->memories, sh->pages);
	leb(&b->memories, sh->pages);
	b->memory_count++;
}

enum { AT_ONCE = 2000, MOST = 45 * 33 * (WAYS + 2) };

static size_t check_shape(const struct shape *sh, unsigned one_of)
{
	struct function *list = calloc(MOST, sizeof *list);
	size_t n = functions(sh, list, one_of), calls = 0;
	for (size_t first = 0; first < n; first += AT_ONCE) {
		struct build b = { 0 };
		struct set s;
		size_t end = first + AT_ONCE < n ? first + AT_ONCE : n;
		put_memory(&b, sh);
		for (size_t k = first; k < end; k++)
			put_function(&b, &list[k], sh->wide, k);
		bool ok = set_init(&s, &b);
		if (!ok && sh->pages < 100)
			fail_msg("no memory of %llu pages",
				(unsigned long long)sh->pages);
		for (size_t k = first; ok && k < end; k++)
			access_all(&s, &list[k], sh->wide, k);
		if (sh->pages < 100)
			compare(&s, 0, s.len);
		calls += s.calls;
		set_fini(&s);
	}
	free(list);
	return calls;
}

static const struct shape shapes[] = { { false, 0 }, { false, 1 }, { false, 2 },
	{ false, 3 }, { false, 65535 }, { false, 65536 }, { true, 0 },
	{ true, 1 }, { true, 2 }, { true, 65535 }, { true, 65536 },
	{ true, 65537 } };

TEST(every_way_to_an_address_ends_where_memory_does)
{
	bool all = getenv("DONJON_ALL") != NULL;
	size_t calls = 0;
	srand(5);
	for (size_t k = 0; k < ARRAY_LEN(shapes); k++)
		calls += check_shape(&shapes[k], all ? 1 : 40);
	print_message("# %zu calls%s\n", calls,
		all ? "" : "; with DONJON_ALL=1 all");
	CHECK(calls > 10000);
}

/* --- many bytes at once
 * ------------------------------------------------------------
 */

static void put_bulk(struct build *b, bool wide)
{
	const char *sig = wide ? "III:" : "iii:";
	static const uint8_t data[300] = { 1, 2, 3, 4, 5 };
	build_func(b, "copy", sig, "",
		B(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0));
	if (wide)
		build_func(b, "fill", sig, "",
			B(0x20, 0, 0x20, 1, 0xa7, 0x20, 2, 0xfc, 11, 0));
	else
		build_func(b, "fill", sig, "",
			B(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0));
	if (wide)
		build_func(b, "init", sig, "",
			B(0x20, 0, 0x20, 1, 0xa7, 0x20, 2, 0xa7, 0xfc, 8, 0,
				0));
	else
		build_func(b, "init", sig, "",
			B(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 8, 0, 0));
	b->data_count_section = true;
	build_data(b, true, 0, bytes_of(data, sizeof data));
}

static void bulk_at(struct set *s, const char *name, const uint64_t in[3],
	bool wide)
{
	uint64_t n = in[2];
	bool init = name[0] == 'i', fits = within(s, in[0], 0, n);
	if (name[0] == 'c')
		fits &= within(s, in[1], 0, n);
	if (init) {
		uint64_t from = (uint32_t)in[1];
		n = (uint32_t)n;
		fits = within(s, in[0], 0, n) && from + n <= 300;
	}
	/* Gigabytes take long. */
	if (fits && n > 2 * WASM_PAGE)
		return;
	call_all(s, name, in, 3, 0);
	(void)wide;
	if (s->e[0].r.end != (fits ? WASM_RETURNED : WASM_TRAPPED))
		fail_msg("%s(%llx, %llx, %llx): %s", name,
			(unsigned long long)in[0], (unsigned long long)in[1],
			(unsigned long long)n,
			fits ? "traps" : "does not trap");
	if (!fits)
		return;
	compare(s, in[0] < EDGE ? 0 : in[0] - EDGE, in[0] + n + EDGE);
}

static size_t check_bulk(const struct shape *sh, unsigned one_of)
{
	static const char *const names[] = { "copy", "fill", "init" };
	static const uint64_t lengths[] = { 0, 1, 2, 7, 8, 15, 16, 17, 31, 32,
		33, 63, 64, 65, 255, 256, 300, 301, 4096, 65535, 65536, 65537,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x8000000000000000, 0xffffffffffffffff };
	struct build b = { 0 };
	struct set s;
	put_memory(&b, sh);
	put_bulk(&b, sh->wide);
	if (!set_init(&s, &b)) {
		set_fini(&s);
		return 0;
	}
	const uint64_t places[] = { 0, 1, 13, s.len / 2, s.len - 300,
		s.len - 64, s.len - 33, s.len - 16, s.len - 9, s.len - 1, s.len,
		s.len + 1, 0xffffffff, 0x8000000000000000, 0xffffffffffffffff };
	for (size_t f = 0; f < ARRAY_LEN(names); f++)
		for (size_t d = 0; d < ARRAY_LEN(places); d++)
			for (size_t o = 0; o < ARRAY_LEN(places); o++)
				for (size_t n = 0; n < ARRAY_LEN(lengths);
					n++) {
					uint64_t in[] = { places[d], places[o],
						lengths[n] };
					for (int k = 0; !sh->wide && k < 3; k++)
						in[k] = (uint32_t)in[k];
					if ((unsigned)rand() % one_of == 0)
						bulk_at(&s, names[f], in,
							sh->wide);
				}
	if (sh->pages < 100)
		compare(&s, 0, s.len);
	size_t calls = s.calls;
	set_fini(&s);
	return calls;
}

TEST(bulk_operations_end_where_memory_does)
{
	bool all = getenv("DONJON_ALL") != NULL;
	size_t calls = 0;
	srand(6);
	for (size_t k = 0; k < ARRAY_LEN(shapes); k++)
		calls += check_bulk(&shapes[k], all ? 1 : 30);
	print_message("# %zu calls%s\n", calls,
		all ? "" : "; with DONJON_ALL=1 all");
	CHECK(calls > 1000);
}
