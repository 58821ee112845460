/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "../test.h"

static bool inner(struct err *e)
{
	return err_fail(e, ERR_HOST, "open %s: no such file", "/x");
}

static bool outer(struct err *e)
{
	return inner(e) || err_wrap(e, "launch %d", 7);
}

TEST(err_text_grows_outwards_and_keeps_its_kind)
{
	struct err e = { 0 };
	CHECK(!outer(&e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_STR(e.text, "launch 7: open /x: no such file");
	CHECK_INT(ERR_STATUS(e.kind), 123);
	CHECK_STR(err_kind_name(e.kind), "host");
}

TEST(err_cuts_a_text_that_grows_too_long)
{
	struct err e = { 0 };
	err_put(&e, ERR_INPUT, "end");
	for (int i = 0; i < 100; i++)
		err_prefix(&e, "wrap number %d", i);
	CHECK(strlen(e.text) < sizeof e.text);
	CHECK_HAS(e.text, "wrap number 99: wrap number 98");
}

TEST(err_may_be_ignored)
{
	CHECK(!err_fail(NULL, ERR_INPUT, "x"));
	CHECK(!err_wrap(NULL, "y"));
}
