/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What modules can do to make the compiler slow: twice as much of it costs
 * about twice as many steps, and the function does what the interpreter says.
 * What can't be so is left to the interpreter, within the limit.  Figures are
 * printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../test.h"
#include "helpers/pair.h"
#include "wasm/store_priv.h"

#if defined(__x86_64__)
#define GET(i) 0x20, i
#define SET(i) 0x21, i
#define I32(i) 0x41, i
#define BLOCK  0x02, 0x40
#define LOOP   0x03, 0x40
#define BR_IF  0x0d
#define TABLE  0x0e
#define ADD    0x6a
#define END    0x0b
#define COUNT  GET(0), I32(1), ADD, SET(0)

static void repeat(struct buf *b, uint32_t n, struct bytes code)
{
	while (n--)
		buf_put(b, code);
}

static void straight(struct buf *b, uint32_t n)
{
	repeat(b, n, B(GET(0), I32(60), 0x71, 0x28, 2, 0, GET(0), ADD, SET(0)));
}

static void a_table(struct buf *b, uint32_t n)
{
	buf_put(b, B(BLOCK, BLOCK, GET(0), TABLE));
	leb(b, n);
	for (uint32_t k = 0; k <= n; k++)
		buf_u8(b, k & 1);
	buf_put(b, B(END, COUNT, END));
}

static void targets(struct buf *b, uint32_t n)
{
	repeat(b, n, B(BLOCK));
	buf_put(b, B(GET(0), TABLE));
	leb(b, n - 1);
	for (uint32_t k = 0; k < n; k++)
		leb(b, k);
	repeat(b, n, B(END, COUNT));
}

static void blocks(struct buf *b, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		buf_put(b, B(BLOCK, COUNT, GET(0), BR_IF));
		leb(b, k);
	}
	repeat(b, n, B(END));
}

static void loops(struct buf *b, uint32_t n)
{
	repeat(b, n, B(LOOP));
	buf_put(b, B(COUNT));
	repeat(b, n, B(GET(0), I32(9), 0x48, BR_IF, 0, END));
}

/* n turns, one loop after the other. */
static void more_loops(struct buf *b, uint32_t n)
{
	repeat(b, n,
		B(I32(3), SET(1), LOOP, COUNT, GET(1), I32(0x7f), ADD, 0x22, 1,
			BR_IF, 0, END));
}

static void live(struct buf *b, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		buf_put(b, B(GET(0), 0x41));
		sleb(b, (int64_t)k + 1);
		buf_put(b, B(0x6c));
	}
	buf_put(b, B(GET(0), 0x10, 0, SET(0)));
	repeat(b, n - 1, B(ADD));
	buf_put(b, B(SET(0)));
}

/* As many variables as there are, all changed in each turn. */
static void phis(struct buf *b, uint32_t n)
{
	buf_put(b, B(I32(3), SET(1), LOOP));
	for (uint32_t k = 2; k < n + 2; k++) {
		buf_u8(b, 0x20);
		leb(b, k);
		buf_put(b, B(GET(0), ADD, 0x21));
		leb(b, k);
	}
	buf_put(b, B(GET(1), I32(0x7f), ADD, 0x22, 1, BR_IF, 0, END));
	for (uint32_t k = 2; k < n + 2; k++) {
		buf_u8(b, 0x20);
		leb(b, k);
		buf_put(b, B(GET(0), ADD, SET(0)));
	}
}

/* The same, each value going round to the next variable. */
static void rounds(struct buf *b, uint32_t n)
{
	buf_put(b, B(I32(3), SET(1), LOOP));
	for (uint32_t k = 2; k < n + 2; k++) {
		buf_u8(b, 0x20);
		leb(b, k);
	}
	buf_put(b, B(GET(0), SET(2)));
	for (uint32_t k = n + 1; k > 2; k--) {
		buf_u8(b, 0x21);
		leb(b, k);
	}
	buf_put(b, B(SET(0)));
	buf_put(b, B(GET(1), I32(0x7f), ADD, 0x22, 1, BR_IF, 0, END));
	for (uint32_t k = 2; k < n + 2; k++) {
		buf_u8(b, 0x20);
		leb(b, k);
		buf_put(b, B(GET(0), ADD, SET(0)));
	}
}

/* Calls on one of two ways, with a value that lives through all. */
static void ways(struct buf *b, uint32_t n)
{
	buf_put(b, B(GET(0), SET(1)));
	repeat(b, n,
		B(GET(0), 0x04, 0x40, GET(0), 0x10, 0, SET(0), 0x05, COUNT,
			END));
	buf_put(b, B(GET(0), GET(1), ADD, SET(0)));
}

/* Each loop's last way back stands before those of the loops within it. */
static void left_loops(struct buf *b, uint32_t n)
{
	repeat(b, n, B(LOOP, COUNT));
	for (uint32_t k = n; k-- > 0;) {
		buf_put(b, B(COUNT, GET(0), I32(9), 0x48, BR_IF));
		leb(b, k);
	}
	repeat(b, n, B(END));
}

