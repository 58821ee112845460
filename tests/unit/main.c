/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

enum { MAX_TESTS = 512 };
static struct CMUnitTest tests[MAX_TESTS];
static size_t count;

void test_register(const char *name, void (*run)(void **))
{
	if (count == MAX_TESTS)
		abort();
	tests[count++] = (struct CMUnitTest){ .name = name, .test_func = run };
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL) ? 1 :
									    0;
}
