/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of a program, interpreted and compiled: whose turn it is, what each
 * has for itself, who waits for what, and how all of it ends.
 */
#include <stdlib.h>

#include "../test.h"
#include "base/fmt.h"
#include "helpers/build.h"

#define GET(i)	  0x20, i
#define SET(i)	  0x21, i
#define GGET(i)	  0x23, i
#define GSET(i)	  0x24, i
#define I32(i)	  0x41, i /* -64 to 63 */
#define I64(i)	  0x42, i
#define CALL(i)	  0x10, i
#define LOOP	  0x03, 0x40
#define IF	  0x04, 0x40
#define BR(i)	  0x0c, i
#define BR_IF(i)  0x0d, i
#define ADD	  0x6a
#define SUB	  0x6b
#define MUL	  0x6c
#define EQZ	  0x45
#define NE	  0x47
#define DROP	  0x1a
#define TRAPS	  0x00
#define END	  0x0b
#define LOAD(at)  0xfe, 0x10, 2, at
#define ADDS(at)  0xfe, 0x1e, 2, at
#define NOTIFY	  0xfe, 0, 2, 0
#define WAIT	  0xfe, 1, 2, 0
#define STORE(at) 0x36, 2, at
#define EVER	  I64(0x7f)

/* Waits until the number at address 0 is n. */
#define UNTIL(n)                                                              \
	LOOP, I32(0), LOAD(0), I32(n), NE, IF, I32(0), I32(0), LOAD(0), EVER, \
		WAIT, DROP, BR(1), END, END
/* Adds one to it and tells everybody. */
#define DONE	    I32(0), I32(1), ADDS(0), DROP, I32(0), I32(0x7f), NOTIFY, DROP
#define STARTS(arg) I32(arg), CALL(SPAWN), DROP

/* The functions that the host gives. */
enum { SPAWN, LOG, YIELD, SLOW, LEAVE, SLEEP, TURN, FIRST };

struct world {
	struct wasm_module *m;
	struct wasm_instance *i;
	struct wasm_result r;
	char log[256];
	uint64_t now, asked;
	unsigned waits, calls;
	bool stops;
};

static bool spawn(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	uint32_t id = 0;
	enum wasm_spawn r =
		wasm_caller_spawn(c, "begin", (uint32_t)slots[0], &id);
	(void)ctx;
	slots[0] = r == WASM_SPAWNED ? id : (uint32_t) - (int)r;
	return true;
}

static bool put(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	struct world *w = ctx;
	size_t n = strlen(w->log);
	(void)c;
	fmt(w->log + n, sizeof w->log - n, "%d ", (int)slots[0]);
	return true;
}

static bool yield(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)slots;
	(void)ctx;
	return wasm_caller_kept(c)->done++ || wasm_caller_pause(c, 0);
}

/* The sum, at the fourth call. */
static bool slow(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	struct world *w = ctx;
	w->calls++;
	if (wasm_caller_kept(c)->done++ < 3)
		return wasm_caller_pause(c, 0);
	slots[0] = (uint32_t)(slots[0] + slots[1]);
	return true;
}

static bool leave(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)ctx;
	return wasm_caller_exit(c, (uint32_t)slots[0]);
}

static bool sleep_until(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	struct world *w = ctx;
	return w->now >= slots[0] || wasm_caller_pause(c, slots[0]);
}

/* What the clock has been asked to wait for so far. */
static bool turn(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	struct world *w = ctx;
	(void)c;
	slots[0] = w->waits;
	return true;
}

static uint64_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static bool wait_until(void *ctx, uint64_t deadline)
{
	struct world *w = ctx;
	w->waits++;
	w->asked = deadline;
	if (deadline != UINT64_MAX && deadline > w->now)
		w->now = deadline;
	return !w->stops;
}

static void begin(struct build *b)
{
	*b = (struct build){ 0 };
	build_import(b, "spawn", "i:i");
	build_import(b, "log", "i:");
	build_import(b, "yield", ":");
	build_import(b, "slow", "ii:i");
	build_import(b, "leave", "i:");
	build_import(b, "sleep", "I:");
	build_import(b, "turn", ":i");
	/* m.memory, shared, 1 to 4 pages */
	buf_put(&b->imports,
		B(1, 'm', 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 3, 1, 4));
	b->import_count++;
}

