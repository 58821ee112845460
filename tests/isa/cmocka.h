/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of cmocka, which Debian's cross packages have not: what the unit
 * tests use of it (tests/unit/test.h), so that they run on other ISAs as they
 * are.  A check that fails ends its test.
 */
#ifndef TESTS_ISA_CMOCKA_H
#define TESTS_ISA_CMOCKA_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
	const char *name;
	void (*test_func)(void **state);
};

extern jmp_buf unit_over;
enum { UNIT_FAILED = 1, UNIT_SKIPPED };

#define unit_end(how, ...) \
	(printf("# " __VA_ARGS__), puts(""), longjmp(unit_over, (how)))
#define unit_check(cond, what)                                           \
	((cond) ? (void)0 :                                              \
		  unit_end(UNIT_FAILED, "%s:%d: %s", __FILE__, __LINE__, \
			  what))

#define assert_true(c)	   unit_check((c), #c)
#define assert_non_null(p) unit_check((p) != NULL, #p " is there")
#define assert_int_equal(a, b)                                         \
	unit_check((unsigned long long)(a) == (unsigned long long)(b), \
		#a " is " #b)
#define assert_string_equal(a, b) \
	unit_check(strcmp((a), (b)) == 0, #a " is " #b)
#define assert_memory_equal(a, b, n) \
	unit_check(memcmp((a), (b), (n)) == 0, #a " is " #b)
#define fail_msg(...)	   unit_end(UNIT_FAILED, __VA_ARGS__)
#define print_message(...) printf("# " __VA_ARGS__)
#define skip()		   longjmp(unit_over, UNIT_SKIPPED)

static inline void cmocka_set_test_filter(const char *name)
{
	(void)name;
}

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
	size_t count, void *before, void *after);

#endif
