/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define I32(i) 0x41, i
#define END    0x0b

struct seen {
	unsigned calls;
	uint64_t slots[4];
	uint8_t *memory;
};

static bool add(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	struct seen *s = ctx;
	(void)c;
	s->calls++;
	memcpy(s->slots, slots, sizeof s->slots);
	slots[0] = (slots[0] + slots[1]) | (uint64_t)0xabcd << 32;
	return true;
}

static bool leave(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)ctx;
	return wasm_caller_exit(c, (uint32_t)slots[0]);
}

static bool refuse(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)ctx;
	(void)slots;
	return wasm_caller_trap(c, "no more");
}

static bool look(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)ctx;
	slots[0] = wasm_caller_memory(c, slots[0], slots[1]) != NULL;
	return wasm_caller_memory_size(c) == 65536;
}

static bool instantiate(struct build *b, const struct wasm_import *imports,
	size_t n, struct made *x)
{
	auto_buf out = { 0 };
	*x = (struct made){ 0 };
	build_done(b, &out);
	CHECK(wasm_module_new(buf_bytes(&out), NULL, &x->m, &x->e));
	return wasm_instance_new(x->m, imports, n, NULL, &x->i, &x->r, &x->e);
}

TEST(a_host_function_gets_parameters_and_gives_clean_results)
{
	struct seen s = { 0 };
	struct build b = { 0 };
	struct made x;
	const struct wasm_import im = { "m", "add", "ii:i", add, &s };
	build_import(&b, "add", "ii:i");
	build_func(&b, "f", "i:I", "", B(GET(0), I32(2), 0x10, 0, 0xad));
	CHECK(instantiate(&b, &im, 1, &x));
	CHECK_INT(made_call(&x, "f", "i", 40u), 42);
	CHECK_INT(s.slots[0], 40);
	CHECK_INT(s.slots[1], 2);
	made_fini(&x);
}

TEST(a_host_function_can_end_the_program)
{
	struct build b = { 0 };
	struct made x;
	const struct wasm_import im = { "m", "exit", "i:", leave, NULL };
	build_import(&b, "exit", "i:");
	build_func(&b, "f", ":", "", B(I32(9), 0x10, 0, 0x00));
	CHECK(instantiate(&b, &im, 1, &x));
	CHECK(wasm_call(x.i, "f", NULL, 0, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_EXITED);
	CHECK_INT(x.r.exit_code, 9);
	made_fini(&x);
}

TEST(a_host_function_can_trap_with_its_own_words)
{
	struct build b = { 0 };
	struct made x;
	const struct wasm_import im = { "m", "no", ":", refuse, NULL };
	build_import(&b, "no", ":");
	build_func(&b, "f", ":", "", B(0x10, 0));
	CHECK(instantiate(&b, &im, 1, &x));
	CHECK_INT(made_trap(&x, "f", ""), WASM_TRAP_HOST);
	CHECK_HAS(x.r.text, "no more");
	made_fini(&x);
}

TEST(a_host_function_sees_only_what_lies_in_memory)
{
	struct build b = { 0 };
	struct made x;
	const struct wasm_import im = { "m", "look", "ii:i", look, NULL };
	build_import(&b, "look", "ii:i");
	build_memory(&b, 1, 1);
	build_func(&b, "f", "ii:i", "", B(GET(0), GET(1), 0x10, 0));
	CHECK(instantiate(&b, &im, 1, &x));
	CHECK_INT(made_call(&x, "f", "ii", 0u, 65536u), 1);
	CHECK_INT(made_call(&x, "f", "ii", 65536u, 0u), 1);
	CHECK_INT(made_call(&x, "f", "ii", 65536u, 1u), 0);
	CHECK_INT(made_call(&x, "f", "ii", 1u, 65536u), 0);
	CHECK_INT(made_call(&x, "f", "ii", 0xffffffffu, 0xffffffffu), 0);
	made_fini(&x);
}

TEST(an_import_that_is_missing_is_named)
{
	struct build b = { 0 };
	struct made x;
	build_import(&b, "gone", ":");
	CHECK(!instantiate(&b, NULL, 0, &x));
	CHECK_HAS(x.e.text, "import m.gone: unknown import");
	made_fini(&x);
}

TEST(an_import_of_another_type_is_named)
{
	struct build b = { 0 };
	struct made x;
	const struct wasm_import im = { "m", "add", "iI:i", add, NULL };
	build_import(&b, "add", "ii:i");
	CHECK(!instantiate(&b, &im, 1, &x));
	CHECK_HAS(x.e.text, "import m.add: incompatible import type");
	made_fini(&x);
}

TEST(the_start_function_runs_and_its_trap_is_told)
{
	struct build b = { 0 };
	struct made x;
	build_global(&b, 'i', true, 0);
	build_func(&b, NULL, ":", "", B(I32(5), 0x24, 0));
	build_func(&b, "get", ":i", "", B(0x23, 0));
	b.start = 1;
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "get", ""), 5);
	made_fini(&x);
	build_func(&b, NULL, ":", "", B(0x00));
	b.start = 1;
	CHECK(!instantiate(&b, NULL, 0, &x));
	CHECK_INT(x.r.end, WASM_TRAPPED);
	CHECK_INT(x.r.trap, WASM_TRAP_UNREACHABLE);
	made_fini(&x);
}

