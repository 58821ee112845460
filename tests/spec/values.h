/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the conformance suite: from JSON to slots, and compared. */
#ifndef TESTS_SPEC_VALUES_H
#define TESTS_SPEC_VALUES_H

#include "json.h"

/* Writes the value's slots (one or two); returns how many, 0: can't read. */
size_t value_read(const struct json *v, uint64_t slots[2]);
/* How many slots a value of that description takes. */
size_t value_slots(const struct json *v);
/* Is what is in the slots what was expected? */
bool value_matches(const struct json *want, const uint64_t slots[2]);

#endif
