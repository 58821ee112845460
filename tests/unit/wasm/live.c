/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's roots.  Here it runs at every allocation: whatever it
 * overlooks is gone at once, whatever it takes for an address is followed.
 */
#include "../test.h"
#include "helpers/build.h"

#define GET(i)	  0x20, i
#define SET(i)	  0x21, i
#define TEE(i)	  0x22, i
#define I32(i)	  0x41, i
#define I64(i)	  0x42, i
#define CALL(i)	  0x10, i
#define DROP	  0x1a
#define END	  0x0b
#define NULL_ITEM 0xd0, 0
/* The item's constructor, its number, the item after it. */
#define NEW    0xfb, 0, 0
#define NUMBER 0xfb, 2, 0, 0
#define AFTER  0xfb, 2, 0, 1
/* From anyref back to an item. */
#define CAST 0xfb, 0x16, 0
#define HIDE 0xfb, 0x1b
#define SHOW 0xfb, 0x1a

enum { ITEM, ITEMS, FUNCTIONS };

/* struct { mut i64, mut (ref null 0) }, array of them; function 0 makes what
 * nobody wants. */
static void begin(struct build *b)
{
	buf_put(&b->types, B(0x5f, 2, 0x7e, 1, 0x63, 0, 1, 0x5e, 0x63, 0, 1));
	b->type_count += 2;
	build_func(b, NULL, ":", "",
		B(I64(33), NULL_ITEM, NEW, I64(44), NULL_ITEM, NEW, DROP,
			DROP));
}

static uint64_t run_by(const struct wasm_module *m, enum wasm_engine engine)
{
	struct wasm_limits l = { .collect_always = true, .engine = engine };
	struct wasm_instance *i;
	struct wasm_result r;
	struct err e = { 0 };
	uint64_t v = 0;
	CHECK(wasm_instance_new(m, NULL, 0, &l, &i, &r, &e));
	CHECK(wasm_call(i, "f", NULL, 0, &v, 1, &r, &e));
	if (r.end != WASM_RETURNED)
		fail_msg("%s", r.text);
	wasm_instance_free(i);
	return v;
}

/* What f gives, however it is run. */
static uint64_t run(struct build *b)
{
	struct wasm_module *m;
	struct err e = { 0 };
	auto_buf bytes = { 0 };
	build_done(b, &bytes);
	if (!wasm_module_new(buf_bytes(&bytes), NULL, &m, &e))
		fail_msg("%s", e.text);
	uint64_t v = run_by(m, WASM_ENGINE_INTERP);
	CHECK_INT(run_by(m, WASM_ENGINE_AUTO), v);
	wasm_module_free(m);
	return v;
}

TEST(values_on_the_stack_live_across_calls)
{
	struct build b = { 0 };
	begin(&b);
	build_func(&b, "f", ":I", "I",
		B(I64(5), NULL_ITEM, NEW, I64(8), I64(6), NULL_ITEM, NEW,
			CALL(0), NUMBER, 0x7c, CALL(0), SET(0), NUMBER, GET(0),
			0x7e));
	CHECK_INT(run(&b), 5 * 14);
}

TEST(a_local_read_before_a_call_and_written_after_it_is_still_there)
{
	struct build b = { 0 };
	begin(&b);
	/* the old value is on the stack while the local is given a new one */
	build_func(&b, "f", ":I", "y",
		B(I64(5), NULL_ITEM, NEW, SET(0), GET(0), CALL(0), I64(7),
			NULL_ITEM, NEW, SET(0), CALL(0), CAST, NUMBER, GET(0),
			CAST, NUMBER, 0x7e));
	CHECK_INT(run(&b), 35);
}

TEST(values_for_an_object_live_while_it_is_made)
{
	struct build b = { 0 };
	begin(&b);
	/* the inner items exist only as operands of the outer ones */
	build_func(&b, "f", ":I", "",
		B(I64(1), I64(2), I64(3), NULL_ITEM, NEW, NEW, NEW, AFTER,
			CALL(0), AFTER, NUMBER));
	CHECK_INT(run(&b), 3);
}

TEST(elements_for_an_array_live_while_it_is_made)
{
	struct build b = { 0 };
	begin(&b);
	build_func(&b, "f", ":I", "",
		B(I64(1), NULL_ITEM, NEW, I64(2), NULL_ITEM, NEW, 0xfb, 8,
			ITEMS, 2, CALL(0), I32(1), 0xfb, 11, ITEMS, NUMBER,
			/* and one for all elements */
			I64(20), NULL_ITEM, NEW, I32(3), 0xfb, 6, ITEMS,
			CALL(0), I32(2), 0xfb, 11, ITEMS, NUMBER, 0x7c));
	CHECK_INT(run(&b), 22);
}

