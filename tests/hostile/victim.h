/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HOSTILE_VICTIM_H
#define TESTS_HOSTILE_VICTIM_H

#include "base/base.h"

enum { VICTIM_ROUNDS = 5, VICTIM_TOLD = 21 };

/* Of the first round's computation. */
#define VICTIM_SUM 0xeb11cbac2bc0fe66ull

/* victim.c's: ends with that number. */
void victim_need(bool ok, int number);
/* Of each processor, a file. */
void victim_registers(void);
void victim_processor(void);

#endif
