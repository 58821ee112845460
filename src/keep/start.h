/* SPDX-License-Identifier: Apache-2.0 */
/* What start.c does is the same on all ISAs; here is what an ISA calls it. */
#ifndef KEEP_START_H
#define KEEP_START_H

#include "base/base.h"

/* Kinds of relocations (the ISA's ELF supplement).  thread: of a thread's
 * variable, from the thread pointer on; -1: there are none, the linker knows.
 * indirect: by the processor's features. */
struct start_kinds {
	int64_t relative, thread, indirect, nothing;
};
extern __attribute__((visibility("hidden")))
const struct start_kinds start_kinds;

#endif
