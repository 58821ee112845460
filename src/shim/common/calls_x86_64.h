/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers that system calls have on x86-64. */
#ifndef SHIM_COMMON_CALLS_X86_64_H
#define SHIM_COMMON_CALLS_X86_64_H

#include "shim/common/personality.h"

/* Is the processor's business, and so each shim's own. */
#define CALLS_ARCH_PRCTL  158u
#define CALLS_ARCH_SET_FS 0x1002u

enum call calls_x86_64(uint64_t number);

#endif
