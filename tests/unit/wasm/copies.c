/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies, fills, tables and memories behind the first one, compiled beside
 * interpreted: memory is the same afterwards, and so is the end.
 */
#include "../test.h"
#include "helpers/build.h"
#include "helpers/pair.h"
#include "wasm/store_priv.h"

#if defined(__x86_64__)
#define GET(i) 0x20, i
#define I32(i) 0x41, i /* -64 to 63 */
#define COPY   0xfc, 10, 0, 0
#define FILL   0xfc, 11, 0
#define AND    0x71
#define SHR    0x76
#define ADD    0x6a

static void same_memory(const struct pair *p, uint32_t n)
{
	const struct wasm_memory *want = p->interp->memories[n];
	const struct wasm_memory *got = p->jit->memories[n];
	CHECK_INT(got->len, want->len);
	CHECK_MEM(got->data, want->data, want->len);
}

static void mix(struct wasm_instance *i)
{
	struct wasm_memory *m = i->memories[0];
	for (size_t k = 0; k < m->len; k++)
		m->data[k] = (uint8_t)(k * 7 + k / 256 + k / 3);
}

/* A length in three bytes of LEB128. */
static void put_length(struct buf *code, uint32_t n)
{
	buf_u8(code, 0x41);
	sleb(code, n);
}

/* Where the last of memory's 65,536 bytes is that x counts from. */
static void put_base(struct buf *code, uint32_t at)
{
	buf_u8(code, 0x41);
	sleb(code, at);
	buf_put(code, B(GET(0), ADD));
}

static const uint32_t lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24,
	31, 32, 33, 47, 48, 63, 64, 65, 100, 1000 };

/* copy(x): from 100 to 90 + x; known as a constant or not. */
static void copy_of(uint32_t n, bool constant, uint32_t registers)
{
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	build_memory(&b, 1, 1);
	build_global(&b, 'i', true, n);
	put_base(&code, 90);
	buf_put(&code, B(0x41, 0xe4, 0));
	if (constant)
		put_length(&code, n);
	else
		buf_put(&code, B(0x23, 0));
	buf_put(&code, B(COPY, I32(0)));
	build_func(&b, "copy", "i:i", "", buf_bytes(&code));
	pair_limited(&p, &b,
		(struct wasm_limits){ .jit_registers = registers });
	mix(p.interp);
	mix(p.jit);
	for (uint64_t x = 0; x < 20; x++) {
		both(&p, "copy", x);
		same_memory(&p, 0);
	}
	for (uint64_t x = 65536 - 90 - n - 2; x < 65536 - 90 - n + 3ull; x++) {
		both(&p, "copy", x);
		CHECK_INT(p.rj.end == WASM_TRAPPED, x + 90 + n > 65536);
		same_memory(&p, 0);
	}
	both(&p, "copy", 0xffffffff - 90);
	CHECK_INT(compiled(&p), 1);
	pair_fini(&p);
}

TEST(copies_of_every_length_overlap_and_end_with_memory)
{
	for (size_t k = 0; k < ARRAY_LEN(lengths); k++) {
		copy_of(lengths[k], false, 0);
		copy_of(lengths[k], true, 0);
		copy_of(lengths[k], true, 4);
	}
}

/* fill(x): from x on, with 0x1ab. */
static void fill_of(uint32_t n, bool constant)
{
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	build_memory(&b, 1, 1);
	build_global(&b, 'i', true, n);
	buf_put(&code, B(GET(0), 0x41, 0xab, 3));
	if (constant)
		put_length(&code, n);
	else
		buf_put(&code, B(0x23, 0));
	buf_put(&code, B(FILL, I32(0)));
	build_func(&b, "fill", "i:i", "", buf_bytes(&code));
	pair_init(&p, &b);
	mix(p.interp);
	mix(p.jit);
	for (uint64_t x = 65536 - n - 9; x < 65536 - n + 3ull; x++) {
		both(&p, "fill", x);
		CHECK_INT(p.rj.end == WASM_TRAPPED, x + n > 65536);
		same_memory(&p, 0);
	}
	both(&p, "fill", 0xffffffff);
	pair_fini(&p);
}

