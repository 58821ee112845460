/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for exec (tests/fake/guest.c) in an enclave of the software
 * platform, launched whole or up to its first entry. */
#ifndef TESTS_UNIT_HAL_NEST_H
#define TESTS_UNIT_HAL_NEST_H

#include "hal/sgx_priv.h"
#include "vm.h"

/* Skips where there is no software platform.  The keys of all tests of a
 * program are the same. */
void nest_open(struct place *p, enum guest what);
/* At the program's end. */
void nest_forget(void);

#endif