TEST(what_a_parameter_refers_to_lives)
{
	struct build b = { 0 };
	begin(&b);
	build_func(&b, NULL, "yI:I", "",
		B(CALL(0), GET(0), CAST, NUMBER, GET(1), 0x7c));
	build_func(&b, NULL, "y:I", "", B(GET(0), I64(1), 0x12, 1));
	build_func(&b, "f", ":I", "", B(I64(40), NULL_ITEM, NEW, CALL(1 + 1)));
	CHECK_INT(run(&b), 41);
}

TEST(a_reference_that_looks_external_is_followed)
{
	struct build b = { 0 };
	begin(&b);
	build_func(&b, "f", ":I", "r",
		B(I64(9), NULL_ITEM, NEW, HIDE, SET(0), CALL(0), GET(0), SHOW,
			CAST, NUMBER));
	CHECK_INT(run(&b), 9);
}

TEST(numbers_are_not_taken_for_references)
{
	struct build b = { 0 };
	begin(&b);
	/* any of these would be an address, and a bad one */
	build_func(&b, "f", ":I", "Iy",
		B(I64(0x3f - 7), SET(0), I64(0x38), I64(0x30), NULL_ITEM, NEW,
			SET(1), GET(0), I64(8), 0x7c, CALL(0), GET(1), CAST,
			NUMBER, 0x7c, 0x7c));
	CHECK_INT(run(&b), 0x40 + 0x38 + 0x30);
}

TEST(the_values_of_an_exception_live_with_it)
{
	struct build b = { 0 };
	begin(&b);
	buf_u8(&b.tags, 0);
	leb(&b.tags, build_type(&b, "Iy:"));
	b.tag_count++;
	build_func(&b, NULL, ":", "",
		B(I64(8), I64(50), NULL_ITEM, NEW, 0x08, 0));
	/* caught, thrown again after others were made, caught again */
	build_func(&b, "f", ":I", "y",
		B(0x06, 0x40, 0x06, 0x40, CALL(1), 0x19, CALL(0), 0x09, 0, END,
			0x07, 0, SET(0), DROP, END, CALL(0), GET(0), CAST,
			NUMBER));
	CHECK_INT(run(&b), 50);
}

TEST(a_caught_exception_lives_as_a_value)
{
	struct build b = { 0 };
	begin(&b);
	buf_u8(&b.tags, 0);
	leb(&b.tags, build_type(&b, "Iy:"));
	b.tag_count++;
	build_func(&b, NULL, ":", "",
		B(I64(8), I64(51), NULL_ITEM, NEW, 0x08, 0));
	uint32_t both = build_type(&b, ":Iy");
	/* block exnref, try_table (catch_all_ref 0): call 1, unreachable */
	build_func(&b, "f", ":I", "x",
		B(0x02, 0x69, 0x1f, 0x40, 1, 3, 0, CALL(1), END, 0x00, END,
			SET(0), CALL(0), 0x02, (uint8_t)both, 0x1f, 0x40, 1, 0,
			0, 0, GET(0), 0x0a, END, 0x00, END, CALL(0), CAST,
			NUMBER, 0x7c));
	CHECK_INT(run(&b), 59);
}

TEST(tables_globals_and_segments_are_roots)
{
	struct build b = { 0 };
	begin(&b);
	/* (table 2 (ref null 0)); global (mut (ref null 0)) made by code */
	buf_put(&b.tables, B(0x63, ITEM, 0, 2));
	b.table_count++;
	buf_put(&b.globals, B(0x63, ITEM, 1, I64(1), NULL_ITEM, NEW, END));
	b.global_count++;
	/* passive, of (ref null 0), one expression */
	buf_put(&b.elems, B(5, 0x63, ITEM, 1, I64(2), NULL_ITEM, NEW, END));
	b.elem_count++;
	build_func(&b, "f", ":I", "",
		B(I32(1), I64(4), NULL_ITEM, NEW, 0x26, 0, CALL(0), I32(0),
			I32(0), I32(1), 0xfc, 12, 0, 0, CALL(0), I32(0), 0x25,
			0, NUMBER, I32(1), 0x25, 0, NUMBER, 0x7c, 0x23, 0,
			NUMBER, 0x7c));
	CHECK_INT(run(&b), 7);
}

