/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults planted in functions that are being compiled: each is seen, and
 * called by its name.
 */
#include "../test.h"
#include "helpers/build.h"
#include "wasm/jit/emit_priv.h"

#if defined(__x86_64__)
#define GET(i) 0x20, i
#define SET(i) 0x21, i
#define I32(i) 0x41, i
#define ADD    0x6a
#define ELSE   0x05
#define END    0x0b

/* A loop with a store and a load, a choice, a call with two results. */
static void put_functions(struct build *b)
{
	build_memory(b, 1, 1);
	build_func(b, NULL, "i:ii", "", B(GET(0), GET(0)));
	build_func(b, "f", "iF:i", "ii",
		B(0x03, 0x40, GET(2), GET(0), ADD, SET(2), GET(0), GET(2), 0x36,
			2, 0, GET(0), 0x28, 2, 4, SET(3), GET(2), I32(9), 0x48,
			0x0d, 0, END, GET(3), 0x04, 0x40, GET(2), I32(3), 0x6c,
			SET(2), ELSE, GET(2), I32(5), 0x73, SET(2), END, GET(2),
			0x10, 0, ADD, GET(1), 0xaa, ADD));
}

struct half {
	struct made x;
	struct jit_fn f;
	bool typed;
};

/* The function half compiled: before types are chosen, or after. */
static void half_init(struct half *h, bool typed)
{
	static const struct wasm_limits l = { .engine = WASM_ENGINE_JIT };
	struct build b = { 0 };
	*h = (struct half){ .typed = typed };
	put_functions(&b);
	made_limited(&h->x, &b, &l);
	struct wasm_instance *i = h->x.i;
	jit_prepare(&h->f, i->store->jit, &i->own[1]);
	bool ok = jit_flow(&h->f) && jit_build(&h->f);
	if (typed)
		ok = ok && jit_ranges(&h->f) && jit_finish(&h->f);
	if (!ok)
		fail_msg("%s", h->f.failed);
}

static void half_fini(struct half *h)
{
	jit_fini(&h->f);
	made_fini(&h->x);
}

/* The n-th instruction of that kind, from 1 on, in the order of blocks. */
static uint32_t find(const struct jit_fn *f, uint32_t op, int n)
{
	for (uint32_t b = 0; b < f->block_count; b++)
		for (uint32_t v = f->blocks[b].reached ? f->blocks[b].first : 0;
			v; v = f->ins[v].next)
			if (f->ins[v].op == op && !--n)
				return v;
	fail_msg("there is no such instruction");
	return 0;
}

static struct jit_ins *ins(struct jit_fn *f, uint32_t op, int n)
{
	return &f->ins[find(f, op, n)];
}

static struct jit_block *block_of(struct jit_fn *f, uint32_t op)
{
	return &f->blocks[ins(f, op, 1)->block];
}

/* --- blocks, edges, lists --------------------------------------------------
 */

static void no_end(struct jit_fn *f)
{
	jit_remove(f, find(f, J_BRANCH, 1));
}

static void early_end(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->op = J_TRAP;
}

static void list_broken(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->prev = 1;
}

static void last_forgotten(struct jit_fn *f)
{
	struct jit_block *b = block_of(f, J_STORE);
	b->last = f->ins[b->last].prev;
}

static void list_in_a_circle(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->next = ins(f, J_STORE, 1)->prev;
}

static void block_of_another(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->block = 0;
}

static void late_phi(struct jit_fn *f)
{
	uint32_t n = find(f, J_PHI, 1), at = find(f, J_STORE, 1);
	jit_remove(f, n);
	jit_insert_before(f, at, n);
}

static void param_within(struct jit_fn *f)
{
	ins(f, J_PHI, 1)->op = J_PARAM;
}

static void edge_of_another(struct jit_fn *f)
{
	f->edges[block_of(f, J_BRANCH)->succ].from = 0;
}

static void edge_to_nowhere(struct jit_fn *f)
{
	f->edges[block_of(f, J_BRANCH)->succ].to = f->block_count;
}

static void edge_elsewhere(struct jit_fn *f)
{
	struct jit_edge *e = &f->edges[block_of(f, J_BRANCH)->succ];
	e->to = f->edges[block_of(f, J_BRANCH)->succ + 1].to;
}

static void too_many_ways(struct jit_fn *f)
{
	ins(f, J_BRANCH, 1)->op = J_JUMP;
}

static void forward_called_back(struct jit_fn *f)
{
	f->edges[0].back = true;
}

static void no_head(struct jit_fn *f)
{
	block_of(f, J_STORE)->is_head = false;
}

static void wrong_dominator(struct jit_fn *f)
{
	block_of(f, J_RETURN)->idom = 0;
}

static void no_operation(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->op = J_OP_COUNT;
}

/* --- values -----------------------------------------------------------------
 */

static void used_before(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->a = find(f, J_LOAD, 1);
}

static void used_elsewhere(struct jit_fn *f)
{
	ins(f, J_XOR, 1)->a = find(f, J_MUL, 1);
}

static void used_after_removal(struct jit_fn *f)
{
	jit_remove(f, find(f, J_XOR, 1));
}

static void no_operand(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->b = 0;
}

static void no_value(struct jit_fn *f)
{
	ins(f, J_LOAD, 1)->a = find(f, J_STORE, 1);
}

static void float_as_address(struct jit_fn *f)
{
	ins(f, J_LOAD, 1)->a = find(f, J_PARAM, 2);
}

static void number_as_float(struct jit_fn *f)
{
	ins(f, J_FLOAT_TO_INT, 1)->a = find(f, J_PARAM, 1);
}

static void open_type(struct jit_fn *f)
{
	ins(f, J_LOAD, 1)->type = JT_ANY32;
}

