/* SPDX-License-Identifier: Apache-2.0 */
/* Guest-physical pages, as large as the processor has them. */
#ifndef SHIM_X86_64_VM_PAGES_H
#define SHIM_X86_64_VM_PAGES_H

#include "base/base.h"

enum { PAGES_LARGE = 512 };

/* Does a page, or the PAGES_LARGE from it on; *fits false: it is not of that
 * size, and nothing was done. */
typedef bool pages_one(uint64_t page, bool large, bool *fits);

/* All of a range (numbers; `to` excluded), 2 MiB at a time where that fits. */
MUST_USE bool pages_each(uint64_t from, uint64_t to, pages_one *one);

#endif