static void world_limited(struct world *w, struct bytes module,
	struct wasm_limits l)
{
	const struct wasm_import imports[] = {
		{ "m", "spawn", "i:i", spawn, w },
		{ "m", "log", "i:", put, w },
		{ "m", "yield", ":", yield, w },
		{ "m", "slow", "ii:i", slow, w },
		{ "m", "leave", "i:", leave, w },
		{ "m", "sleep", "I:", sleep_until, w },
		{ "m", "turn", ":i", turn, w },
	};
	static struct wasm_import kept[ARRAY_LEN(imports)];
	const struct wasm_clock clock = { now, wait_until, w };
	struct err e = { 0 };
	memcpy(kept, imports, sizeof imports);
	*w = (struct world){ 0 };
	if (!wasm_module_new(module, &l, &w->m, &e) ||
		!wasm_instance_new(w->m, kept, ARRAY_LEN(kept), &l, &w->i,
			&w->r, &e))
		fail_msg("%s", e.text);
	wasm_instance_clock(w->i, &clock);
}

static void world_fini(struct world *w)
{
	wasm_instance_free(w->i);
	wasm_module_free(w->m);
}

/* main's result; w->r says how it ended. */
static uint32_t call(struct world *w)
{
	struct err e = { 0 };
	uint64_t v = 0;
	w->log[0] = '\0';
	if (!wasm_call(w->i, "main", NULL, 0, &v, 1, &w->r, &e))
		fail_msg("%s", e.text);
	return (uint32_t)v;
}

/* The test's body runs with each engine: `w` is a fresh world. */
#define WITH_LIMITS(b, ...)                                                  \
	auto_buf module_ = { 0 };                                            \
	build_done((b), &module_);                                           \
	struct world world_, *w = &world_;                                   \
	for (int engine_ = WASM_ENGINE_INTERP, once_ = 0;                    \
		engine_ <= WASM_ENGINE_AUTO;                                 \
		engine_ += WASM_ENGINE_AUTO - WASM_ENGINE_INTERP, once_ = 0) \
		for (world_limited(w, buf_bytes(&module_),                   \
			     (struct wasm_limits){                           \
				     .engine = (enum wasm_engine)engine_,    \
				     __VA_ARGS__ });                         \
			!once_; once_ = 1, world_fini(w))
#define BOTH(b) WITH_LIMITS(b, .threads = 0)

static uint32_t ends_well(struct world *w)
{
	uint32_t v = call(w);
	if (w->r.end != WASM_RETURNED)
		fail_msg("end %d: %s", w->r.end, w->r.text);
	return v;
}

TEST(a_thread_has_globals_of_its_own_and_shares_the_memory)
{
	struct build b;
	begin(&b);
	build_global(&b, 'i', true, 5);
	build_func(&b, "begin", "ii:", "",
		B(GGET(0), GET(1), ADD, GSET(0), GET(1), I32(4), MUL, GGET(0),
			STORE(16), DONE));
	build_func(&b, "main", ":i", "",
		B(I32(40), GSET(0), STARTS(1), STARTS(2), UNTIL(2), GGET(0),
			I32(0), LOAD(20), I32(0), LOAD(24), MUL, ADD));
	BOTH(&b)
	CHECK_INT(ends_well(w), 40 + 6 * 7);
}

TEST(a_thread_has_tables_and_segments_of_its_own)
{
	struct build b;
	static const uint8_t funcs[] = { FIRST, FIRST + 1 };
	begin(&b);
	build_func(&b, NULL, ":i", "", B(I32(3)));
	build_func(&b, NULL, ":i", "", B(I32(4)));
	build_table(&b, 2, 9);
	build_elem(&b, 0, funcs, 2);
	build_data(&b, true, 0, B(7, 0, 0, 0));
	b.data_count_section = true;
	/* Exchanges its entries, makes the table larger, takes the segment. */
	build_func(&b, "begin", "ii:", "",
		B(I32(0), 0xd2, FIRST + 1, 0x26, 0, 0xd0, 0x70, I32(1), 0xfc,
			15, 0, DROP, GET(1), I32(0), I32(4), 0xfc, 8, 0, 0,
			0xfc, 9, 0, DONE));
	/* Types: seven imports, then one for each function. */
	build_func(&b, "main", ":i", "",
		B(STARTS(16), STARTS(20), UNTIL(2), I32(16), LOAD(0), I32(20),
			LOAD(0), MUL, I32(10), MUL, I32(0), 0x11, FIRST, 0, ADD,
			0xfc, 16, 0, ADD));
	BOTH(&b)
	CHECK_INT(ends_well(w), 7 * 7 * 10 + 3 + 2);
}