TEST(fills_of_every_length_end_with_memory)
{
	for (size_t k = 0; k < ARRAY_LEN(lengths); k++) {
		fill_of(lengths[k], false);
		fill_of(lengths[k], true);
	}
}

TEST(long_copies_take_as_much_fuel_as_in_the_interpreter)
{
	struct build b = { 0 };
	struct pair p;
	bool returned = false, stopped = false;
	build_memory(&b, 1, 1);
	build_func(&b, "f", "i:i", "",
		B(I32(9), I32(0), GET(0), COPY, I32(0), I32(7), GET(0), FILL,
			I32(0)));
	pair_init(&p, &b);
	for (uint64_t fuel = 1; fuel < 60; fuel++) {
		wasm_instance_fuel(p.interp, fuel);
		wasm_instance_fuel(p.jit, fuel);
		both(&p, "f", 1000);
		returned |= p.rj.end == WASM_RETURNED;
		stopped |= p.rj.end == WASM_STOPPED;
	}
	CHECK(returned && stopped);
	pair_fini(&p);
}

/* --- memories behind the first one ------------------------------------------
 */

/* Stores 77 at x and loads it, in the way of opcodes `op`, `load`. */
static void put_far(struct build *b, const char *name, uint8_t store,
	uint8_t load, uint8_t offset, bool wide, bool narrow)
{
	auto_buf code = { 0 };
	if (wide)
		buf_put(&code, B(GET(0), 0xad));
	else
		buf_put(&code, B(GET(0)));
	buf_put(&code, B(0x42, 0xcd, 0));
	if (narrow)
		buf_put(&code, B(0xa7));
	buf_put(&code, B(store, 0x40, 1, offset));
	if (wide)
		buf_put(&code, B(GET(0), 0xad));
	else
		buf_put(&code, B(GET(0)));
	buf_put(&code, B(load, 0x40, 1, offset));
	if (!narrow)
		buf_put(&code, B(0xa7));
	build_func(b, name, "i:i", "", buf_bytes(&code));
}

static void far_memory(bool wide)
{
	static const struct {
		uint8_t store, load, size;
		bool narrow;
	} of[] = { { 0x36, 0x28, 4, true }, { 0x37, 0x29, 8, false },
		{ 0x3a, 0x2c, 1, true }, { 0x3b, 0x2f, 2, true },
		{ 0x3e, 0x34, 4, false } };
	for (size_t k = 0; k < ARRAY_LEN(of); k++) {
		for (uint8_t offset = 0; offset < 100;
			offset = (uint8_t)(offset + 60)) {
			struct build b = { 0 };
			struct pair p;
			build_memory(&b, 1, 1);
			buf_put(&b.memories, B(wide ? 5 : 1, 2, 2));
			b.memory_count++;
			put_far(&b, "f", of[k].store, of[k].load, offset, wide,
				of[k].narrow);
			pair_init(&p, &b);
			uint64_t end = 0x20000ull - of[k].size - offset;
			for (uint64_t x = end - 5; x < end + 5; x++) {
				both(&p, "f", x);
				CHECK_INT(p.rj.end == WASM_TRAPPED, x > end);
				same_memory(&p, 1);
			}
			both(&p, "f", 0xffffffff);
			CHECK_INT(compiled(&p), 1);
			pair_fini(&p);
		}
	}
}

TEST(another_memory_ends_where_it_ends)
{
	far_memory(false);
	far_memory(true);
}

/* --- tables ------------------------------------------------------------------
 */

TEST(table_slots_are_checked_and_found_after_growing)
{
	struct build b = { 0 };
	struct pair p;
	build_table(&b, 3, 20);
	/* grow by x % 4, set the slot x, read the slot x / 2, and the size */
	build_func(&b, "f", "i:i", "",
		B(0xd0, 0x70, GET(0), I32(3), AND, 0xfc, 15, 0, GET(0), 0xd2, 0,
			0x26, 0, GET(0), I32(1), SHR, 0x25, 0, 0xd1, ADD, 0xfc,
			16, 0, ADD));
	static const uint8_t funcs[] = { 0 };
	build_elem(&b, 0, funcs, 1);
	pair_init(&p, &b);
	for (uint64_t x = 0; x < 40; x++)
		both(&p, "f", x % 23);
	CHECK_INT(compiled(&p), 1);
	pair_fini(&p);
}
#endif
