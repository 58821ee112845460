/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i

/* 0x7ff8... with its sign set and a payload, as f64 */
#define ODD_F64 0xfff8000000001234u
#define ODD_F32 0xffc01234u

static void functions(struct build *b)
{
	build_func(b, "add", "I:I", "",
		B(GET(0), 0xbf, GET(0), 0xbf, 0xa0, 0xbd));
	build_func(b, "sqrt", "i:i", "", B(GET(0), 0xbe, 0x91, 0xbc));
	build_func(b, "copy", "I:I", "F",
		B(GET(0), 0xbf, 0x9a, 0x9a, 0x21, 1, GET(1), 0xbd));
	/* (f32x4.splat x) * (f32x4.splat x), lane 2 */
	build_func(b, "vector", "i:i", "",
		B(GET(0), 0xbe, 0xfd, 19, GET(0), 0xbe, 0xfd, 19, 0xfd, 0xe6, 1,
			0xfd, 31, 2, 0xbc));
}

TEST(arithmetic_can_be_told_to_make_one_nan_only)
{
	struct build b = { 0 };
	struct made x;
	const struct wasm_limits l = { .canonical_nans = true };
	functions(&b);
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "add", "I", ODD_F64), 0x7ff8000000000000);
	CHECK_INT(made_call(&x, "sqrt", "i", ODD_F32), 0x7fc00000);
	CHECK_INT(made_call(&x, "sqrt", "i", 0xbf800000u), 0x7fc00000);
	CHECK_INT(made_call(&x, "vector", "i", ODD_F32), 0x7fc00000);
	CHECK_INT(made_call(&x, "add", "I", 0x3ff0000000000000u),
		0x4000000000000000);
	/* What only moves bits leaves them alone. */
	CHECK_INT(made_call(&x, "copy", "I", ODD_F64), ODD_F64);
	made_fini(&x);
}

TEST(without_being_told_it_makes_some_quiet_nan)
{
	struct build b = { 0 };
	struct made x;
	functions(&b);
	made_init(&x, &b);
	uint64_t quiet = 0x7ff8000000000000;
	CHECK((made_call(&x, "add", "I", ODD_F64) & quiet) == quiet);
	CHECK((made_call(&x, "add", "I", 0x7ff0000000000001u) & quiet) ==
		quiet);
	made_fini(&x);
}