/* Ways out that divide, and calls, with a value that all of them read but
 * those ways. */
static void exits(struct buf *b, uint32_t n)
{
	buf_put(b, B(GET(0), SET(1)));
	repeat(b, n,
		B(GET(0), I32(60), 0x46, 0x04, 0x40, GET(0), GET(0), 0x6d, 0x0f,
			END, GET(0), GET(1), ADD, 0x10, 0, SET(0)));
}

/* A value is read behind each call. */
static void calls(struct buf *b, uint32_t n)
{
	buf_put(b, B(GET(0), SET(1)));
	repeat(b, n, B(GET(1), GET(0), 0x6b, 0x10, 0, SET(0)));
}

/* A value is given back in many places, while registers are short. */
static void returns(struct buf *b, uint32_t n)
{
	buf_put(b, B(GET(0), SET(1)));
	for (uint8_t k = 2; k < 20; k++)
		buf_put(b, B(GET(0), I32(k), ADD, SET(k)));
	for (uint32_t i = 0; i < n; i++) {
		buf_put(b, B(GET(1), GET(0), I32(60), 0x46, BR_IF, 0, 0x1a));
		for (uint8_t k = 2; k < 20; k++)
			buf_put(b, B(GET(k), GET(0), ADD, SET(k)));
		buf_put(b, B(GET(0), GET(2), ADD, SET(0)));
	}
}

/* One try after the other, with a call in each. */
static void tries(struct buf *b, uint32_t n)
{
	repeat(b, n,
		B(BLOCK, 0x1f, 0x40, 1, 0, 0, 0, GET(0), 0x10, 0, SET(0), END,
			END));
}

/* One try in the other, and calls in the innermost. */
static void nested_tries(struct buf *b, uint32_t n)
{
	repeat(b, n, B(BLOCK, 0x1f, 0x40, 1, 0, 0, 0));
	repeat(b, n, B(GET(0), 0x10, 0, SET(0)));
	repeat(b, n, B(END, END));
}

/* What loads bring shows only at the end to be a float. */
static void joins(struct buf *b, uint32_t n)
{
	repeat(b, n,
		B(GET(0), I32(1), 0x71, 0x04, 0x40, GET(0), 0x28, 2, 0, SET(1),
			END, COUNT));
	buf_put(b, B(GET(1), 0xbe, GET(1), 0xbe, 0x92, 0xbc, SET(0)));
}

/* The same around loops. */
static void loop_joins(struct buf *b, uint32_t n)
{
	repeat(b, n,
		B(LOOP, GET(0), 0x28, 2, 0, SET(1), COUNT, GET(0), I32(60),
			0x48, BR_IF, 0, END));
	buf_put(b, B(GET(1), 0xbe, GET(1), 0xbe, 0x92, 0xbc, SET(0)));
}

/* References that live over as many calls. */
static void references(struct buf *b, uint32_t n)
{
	repeat(b, n, B(GET(0), 0xfb, 0x1c, COUNT));
	repeat(b, n, B(GET(0), 0x10, 0, SET(0)));
	repeat(b, n, B(0xfb, 0x1e, GET(0), ADD, SET(0)));
}

/* Vectors that all live until they are shuffled together. */
static void vectors(struct buf *b, uint32_t n)
{
	repeat(b, n, B(GET(0), 0xfd, 0x11, COUNT));
	repeat(b, n - 1,
		B(0xfd, 13, 3, 17, 5, 21, 9, 8, 31, 2, 0, 1, 30, 7, 6, 11, 22,
			4));
	buf_put(b, B(0xfd, 0x1b, 1, GET(0), ADD, SET(0)));
}

/* Addresses that share what they are made of. */
static void addresses(struct buf *b, uint32_t n)
{
	repeat(b, n,
		B(GET(0), I32(60), 0x71, GET(0), I32(1), 0x76, I32(60), 0x71,
			ADD, GET(0), I32(3), 0x74, I32(60), 0x71, ADD, 0x2d, 0,
			0, GET(0), ADD, SET(0)));
}

/* As many stores as fit into a fill. */
static void fills(struct buf *b, uint32_t n)
{
	repeat(b, n, B(I32(5), GET(0), I32(63), 0xfc, 11, 0, COUNT));
}

/* Two ways, in one of which a variable changes, again and again. */
static void diamonds(struct buf *b, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		buf_put(b,
			B(BLOCK, BLOCK, GET(0), I32(1), 0x71, BR_IF, 0, GET(1),
				I32(3), 0x6c, SET(1), 0x0c, 1, END, GET(1),
				GET(0), ADD, SET(1), END, COUNT));
	buf_put(b, B(GET(1), GET(0), ADD, SET(0)));
}

struct cost {
	uint64_t steps, words, wasm;
	double seconds;
	bool compiled;
};

