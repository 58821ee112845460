/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for exec (tests/fake/guest.c) in an enclave of the software
 * platform, launched whole or up to its first entry. */
#ifndef TESTS_UNIT_HAL_NEST_H
#define TESTS_UNIT_HAL_NEST_H

#include "../../../fake/guest.h"
#include "hal/hal.h"
#include "hal/sgx_priv.h"

struct nest {
	char images[4096];
	char dir[64]; /* ours, for the keys */
	char root[96];
	struct hal_config cfg;
	const struct hal_tech *tech;
};

/* Skips where there is no software platform.  The keys of all tests of a
 * program are the same. */
void nest_open(struct nest *n, enum guest what);
/* At the program's end. */
void nest_forget(void);
struct hal_keep *nest_launch(struct nest *n);
bool nest_took(struct nest *n, struct hal_keep *k, char why[128]);

#endif
