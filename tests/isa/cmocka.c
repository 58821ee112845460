/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka.h"

jmp_buf unit_over;

/* Of TAP a line. */
static int run(const struct CMUnitTest *t, size_t number)
{
	void *state = NULL;
	int how = setjmp(unit_over);
	if (!how)
		t->test_func(&state);
	printf("%sok %zu - %s%s\n", how == UNIT_FAILED ? "not " : "", number,
		t->name, how == UNIT_SKIPPED ? " # SKIP" : "");
	fflush(stdout);
	return how == UNIT_FAILED;
}

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
	size_t count, void *before, void *after)
{
	int failed = 0;
	(void)group, (void)before, (void)after;
	for (size_t i = 0; i < count; i++)
		failed += run(&tests[i], i + 1);
	printf("1..%zu\n", count);
	return failed;
}