/* Who calls first has it compiled, and stays while others call. */
TEST(a_thread_calls_by_its_own_table_of_a_length_that_stays)
{
	struct build b;
	static const uint8_t funcs[] = { FIRST, FIRST + 1 };
	begin(&b);
	build_func(&b, NULL, ":i", "", B(I32(3)));
	build_func(&b, NULL, ":i", "", B(I32(4)));
	build_func(&b, NULL, ":i", "", B(I32(0), 0x11, FIRST, 0));
	build_table(&b, 2, 2);
	build_elem(&b, 0, funcs, 2);
	build_func(&b, "begin", "ii:", "",
		B(I32(0), 0xd2, FIRST + 1, 0x26, 0, GET(1), CALL(FIRST + 2),
			STORE(0), DONE, I32(32), I32(0), EVER, WAIT, DROP));
	build_func(&b, "main", ":i", "",
		B(STARTS(16), UNTIL(1), I32(16), LOAD(0), I32(10), MUL,
			CALL(FIRST + 2), ADD));
	BOTH(&b)
	CHECK_INT(ends_well(w), 43);
}

TEST(threads_take_turns_in_the_order_they_came)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(GET(1), CALL(LOG), CALL(YIELD), GET(0), CALL(LOG),
			CALL(YIELD), GET(1), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(10), STARTS(20), STARTS(30), UNTIL(3), I32(0)));
	BOTH(&b)
	{
		ends_well(w);
		CHECK_STR(w->log, "10 20 30 1 2 3 10 20 30 ");
	}
}

TEST(who_does_not_wait_is_interrupted)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(LOOP, I32(0), I32(1), ADDS(0), DROP, BR(0), END));
	build_func(&b, "main", ":i", "",
		B(STARTS(0), LOOP, I32(0), LOAD(0), EQZ, BR_IF(0), END, I32(0),
			LOAD(0)));
	BOTH(&b)
	CHECK(ends_well(w) > 0);
}

/* x * 3 + k for k from 2000 down, with a call inside. */
#define MIX                                                             \
	LOOP, GET(1), I32(3), MUL, GET(0), CALL(FIRST), SET(1), GET(0), \
		I32(1), SUB, 0x22, 0, BR_IF(0), END, GET(1)

TEST(what_is_interrupted_goes_on_where_it_was)
{
	struct build b;
	begin(&b);
	build_func(&b, NULL, "ii:i", "", B(GET(0), GET(1), ADD));
	build_func(&b, NULL, "ii:i", "", B(MIX));
	build_func(&b, "begin", "ii:", "",
		B(GET(1), I32(4), MUL, 0x41, 0xa0, 0x8d, 6, GET(1),
			CALL(FIRST + 1), STORE(16), DONE));
	/* The threads' sums less those that are made alone: 0. */
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), STARTS(3), UNTIL(3), I32(0), LOAD(20),
			I32(0), LOAD(24), ADD, I32(0), LOAD(28), ADD, 0x41,
			0xa0, 0x8d, 6, I32(1), CALL(FIRST + 1), SUB, 0x41, 0xa0,
			0x8d, 6, I32(2), CALL(FIRST + 1), SUB, 0x41, 0xa0, 0x8d,
			6, I32(3), CALL(FIRST + 1), SUB));
	BOTH(&b)
	CHECK_INT(ends_well(w), 0);
}

TEST(a_host_function_that_waits_is_called_again_with_its_parameters)
{
	struct build b;
	static const uint8_t funcs[] = { SLOW };
	begin(&b);
	build_table(&b, 1, 1);
	build_elem(&b, 0, funcs, 1);
	build_func(&b, NULL, "i:i", "",
		B(GET(0), I32(1), I32(2), CALL(SLOW), I32(3), I32(0), 0x11, 3,
			0, ADD));
	build_func(&b, "begin", "ii:", "",
		B(GET(1), CALL(FIRST), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(10), STARTS(20), I32(30), CALL(FIRST), UNTIL(2)));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 36);
		CHECK_STR(w->log, "16 26 ");
		CHECK_INT(w->calls, 3 * 2 * 4);
	}
}

TEST(so_is_one_that_is_called_in_place_of_its_caller)
{
	struct build b;
	begin(&b);
	build_func(&b, NULL, "ii:i", "",
		B(GET(1), GET(0), I32(1), ADD, 0x12, SLOW));
	build_func(&b, "begin", "ii:", "",
		B(GET(1), I32(5), CALL(FIRST), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(10), STARTS(20), I32(30), I32(7), CALL(FIRST),
			UNTIL(2)));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 38);
		CHECK_STR(w->log, "16 26 ");
	}
}

