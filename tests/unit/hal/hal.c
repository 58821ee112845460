/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/hal.h"

#include "../test.h"

TEST(hal_list_has_each_technology_once)
{
	const struct hal_tech *const *t = hal_techs();
	CHECK(t[0] != NULL);
	for (size_t i = 0; t[i]; i++)
		for (size_t j = 0; j < i; j++) {
			CHECK(strcmp(t[i]->name, t[j]->name) != 0);
			CHECK(t[i]->tee != t[j]->tee);
			CHECK(t[i]->rank < t[j]->rank);
		}
}

TEST(hal_refuses_an_unknown_technology_by_name)
{
	struct hal_config cfg = { .image_dir = "/nowhere" };
	const struct hal_tech *t = NULL;
	struct err e = { 0 };
	CHECK(!hal_find("abacus", &cfg, &t, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_STR(e.text, "technology 'abacus' unknown");
}

TEST(hal_says_what_is_missing)
{
	static const char *const names[] = { "process", "auto" };
	struct hal_config cfg = { .image_dir = "/nowhere" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct hal_tech *t = NULL;
		struct err e = { 0 };
		CHECK(!hal_find(names[i], &cfg, &t, &e));
		CHECK_INT(e.kind, ERR_HOST);
		CHECK_HAS(e.text, "no Keep image at /nowhere/process/exec");
		CHECK(!t);
	}
}
