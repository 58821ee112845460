/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers that system calls have on POWER of 64 bits. */
#ifndef SHIM_COMMON_CALLS_PPC64LE_H
#define SHIM_COMMON_CALLS_PPC64LE_H

#include "shim/common/personality.h"

enum call calls_ppc64le(uint64_t number);

#endif