/* Calls that can't be left, so many in a turn of the loop that its budget may
 * always end with one of them. */
static void loop_of_calls(uint8_t before, uint8_t calls)
{
	struct build b;
	auto_buf code = { 0 };
	begin(&b);
	build_func(&b, "begin", "ii:", "", B(DONE));
	buf_put(&code, B(STARTS(0)));
	for (uint8_t i = 0; i < before; i++)
		buf_put(&code, B(CALL(TURN), DROP));
	buf_put(&code, B(LOOP));
	for (uint8_t i = 0; i < calls; i++)
		buf_put(&code, B(CALL(TURN), DROP));
	buf_put(&code, B(I32(0), LOAD(0), EQZ, BR_IF(0), END, I32(9)));
	build_func(&b, "main", ":i", "", buf_bytes(&code));
	WITH_LIMITS(&b, .threads = 2)
	{
		wasm_instance_fuel(w->i, 200000);
		CHECK_INT(ends_well(w), 9);
	}
}

TEST(no_number_of_calls_in_a_loop_keeps_others_out)
{
	for (uint8_t calls = 0; calls < 6; calls++)
		for (uint8_t before = 0; before <= calls; before++)
			loop_of_calls(before, calls);
}

TEST(notifications_wake_those_who_wait_longest)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(I32(8), I32(0), EVER, WAIT, DROP, GET(1), CALL(LOG), DONE));
	/* None of another address, two, then the rest. */
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), STARTS(3), CALL(YIELD), I32(4), I32(9),
			NOTIFY, I32(8), I32(2), NOTIFY, I32(10), MUL, ADD,
			CALL(YIELD), I32(7), CALL(LOG), I32(8), I32(9), NOTIFY,
			ADD, UNTIL(3)));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 21);
		CHECK_STR(w->log, "1 2 7 3 ");
	}
}

TEST(waiting_ends_by_the_clock_in_the_order_of_time)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(I32(8), I32(0), GET(1), 0xac, WAIT, GET(1), ADD, CALL(LOG),
			DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(30), STARTS(10), STARTS(20), UNTIL(3), CALL(TURN)));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 3);
		CHECK_STR(w->log, "12 22 32 ");
		CHECK_INT(w->now, 30);
	}
}

TEST(the_only_thread_waits_by_the_clock_too)
{
	struct build b;
	begin(&b);
	build_func(&b, "main", ":i", "", B(I32(8), I32(0), I64(50), WAIT));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 2);
		CHECK_INT(w->now, 50);
		w->stops = true;
		call(w);
		CHECK_INT(w->r.end, WASM_STOPPED);
	}
}

TEST(others_go_on_while_a_thread_sleeps_in_the_host)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(GET(1), 0xac, CALL(SLEEP), GET(1), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(60), STARTS(40), I32(5), CALL(LOG), CALL(YIELD),
			I32(6), CALL(LOG), UNTIL(2), I32(0)));
	BOTH(&b)
	{
		ends_well(w);
		CHECK_STR(w->log, "5 6 40 60 ");
		CHECK_INT(w->now, 60);
	}
}

TEST(when_all_wait_without_end_it_is_a_trap)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "", B(I32(8), I32(0), EVER, WAIT, DROP));
	build_func(&b, NULL, ":", "", B(I32(4), I32(0), EVER, WAIT, DROP));
	build_func(&b, "main", ":i", "",
		B(STARTS(1), CALL(YIELD), CALL(FIRST + 1), I32(0)));
	BOTH(&b)
	{
		call(w);
		CHECK_INT(w->r.end, WASM_TRAPPED);
		CHECK_INT(w->r.trap, WASM_TRAP_DEADLOCK);
		CHECK_STR(w->r.text,
			"waiting without end\n    at function 8"
			"\n    at function 9");
		CHECK_INT(w->waits, 0);
	}
}

TEST(a_trap_in_a_thread_ends_the_program_with_its_stack)
{
	struct build b;
	begin(&b);
	build_func(&b, NULL, ":", "", B(TRAPS));
	build_func(&b, "begin", "ii:", "", B(CALL(FIRST)));
	build_func(&b, "main", ":i", "", B(STARTS(1), UNTIL(1), I32(0)));
	BOTH(&b)
	{
		call(w);
		CHECK_INT(w->r.end, WASM_TRAPPED);
		CHECK_STR(w->r.text,
			"unreachable, in thread 1\n    at function "
			"7\n    at function 8");
		/* The next call begins anew. */
		call(w);
		CHECK_HAS(w->r.text, "in thread 2");
	}
}

