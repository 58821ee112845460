/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pem.h"

#include "../test.h"

#define BLOCK(label, body) \
	"-----BEGIN " label "-----\n" body "\n-----END " label "-----\n"

TEST(pem_takes_block_by_block)
{
	struct reader r = { .in = bytes_str("\r\n " BLOCK("A", "Zm9v")
					    BLOCK("A B", "Zm\n9vYm\r\nE=")) };
	auto_buf der = { 0 };
	struct err e = { 0 };
	CHECK(pem_next_is(&r, "A") && !pem_next_is(&r, "A B"));
	CHECK(pem_next(&r, "A", &der, &e));
	CHECK(!pem_done(&r));
	CHECK(pem_next(&r, "A B", &der, &e));
	CHECK(pem_done(&r));
	CHECK_STR(buf_cstr(&der), "foofooba");
}

TEST(pem_refuses_what_is_not_a_block)
{
	static const char *const bad[] = { "", "x", "-----BEGIN A-----",
		"-----BEGIN A-----\nZm9v", "-----BEGIN A-----\nZm9v\n",
		"-----BEGIN A-----\nZm9v\n-----END B-----",
		"x" BLOCK("A", "Zm9v"), BLOCK("B", "Zm9v"), BLOCK("A", "Zm9"),
		BLOCK("A", "K: V\n\nZm9v"), BLOCK("A", "Zm!v") };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reader r = { .in = bytes_str(bad[i]) };
		auto_buf der = { 0 };
		struct err e = { 0 };
		CHECK(!pem_next(&r, "A", &der, &e));
		CHECK_INT(r.at, 0);
		CHECK_INT(e.kind, ERR_INPUT);
	}
}