static void store_with_value(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->type = JT_I32;
}

static void part_of_two(struct jit_fn *f)
{
	ins(f, J_ADD, 1)->flags |= JF_FOLDED;
}

static void part_of_nothing(struct jit_fn *f)
{
	ins(f, J_STORE, 1)->flags |= JF_FOLDED;
}

/* --- phis, lists of operands
 * -------------------------------------------------- */

static void phi_too_short(struct jit_fn *f)
{
	ins(f, J_PHI, 1)->c--;
}

static void phi_swapped(struct jit_fn *f)
{
	/* The phi behind the choice: each way brings what the other made. */
	uint32_t *v = &f->args[ins(f, J_PHI, 2)->b], was = v[0];
	v[0] = v[1];
	v[1] = was;
}

static void operands_beyond(struct jit_fn *f)
{
	ins(f, J_CALL, 1)->b = f->arg_count;
}

static void argument_too_many(struct jit_fn *f)
{
	ins(f, J_CALL, 1)->b = 0;
	ins(f, J_CALL, 1)->c = 2;
}

static void no_result(struct jit_fn *f)
{
	ins(f, J_RETURN, 1)->c = 0;
}

static void second_of_one(struct jit_fn *f)
{
	ins(f, J_RESULT, 1)->cc = 2;
}

static void result_of_none(struct jit_fn *f)
{
	ins(f, J_RESULT, 1)->a = find(f, J_LOAD, 1);
}

/* --- the order of effects ----------------------------------------------------
 */

static void load_before_store(struct jit_fn *f)
{
	uint32_t n = find(f, J_LOAD, 1), at = find(f, J_STORE, 1);
	jit_remove(f, n);
	jit_insert_before(f, at, n);
}

static void store_in_another_block(struct jit_fn *f)
{
	uint32_t n = find(f, J_STORE, 1), at = find(f, J_CALL, 1);
	jit_remove(f, n);
	jit_insert_before(f, at, n);
}

static void trap_before_call(struct jit_fn *f)
{
	uint32_t n = find(f, J_FLOAT_TO_INT, 1), at = find(f, J_CALL, 1);
	jit_remove(f, n);
	jit_insert_before(f, at, n);
}

static const struct {
	void (*plant)(struct jit_fn *f);
	const char *name;
} faults[] = {
	{ no_end, "the block has no end" },
	{ early_end, "goes on after the end" },
	{ list_broken, "the list is broken" },
	{ last_forgotten, "the list is broken" },
	{ list_in_a_circle, "is in a list twice" },
	{ block_of_another, "in the list of block" },
	{ late_phi, "not at the beginning" },
	{ param_within, "a parameter within the function" },
	{ edge_of_another, "is of block 0" },
	{ edge_to_nowhere, "leads nowhere" },
	{ edge_elsewhere, "does not know its way in" },
	{ too_many_ways, "2 ways out" },
	{ forward_called_back, "only if back" },
	{ no_head, "no loop's head" },
	{ wrong_dominator, "dominates it, not 0" },
	{ no_operation, "unknown operation" },
	{ used_before, "used before it is made" },
	{ used_elsewhere, "used before it is made" },
	{ used_after_removal, "was removed" },
	{ no_operand, "an operand is missing" },
	{ no_value, "is no value" },
	{ float_as_address, "has type" },
	{ number_as_float, "has type" },
	{ open_type, "its type is open" },
	{ store_with_value, "gives a value" },
	{ part_of_two, "part of another instruction" },
	{ part_of_nothing, "part of nothing" },
	{ phi_too_short, "values for 2 ways in" },
	{ phi_swapped, "used before it is made" },
	{ operands_beyond, "operands out of the list" },
	{ argument_too_many, "2 arguments for 1 parameters" },
	{ no_result, "0 values for 1 results" },
	{ second_of_one, "has no such result" },
	{ result_of_none, "is not the last" },
	{ load_before_store, "after what comes later" },
	{ store_in_another_block, "out of its block" },
	{ trap_before_call, "after what comes later" },
};

TEST(what_the_compiler_makes_has_no_fault)
{
	char text[160];
	for (int typed = 0; typed < 2; typed++) {
		struct half h;
		half_init(&h, typed);
		if (!jit_verify_ssa(&h.f, typed, text, sizeof text))
			fail_msg("%s", text);
		half_fini(&h);
	}
}

TEST(each_fault_is_seen_and_named)
{
	char text[160];
	for (size_t k = 0; k < ARRAY_LEN(faults); k++) {
		struct half h;
		half_init(&h, true);
		faults[k].plant(&h.f);
		if (jit_verify_ssa(&h.f, true, text, sizeof text))
			fail_msg("not seen: %s", faults[k].name);
		if (!strstr(text, faults[k].name))
			fail_msg("%s, not %s", text, faults[k].name);
		half_fini(&h);
	}
}

TEST(faults_of_shape_are_seen_before_types_are_chosen)
{
	char text[160];
	void (*const plants[])(struct jit_fn *) = { no_end, edge_elsewhere,
		used_before, used_elsewhere, phi_too_short, load_before_store };
	for (size_t k = 0; k < ARRAY_LEN(plants); k++) {
		struct half h;
		half_init(&h, false);
		plants[k](&h.f);
		CHECK(!jit_verify_ssa(&h.f, false, text, sizeof text));
		half_fini(&h);
	}
}
#else
TEST(the_compiler_is_for_x86_64)
{
	struct wasm_store *s = NULL;
	struct wasm_limits l = { .engine = WASM_ENGINE_JIT };
	struct err e = { 0 };
	CHECK(!wasm_store_new(&l, &s, &e));
}
#endif