TEST(the_program_ends_when_a_thread_says_so)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "", B(I32(33), CALL(LEAVE)));
	build_func(&b, "main", ":i", "", B(STARTS(1), UNTIL(1), I32(0)));
	BOTH(&b)
	{
		call(w);
		CHECK_INT(w->r.end, WASM_EXITED);
		CHECK_INT(w->r.exit_code, 33);
	}
}

TEST(the_end_of_the_first_thread_is_that_of_all)
{
	struct build b;
	begin(&b);
	build_global(&b, 'i', true, 5);
	build_func(&b, "begin", "ii:", "",
		B(I32(9), GSET(0), CALL(YIELD), GET(1), CALL(LOG), I32(8),
			I32(0), EVER, WAIT, DROP));
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), CALL(YIELD), GGET(0), I32(1), ADD,
			GSET(0), GGET(0)));
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 6);
		CHECK_STR(w->log, "");
		CHECK_INT(ends_well(w), 7);
	}
}

TEST(there_are_as_many_threads_at_once_as_the_limit_says)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(I32(8), I32(0), EVER, WAIT, DROP, DONE));
	build_func(&b, "main", ":i", "",
		B(I32(1), CALL(SPAWN), CALL(LOG), I32(1), CALL(SPAWN),
			CALL(LOG), I32(1), CALL(SPAWN), CALL(LOG), CALL(YIELD),
			I32(8), I32(1), NOTIFY, DROP, UNTIL(1), CALL(YIELD),
			I32(1), CALL(SPAWN), CALL(LOG), I32(0)));
	WITH_LIMITS(&b, .threads = 3)
	{
		ends_well(w);
		CHECK_STR(w->log, "1 2 -1 3 ");
	}
}

TEST(a_thread_needs_an_entry_of_its_type)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "i:", "", NONE);
	build_func(&b, "main", ":i", "", B(I32(1), CALL(SPAWN)));
	BOTH(&b)
	CHECK_INT(ends_well(w), (uint32_t)-WASM_SPAWN_NO_ENTRY);
}

TEST(threads_that_ended_leave_nothing)
{
	struct build b;
	begin(&b);
	build_table(&b, 10, 20);
	build_global(&b, 'i', true, 0);
	build_func(&b, "begin", "ii:", "",
		B(0xd0, 0x70, I32(5), 0xfc, 15, 0, DROP));
	/* 5000 of them, one after another. */
	build_func(&b, "main", ":i", "i",
		B(0x41, 0x88, 0x27, SET(0), LOOP, I32(1), CALL(SPAWN), EQZ, IF,
			TRAPS, END, CALL(YIELD), GET(0), I32(1), SUB, 0x22, 0,
			BR_IF(0), END, I32(0)));
	BOTH(&b)
	{
		ends_well(w);
		size_t before = wasm_instance_footprint(w->i);
		ends_well(w);
		CHECK_INT(wasm_instance_footprint(w->i), before);
	}
}

TEST(memory_for_threads_is_counted)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "", B(I32(8), I32(0), EVER, WAIT, DROP));
	/* How many there can be. */
	build_func(&b, "main", ":i", "i",
		B(LOOP, I32(1), CALL(SPAWN), I32(0), 0x4a, IF, GET(0), I32(1),
			ADD, SET(0), BR(1), END, END, GET(0)));
	WITH_LIMITS(&b, .threads = 10000, .module_bytes = 8 << 20,
		.code_bytes = 1 << 20)
	{
		uint32_t n = ends_well(w);
		CHECK(n > 10 && n < 500);
		CHECK_INT(ends_well(w), n);
	}
}

TEST(the_start_function_is_each_threads)
{
	struct build b;
	begin(&b);
	build_global(&b, 'i', true, 0);
	build_func(&b, NULL, ":", "",
		B(I32(9), GSET(0), I32(4), I32(1), ADDS(0), DROP));
	build_func(&b, "begin", "ii:", "", B(GGET(0), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), UNTIL(2), I32(4), LOAD(0)));
	b.start = FIRST + 1;
	BOTH(&b)
	{
		CHECK_INT(ends_well(w), 3);
		CHECK_STR(w->log, "9 9 ");
	}
}

