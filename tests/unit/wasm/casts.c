/* SPDX-License-Identifier: Apache-2.0 */
/* What references refer to, asked for and insisted on, in both engines. */
#include "../test.h"
#include "helpers/build.h"
#include "helpers/pair.h"
#include "wasm/jit/jit_priv.h"

#if defined(__x86_64__)
#define GET(i)	0x20, i
#define CALL(i) 0x10, i
#define I32(i)	0x41, i
#define EQ	0x46
#define DROP	0x1a
#define END	0x0b
#define RETURN	0x0f
#define NEW(t)	0xfb, 1, t /* of zeros */
/* If x is k, that is what it gives. */
#define GIVE(k, ...) GET(0), I32(k), EQ, 0x04, 0x40, __VA_ARGS__, RETURN, END

enum { BASE, MIDDLE, LEAF, OTHER, NUMBERS, GIVES_INT, GIVES_LONG, TYPES };
enum { I31 = 0x6c, ANY = 0x6e, FUNC = 0x70 };
enum { MAKES, MAKES_FUNC, AN_INT, A_LONG };

/* LEAF is below MIDDLE, which is below BASE; LEAF, OTHER and the functions'
 * types are final. */
static void begin(struct build *b)
{
	buf_put(&b->types, B(0x50, 0, 0x5f, 1, 0x7f, 0));
	buf_put(&b->types, B(0x50, 1, BASE, 0x5f, 1, 0x7f, 0));
	buf_put(&b->types, B(0x4f, 1, MIDDLE, 0x5f, 2, 0x7f, 0, 0x7f, 0));
	buf_put(&b->types, B(0x5f, 1, 0x7e, 0, 0x5e, 0x7f, 0));
	buf_put(&b->types, B(0x60, 0, 1, 0x7f, 0x60, 0, 1, 0x7e));
	b->type_count += TYPES;
	build_func(b, NULL, "i:y", "",
		B(GIVE(0, 0xd0, 0x71), GIVE(1, NEW(BASE)), GIVE(2, NEW(MIDDLE)),
			GIVE(3, NEW(LEAF)), GIVE(4, NEW(OTHER)),
			GIVE(5, I32(3), 0xfb, 7, NUMBERS),
			GIVE(6, I32(0x7f), 0xfb, 0x1c), 0x00));
	build_func(b, NULL, "i:a", "",
		B(GIVE(0, 0xd0, 0x73), GIVE(1, 0xd2, AN_INT),
			GIVE(2, 0xd2, A_LONG), 0x00));
	build_func(b, NULL, ":i", "", B(I32(1)));
	build_func(b, NULL, ":I", "", B(0x42, 1));
	build_table(b, 2, 2);
	build_elem(b, 0, (const uint8_t[]){ AN_INT, A_LONG }, 2);
}

struct target {
	uint8_t maker, heap;
	const char *is; /* of which numbers, null not counted */
};

static const struct target targets[] = {
	{ MAKES, BASE, "123" },
	{ MAKES, MIDDLE, "23" },
	{ MAKES, LEAF, "3" },
	{ MAKES, OTHER, "4" },
	{ MAKES, NUMBERS, "5" },
	{ MAKES, I31, "6" },
	{ MAKES, 0x6b, "1234" }, /* any struct */
	{ MAKES_FUNC, GIVES_INT, "1" },
	{ MAKES_FUNC, GIVES_LONG, "2" },
};

static uint8_t top_of(const struct target *t)
{
	return t->maker == MAKES ? ANY : FUNC;
}

/* test, cast, and the branches. */
static void functions(struct build *b, const struct target *t, bool null)
{
	uint8_t flags = null ? 3 : 1, top = top_of(t);
	build_func(b, "test", "i:i", "",
		B(GET(0), CALL(t->maker), 0xfb, null ? 0x15 : 0x14, t->heap));
	build_func(b, "twice", "i:i", t->maker == MAKES ? "y" : "a",
		B(GET(0), CALL(t->maker), 0x22, 1, 0xfb, null ? 0x15 : 0x14,
			t->heap, GET(1), 0xfb, 0x14, t->heap, 0x6a));
	build_func(b, "cast", "i:i", "",
		B(GET(0), CALL(t->maker), 0xfb, null ? 0x17 : 0x16, t->heap,
			DROP, I32(1)));
	build_func(b, "branch", "i:i", "",
		B(0x02, top, GET(0), CALL(t->maker), 0xfb, 0x18, flags, 0, top,
			t->heap, DROP, I32(0), RETURN, END, DROP, I32(1)));
	build_func(b, "pass", "i:i", "",
		B(0x02, top, GET(0), CALL(t->maker), 0xfb, 0x19, flags, 0, top,
			t->heap, DROP, I32(1), RETURN, END, DROP, I32(0)));
}

/* How many instructions are left to the interpreter's operations. */
static uint32_t steps(const struct pair *p)
{
	uint32_t n = 0;
	for (const struct jit_words *w = p->jit->store->jit->words; w;
		w = w->next)
		n++;
	return n;
}

static void ask(const struct target *t, bool null, struct wasm_limits l)
{
	struct build b = { 0 };
	struct pair p;
	begin(&b);
	functions(&b, t, null);
	pair_limited(&p, &b, l);
	for (uint8_t x = 0; x < (t->maker == MAKES ? 7 : 3); x++) {
		bool one = strchr(t->is, '0' + x) != NULL;
		uint64_t is = one || (!x && null);
		CHECK_INT(both(&p, "test", x), is);
		CHECK_INT(both(&p, "twice", x), is + one);
		CHECK_INT(both(&p, "branch", x), is);
		CHECK_INT(both(&p, "pass", x), is);
		both(&p, "cast", x);
		CHECK_INT(p.ri.end, is ? WASM_RETURNED : WASM_TRAPPED);
	}
	/* What makes objects, and questions about whole hierarchies, are. */
	if (!l.jit_stress && !l.jit_mask && t->heap != 0x6b)
		CHECK_INT(steps(&p), t->maker == MAKES ? 5 : 0);
	pair_fini(&p);
}

TEST(a_reference_is_what_it_was_made_as_and_whatever_is_above_it)
{
	for (size_t k = 0; k < ARRAY_LEN(targets); k++)
		for (int null = 0; null < 2; null++) {
			ask(&targets[k], null, (struct wasm_limits){ 0 });
			ask(&targets[k], null,
				(struct wasm_limits){ .jit_mask = true });
			for (uint64_t seed = 1; seed < 9; seed++)
				ask(&targets[k], null,
					(struct wasm_limits){
						.jit_stress = seed });
		}
}
#else
TEST(the_compiler_is_for_x86_64)
{
	SKIP("no x86-64");
}
#endif