TEST(a_data_segment_that_does_not_fit_is_a_trap)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_data(&b, false, 65534, BYTES_LIT("abc"));
	CHECK(!instantiate(&b, NULL, 0, &x));
	CHECK_INT(x.r.trap, WASM_TRAP_MEMORY);
	made_fini(&x);
}

static bool count_ticks(void *ctx)
{
	unsigned *n = ctx;
	return ++*n < 10;
}

TEST(the_tick_comes_regularly_and_can_stop_the_program)
{
	struct build b = { 0 };
	struct made x;
	unsigned ticks = 0;
	build_func(&b, "f", ":", "", B(0x03, 0x40, 0x0c, 0, END));
	made_init(&x, &b);
	wasm_instance_tick(x.i, 1000, count_ticks, &ticks);
	CHECK(wasm_call(x.i, "f", NULL, 0, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	CHECK_INT(ticks, 10);
	made_fini(&x);
}

struct extent {
	uintptr_t low, high;
	unsigned ticks;
};

static bool note_stack(void *ctx)
{
	struct extent *x = ctx;
	char here;
	uintptr_t at = (uintptr_t)&here;
	if (!x->ticks++ || at < x->low)
		x->low = at;
	if (at > x->high)
		x->high = at;
	return true;
}

TEST(interruptions_and_calls_do_not_use_up_the_host_stack)
{
	struct build b = { 0 };
	struct made x;
	struct extent seen = { 0 };
	build_func(&b, "one", "i:i", "", B(GET(0), I32(1), 0x6b));
	build_func(&b, "f", "i:i", "",
		B(0x03, 0x40, GET(0), 0x10, 0, 0x22, 0, 0x0d, 0, END, GET(0)));
	build_func(&b, "deep", "i:i", "",
		B(GET(0), 0x04, 0x7f, GET(0), 0x10, 0, 0x10, 2, 0x05, I32(0),
			END));
	made_init(&x, &b);
	wasm_instance_tick(x.i, 1, note_stack, &seen);
	CHECK_INT(made_call(&x, "f", "i", 100000u), 0);
	CHECK_INT(made_call(&x, "deep", "i", 5000u), 0);
	CHECK(seen.ticks > 100000);
	CHECK(seen.high - seen.low < 16384);
	made_fini(&x);
}

TEST(fuel_is_counted_exactly)
{
	struct build b = { 0 };
	struct made x;
	/* while (--n) ; is n - 1 turns and a call */
	build_func(&b, "f", "i:", "",
		B(0x03, 0x40, GET(0), I32(1), 0x6b, 0x22, 0, 0x0d, 0, END));
	made_init(&x, &b);
	uint64_t n = 100;
	wasm_instance_fuel(x.i, 100);
	CHECK(wasm_call(x.i, "f", &n, 1, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_RETURNED);
	wasm_instance_fuel(x.i, 99);
	CHECK(wasm_call(x.i, "f", &n, 1, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	made_fini(&x);
}

TEST(a_trap_tells_who_called_whom_by_name)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, NULL, ":", "", B(0x00));
	build_func(&b, NULL, ":", "", B(0x10, 0));
	build_func(&b, "f", ":", "", B(0x10, 1));
	buf_put(&b.names, B(1, 9, 2, 0, 2, 'i', 'n', 2, 2, 'o', 'u'));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "f", ""), WASM_TRAP_UNREACHABLE);
	CHECK_STR(x.r.text,
		"unreachable\n    at in\n    at function 1\n    at ou");
	made_fini(&x);
}

TEST(a_call_with_the_wrong_number_of_values_is_refused)
{
	struct build b = { 0 };
	struct made x;
	uint64_t v[2] = { 0 };
	build_func(&b, "f", "i:i", "", B(GET(0)));
	made_init(&x, &b);
	CHECK(!wasm_call(x.i, "f", v, 2, v, 1, &x.r, &x.e));
	CHECK(!wasm_call(x.i, "f", v, 1, v, 0, &x.r, &x.e));
	CHECK(!wasm_call(x.i, "g", v, 1, v, 1, &x.r, &x.e));
	CHECK(wasm_call(x.i, "f", v, 1, v, 1, &x.r, &x.e));
	made_fini(&x);
}

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

TEST(instances_of_a_store_call_each_other_and_come_back)
{
	struct build a = { 0 }, c = { 0 };
	struct wasm_module *ma, *mc;
	struct wasm_store *s;
	struct pair p = { 0 };
	struct wasm_instance *second;
	struct wasm_result r;
	struct err e = { 0 };
	auto_buf ab = { 0 }, cb = { 0 };
	uint64_t out;
	build_memory(&a, 1, 1);
	build_data(&a, false, 0, BYTES_LIT("A"));
	build_func(&a, "read", ":i", "", B(I32(0), 0x2d, 0, 0));
	build_func(&a, "trap", ":i", "", B(0x00));
	build_done(&a, &ab);
	build_import(&c, "read", ":i");
	build_import(&c, "trap", ":i");
	build_memory(&c, 1, 1);
	build_data(&c, false, 0, BYTES_LIT("C"));
	build_func(&c, "both", ":i", "",
		B(0x10, 0, 0x41, 8, 0x74, I32(0), 0x2d, 0, 0, 0x6a));
	build_func(&c, "bad", ":i", "", B(0x10, 1));
	build_done(&c, &cb);
	CHECK(wasm_module_new(buf_bytes(&ab), NULL, &ma, &e));
	CHECK(wasm_module_new(buf_bytes(&cb), NULL, &mc, &e));
	CHECK(wasm_store_new(NULL, &s, &e));
	CHECK(wasm_store_instantiate(s, ma, from_first, &p, &p.first, &r, &e));
	CHECK(wasm_store_instantiate(s, mc, from_first, &p, &second, &r, &e));
	CHECK(wasm_call(second, "both", NULL, 0, &out, 1, &r, &e));
	CHECK_INT(out, 'A' << 8 | 'C');
	CHECK(wasm_call(second, "bad", NULL, 0, &out, 1, &r, &e));
	CHECK_STR(r.text, "unreachable\n    at function 1\n    at function 3");
	wasm_store_free(s);
	wasm_module_free(ma);
	wasm_module_free(mc);
}

TEST(each_instance_of_a_store_has_its_own_memory_table_and_globals)
{
	struct build b = { 0 };
	struct wasm_module *m;
	struct wasm_store *s;
	struct wasm_instance *list[2];
	struct pair none = { 0 };
	struct wasm_result r;
	struct err e = { 0 };
	auto_buf bytes = { 0 };
	uint64_t in, out;
	build_memory(&b, 1, 4);
	build_table(&b, 1, 4);
	build_global(&b, 'i', true, 7);
	/* grows, stores and sets all three */
	build_func(&b, "set", "i:", "",
		B(I32(1), 0x40, 0, 0x1a, 0xd0, 0x70, I32(2), 0xfc, 15, 0, 0x1a,
			GET(0), 0x24, 0, I32(0), GET(0), 0x36, 2, 0));
	/* pages * 100 + elements * 10 + the global + what memory holds */
	build_func(&b, "get", ":i", "",
		B(0x3f, 0, 0x41, 0xe4, 0, 0x6c, 0xfc, 16, 0, I32(10), 0x6c,
			0x6a, 0x23, 0, 0x6a, I32(0), 0x28, 2, 0, 0x6a));
	build_done(&b, &bytes);
	CHECK(wasm_module_new(buf_bytes(&bytes), NULL, &m, &e));
	CHECK(wasm_store_new(NULL, &s, &e));
	for (int i = 0; i < 2; i++)
		CHECK(wasm_store_instantiate(s, m, from_first, &none, &list[i],
			&r, &e));
	for (int i = 0; i < 2; i++) {
		CHECK(wasm_call(list[i], "get", NULL, 0, &out, 1, &r, &e));
		CHECK_INT(out, 117);
		in = 1000;
		CHECK(wasm_call(list[i], "set", &in, 1, &out, 0, &r, &e));
	}
	for (int i = 0; i < 2; i++) {
		CHECK(wasm_call(list[i], "get", NULL, 0, &out, 1, &r, &e));
		CHECK_INT(out, 230 + 2000);
	}
	wasm_store_free(s);
	wasm_module_free(m);
}

TEST(a_function_of_another_instance_sees_its_own_things_and_we_ours_again)
{
	struct build a = { 0 }, c = { 0 };
	struct wasm_module *ma, *mc;
	struct wasm_store *s;
	struct pair p = { 0 };
	struct wasm_instance *second;
	struct wasm_result r;
	struct err e = { 0 };
	auto_buf ab = { 0 }, cb = { 0 };
	uint64_t out;
	static const uint8_t own[] = { 0 }, one[] = { 1 };
	/* global 1, memory of one page, whose table's function gives 3 */
	build_func(&a, NULL, ":i", "", B(I32(3)));
	build_memory(&a, 1, 9);
	build_table(&a, 1, 1);
	build_global(&a, 'i', true, 1);
	build_elem(&a, 0, own, 1);
	uint8_t t = (uint8_t)build_type(&a, ":i");
	build_func(&a, "first", ":i", "",
		B(I32(1), 0x40, 0, 0x1a, 0x23, 0, I32(0), 0x11, t, 0, 0x6a,
			0x23, 0, I32(1), 0x6a, 0x24, 0, 0x3f, 0, 0x6a));
	build_done(&a, &ab);
	/* global 20, two pages, table's function gives 40 */
	build_import(&c, "first", ":i");
	build_func(&c, NULL, ":i", "", B(I32(40)));
	build_memory(&c, 2, 2);
	build_table(&c, 1, 1);
	build_global(&c, 'i', true, 20);
	build_elem(&c, 0, one, 1);
	t = (uint8_t)build_type(&c, ":i");
	build_func(&c, "f", ":i", "",
		B(0x10, 0, 0x41, 0xe4, 0, 0x6c, 0x23, 0, I32(0), 0x11, t, 0,
			0x6a, 0x3f, 0, 0x6a, 0x6a));
	build_done(&c, &cb);
	CHECK(wasm_module_new(buf_bytes(&ab), NULL, &ma, &e));
	CHECK(wasm_module_new(buf_bytes(&cb), NULL, &mc, &e));
	CHECK(wasm_store_new(NULL, &s, &e));
	CHECK(wasm_store_instantiate(s, ma, from_first, &p, &p.first, &r, &e));
	CHECK(wasm_store_instantiate(s, mc, from_first, &p, &second, &r, &e));
	CHECK(wasm_call(second, "f", NULL, 0, &out, 1, &r, &e));
	CHECK_INT(out, 100 * (1 + 3 + 2) + 20 + 40 + 2);
	CHECK(wasm_call(second, "f", NULL, 0, &out, 1, &r, &e));
	CHECK_INT(out, 100 * (2 + 3 + 3) + 20 + 40 + 2);
	wasm_store_free(s);
	wasm_module_free(ma);
	wasm_module_free(mc);
}
