/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests: a thin dress over cmocka.  A test's name is a sentence.
 *
 *	TEST(reader_refuses_to_read_past_the_end)
 *	{
 *		CHECK(!reader_done(&r));
 *		CHECK_STR(e.text, "quote: length 3");
 *	}
 *
 * Every file below tests/unit/MODULE is a program of its own; main.c runs
 * its tests in the order they stand.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void test_register(const char *name, void (*run)(void **));

#define TEST(name)                                                \
	static void name(void **);                                \
	__attribute__((constructor)) static void name##_add(void) \
	{                                                         \
		test_register(#name, name);                       \
	}                                                         \
	static void name(void **test_state __attribute__((unused)))

#define CHECK(cond)	   assert_true(cond)
#define CHECK_INT(a, b)	   assert_int_equal((a), (b))
#define CHECK_STR(a, b)	   assert_string_equal((a), (b))
#define CHECK_MEM(a, b, n) assert_memory_equal((a), (b), (n))
#define CHECK_HAS(text, part)                                              \
	do {                                                               \
		if (!strstr((text), (part)))                               \
			fail_msg("\"%s\" does not mention \"%s\"", (text), \
				(part));                                   \
	} while (0)
#define SKIP_TEST(why)                              \
	do {                                        \
		print_message("SKIP: %s\n", (why)); \
		skip();                             \
	} while (0)

#endif