/* As an embedder would: one instance imports from the one before. */
struct pair {
	struct wasm_instance *first;
};

static bool from_first(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	const struct pair *p = ctx;
	(void)module;
	return wasm_instance_export(p->first, name, out);
}

TEST(frames_of_several_instances_are_searched_each_by_its_own_module)
{
	struct build a = { 0 }, c = { 0 };
	struct wasm_module *ma, *mc;
	struct wasm_store *s;
	struct pair p = { 0 };
	struct wasm_instance *second;
	struct wasm_result r;
	struct err e = { 0 };
	auto_buf ab = { 0 }, cb = { 0 };
	struct wasm_limits l = { .collect_always = true };
	uint64_t out = 0;
	begin(&a);
	build_export(&a, "make", 0, 0);
	build_done(&a, &ab);
	build_import(&c, "make", ":");
	buf_put(&c.types, B(0x5f, 1, 0x7e, 0));
	uint8_t t = (uint8_t)c.type_count++;
	build_func(&c, NULL, ":", "I", B(CALL(0)));
	build_func(&c, "f", ":I", "",
		B(I64(12), 0xfb, 0, t, I64(13), 0xfb, 0, t, CALL(1), 0xfb, 2, t,
			0, CALL(0), DROP, 0xfb, 2, t, 0));
	build_done(&c, &cb);
	CHECK(wasm_module_new(buf_bytes(&ab), NULL, &ma, &e));
	CHECK(wasm_module_new(buf_bytes(&cb), NULL, &mc, &e));
	CHECK(wasm_store_new(&l, &s, &e));
	CHECK(wasm_store_instantiate(s, ma, from_first, &p, &p.first, &r, &e));
	CHECK(wasm_store_instantiate(s, mc, from_first, &p, &second, &r, &e));
	CHECK(wasm_call(second, "f", NULL, 0, &out, 1, &r, &e));
	CHECK_INT(out, 12);
	wasm_store_free(s);
	wasm_module_free(ma);
	wasm_module_free(mc);
}

TEST(what_a_slot_held_before_keeps_nothing_alive)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .module_bytes = 12 << 20 };
	/* an array of 8 MiB; its slot is not written again */
	buf_put(&b.types, B(0x5e, 0x7e, 1));
	b.type_count++;
	build_func(&b, "f", "i:i", "i",
		B(GET(0), 0xfb, 7, 0, 0xfb, 15, SET(1), GET(0), 0xfb, 7, 0,
			0xfb, 15, GET(1), 0x6a, SET(1), GET(0), 0xfb, 7, 0,
			0xfb, 15, GET(1), 0x6a));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "f", "i", 1u << 20), 3 << 20);
	made_fini(&x);
}

TEST(lists_of_live_slots_stay_as_short_as_the_code)
{
	struct build b = { 0 };
	struct made x;
	auto_buf code = { 0 };
	begin(&b);
	/* 5,000 items pile up, with a call after each */
	for (int i = 0; i < 5000; i++)
		buf_put(&code, B(I64(1), NULL_ITEM, NEW, CALL(0)));
	for (int i = 0; i < 5000; i++)
		buf_put(&code, B(DROP));
	build_func(&b, "f", ":", "", buf_bytes(&code));
	made_init(&x, &b);
	uint64_t none;
	CHECK(wasm_call(x.i, "f", NULL, 0, &none, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_RETURNED);
	CHECK(wasm_module_footprint(x.m) < 2 << 20);
	made_fini(&x);
}

/* How many functions of x were compiled. */
static uint32_t compiled(struct build *b, uint32_t *all)
{
	struct made x;
	struct wasm_limits l = { .engine = WASM_ENGINE_AUTO };
	made_limited(&x, b, &l);
	wasm_instance_jit_all(x.i, NULL, NULL);
	struct wasm_jit_stats s = wasm_instance_jit_stats(x.i);
	*all = s.compiled + s.refused;
	made_fini(&x);
	return s.compiled;
}

TEST(a_function_that_keeps_references_across_calls_is_compiled)
{
	struct build b = { 0 };
	uint32_t all;
	build_func(&b, NULL, ":", "", NONE);
	build_func(&b, "f", "r:r", "", B(CALL(0), GET(0)));
	uint32_t n = compiled(&b, &all);
	CHECK_INT(n, all);
}