TEST(memory_that_one_thread_grows_is_there_for_all)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "",
		B(I32(2), 0x40, 0, DROP, 0x41, 0x84, 0x80, 8, I32(42), STORE(0),
			DONE));
	/* Address 0x20004. */
	build_func(&b, "main", ":i", "",
		B(STARTS(1), LOOP, I32(0), LOAD(0), EQZ, BR_IF(0), END, 0x41,
			0x84, 0x80, 8, 0x28, 2, 0, 0x3f, 0, ADD));
	BOTH(&b)
	CHECK_INT(ends_well(w), 42 + 3);
}

static bool count(void *ctx)
{
	return ++*(unsigned *)ctx < 1000;
}

TEST(fuel_and_ticks_are_those_of_all_threads_together)
{
	struct build b;
	begin(&b);
	build_func(&b, "begin", "ii:", "", B(LOOP, BR(0), END));
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), LOOP, BR(0), END, I32(0)));
	BOTH(&b)
	{
		unsigned ticks = 0;
		wasm_instance_tick(w->i, 1000, count, &ticks);
		wasm_instance_fuel(w->i, 200000);
		call(w);
		CHECK_INT(w->r.end, WASM_STOPPED);
		CHECK(ticks > 150 && ticks <= 200);
		ticks = 0;
		wasm_instance_fuel(w->i, UINT64_MAX);
		call(w);
		CHECK_INT(w->r.end, WASM_STOPPED);
		CHECK_INT(ticks, 1000);
	}
}

/* An item { mut i64 } is type 7; 0xfb 0 makes one. */
#define ITEM(n) I64(n), 0xfb, 0, 7
#define JUNK	ITEM(1), DROP, ITEM(2), DROP
#define CAST	0xfb, 0x16, 7
#define FIELD	0xfb, 2, 7, 0, 0xa7

TEST(objects_of_threads_that_pause_live)
{
	struct build b;
	begin(&b);
	buf_put(&b.types, B(0x5f, 1, 0x7e, 1));
	b.type_count++;
	build_func(&b, NULL, ":", "", B(CALL(YIELD)));
	/* Pauses with an item in hand: in a function that has none, and in
	 * its own. */
	build_func(&b, NULL, "i:i", "y",
		B(GET(0), 0xac, 0xfb, 0, 7, SET(1), CALL(FIRST), JUNK, GET(1),
			CAST, FIELD, CALL(YIELD), JUNK, GET(1), CAST, FIELD,
			ADD));
	build_func(&b, "begin", "ii:", "",
		B(GET(1), CALL(FIRST + 1), CALL(LOG), DONE));
	build_func(&b, "main", ":i", "",
		B(STARTS(1), STARTS(2), I32(3), CALL(FIRST + 1), UNTIL(2)));
	WITH_LIMITS(&b, .collect_always = true)
	{
		CHECK_INT(ends_well(w), 6);
		CHECK_STR(w->log, "2 4 ");
	}
}

/* An item that only a function has which calls nobody: it makes it, lets others
 * have their turns, in a loop or by waiting, and looks at it. */
TEST(objects_live_in_functions_that_call_nobody)
{
	for (int waits = 0; waits < 2; waits++) {
		struct build b;
		begin(&b);
		buf_put(&b.types, B(0x5f, 1, 0x7e, 1));
		b.type_count++;
		if (waits)
			build_func(&b, "begin", "ii:", "y",
				B(GET(1), 0xac, 0xfb, 0, 7, SET(2), I32(8),
					I32(0), EVER, WAIT, DROP, I32(12),
					GET(2), CAST, FIELD, STORE(0), DONE));
		else
			build_func(&b, "begin", "ii:", "y",
				B(GET(1), 0xac, 0xfb, 0, 7, SET(2), LOOP,
					I32(8), LOAD(0), EQZ, BR_IF(0), END,
					I32(12), GET(2), CAST, FIELD, STORE(0),
					DONE));
		build_func(&b, NULL, ":", "", B(JUNK));
		build_func(&b, "main", ":i", "",
			B(STARTS(33), CALL(YIELD), CALL(FIRST + 1),
				CALL(FIRST + 1), I32(8), I32(1), STORE(0),
				I32(8), I32(1), NOTIFY, DROP, UNTIL(1), I32(12),
				LOAD(0)));
		WITH_LIMITS(&b, .collect_always = true)
		CHECK_INT(ends_well(w), 33);
	}
}
