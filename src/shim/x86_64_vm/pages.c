/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/pages.h"

static bool small_ones(uint64_t from, uint64_t to, pages_one *one)
{
	bool fits, ok = true;
	for (; ok && from < to; from++)
		ok = one(from, false, &fits);
	return ok;
}

bool pages_each(uint64_t from, uint64_t to, pages_one *one)
{
	while (from < to) {
		uint64_t next = from + 1;
		bool fits = false, ok = false;
		if (from % PAGES_LARGE == 0 && to - from >= PAGES_LARGE) {
			next = from + PAGES_LARGE;
			ok = one(from, true, &fits);
		}
		if (!ok && fits)
			return false;
		if (!ok && !small_ones(from, next, one))
			return false;
		from = next;
	}
	return true;
}
