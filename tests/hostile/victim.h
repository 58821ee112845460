/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HOSTILE_VICTIM_H
#define TESTS_HOSTILE_VICTIM_H

enum { VICTIM_ROUNDS = 5, VICTIM_TOLD = 21 };

/* Of the first round's computation. */
#define VICTIM_SUM 0xeb11cbac2bc0fe66ull

#endif