static double cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct cost cost_of(void (*make)(struct buf *b, uint32_t n), uint32_t n,
	uint32_t locals)
{
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	char *types = calloc(locals + 1ul, 1);
	CHECK(types);
	memset(types, 'i', locals);
	make(&code, n);
	buf_put(&code, B(GET(0)));
	build_memory(&b, 1, 1);
	buf_u8(&b.tags, 0);
	leb(&b.tags, build_type(&b, ":"));
	b.tag_count++;
	build_func(&b, "g", "i:i", "", B(GET(0), I32(1), ADD));
	build_func(&b, "f", "i:i", types, buf_bytes(&code));
	pair_init(&p, &b);
	double from = cpu_now();
	wasm_instance_jit_all(p.jit, NULL, NULL);
	struct cost c = { .seconds = cpu_now() - from, .wasm = code.len };
	both(&p, "f", 0);
	both(&p, "f", 5);
	struct wasm_jit_stats s = wasm_instance_jit_stats(p.jit);
	c.steps = s.work;
	c.words = s.words;
	c.compiled = s.compiled == 2;
	uint32_t count;
	const char *why = wasm_instance_jit_reason(p.jit, 0, &count);
	printf("  %9llu bytes %9llu words %10llu steps %7.3f s %s\n",
		(unsigned long long)c.wasm, (unsigned long long)c.words,
		(unsigned long long)c.steps, c.seconds,
		c.compiled  ? "" :
			why ? why :
			      "?");
	pair_fini(&p);
	free(types);
	return c;
}

/* What the compiler allows, and a pass that was under way. */
static void check_limit(const struct cost *c)
{
	CHECK(c->steps <= (5u << 20) + 1000 * c->words);
}

/* `all`: how many times as much with DONJON_ALL. */
static void twice(void (*make)(struct buf *b, uint32_t n), uint32_t n,
	uint32_t all, uint32_t locals, bool per_value)
{
	if (getenv("DONJON_ALL"))
		n *= all;
	struct cost a = cost_of(make, n, per_value ? n + 1 : locals);
	struct cost b = cost_of(make, n * 2, per_value ? n * 2 + 1 : locals);
	check_limit(&a);
	check_limit(&b);
	CHECK(a.compiled && b.compiled);
	CHECK(b.steps <= a.steps * 5 / 2 + 1000);
}

TEST(long_functions_cost_what_they_are_long)
{
	/* 6.5 MB; longer functions are refused, as are more slots than 65,535.
	 */
	twice(straight, 50000, 5, 0, false);
}

TEST(long_tables_cost_what_they_are_long)
{
	twice(a_table, 100000, 10, 0, false);
}

TEST(tables_to_many_places_cost_what_they_are_long)
{
	twice(targets, 10000, 10, 0, false);
}

TEST(deep_blocks_cost_what_they_are_long)
{
	twice(blocks, 10000, 10, 0, false);
}

TEST(deep_loops_cost_what_they_are_long)
{
	twice(loops, 1000, 10, 0, false);
}

TEST(many_loops_cost_what_they_are_long)
{
	twice(more_loops, 5000, 10, 1, false);
}

TEST(values_that_live_over_a_call_cost_what_they_are)
{
	twice(live, 5000, 5, 0, false);
}

TEST(variables_that_a_loop_changes_cost_what_they_are)
{
	twice(phis, 5000, 4, 0, true);
}

TEST(variables_that_go_round_cost_what_they_are)
{
	twice(rounds, 5000, 2, 0, true);
}

TEST(ways_with_calls_cost_what_they_are_long)
{
	twice(ways, 10000, 10, 1, false);
}

TEST(loops_that_are_left_from_within_cost_what_they_are_long)
{
	twice(left_loops, 2000, 25, 0, false);
}

TEST(ways_out_cost_what_they_are_long)
{
	twice(exits, 2000, 25, 1, false);
}

TEST(values_that_are_read_behind_calls_cost_what_they_are)
{
	twice(calls, 5000, 10, 1, false);
}

TEST(values_that_are_given_back_cost_what_they_are)
{
	twice(returns, 500, 10, 20, false);
}

TEST(tries_cost_what_they_are_long)
{
	twice(tries, 1000, 10, 0, false);
}

TEST(tries_within_tries_end_within_the_limit)
{
	struct cost c = cost_of(nested_tries, 1000, 0);
	check_limit(&c);
	c = cost_of(nested_tries, 5000, 0);
	check_limit(&c);
}

TEST(values_that_turn_out_to_be_floats_cost_what_they_are)
{
	twice(joins, 1000, 20, 1, false);
	twice(loop_joins, 1000, 20, 1, false);
}

TEST(ways_that_meet_again_cost_what_they_are_long)
{
	twice(diamonds, 1000, 20, 1, false);
}

TEST(vectors_that_live_to_the_end_cost_what_they_are)
{
	twice(vectors, 1000, 10, 0, false);
}

TEST(addresses_made_of_sums_cost_what_they_are_long)
{
	twice(addresses, 1000, 20, 0, false);
}

TEST(short_fills_cost_what_they_are_long)
{
	twice(fills, 1000, 20, 0, false);
}

TEST(references_over_calls_end_within_the_limit)
{
	struct cost c = cost_of(references, 1000, 0);
	check_limit(&c);
	c = cost_of(references, 5000, 0);
	check_limit(&c);
}

#endif
