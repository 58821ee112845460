/* SPDX-License-Identifier: Apache-2.0 */
/* Real addresses of tests: RAM, and the shared file. */
#ifndef TESTS_UNIT_MONITOR_PPC64LE_MEMORY_H
#define TESTS_UNIT_MONITOR_PPC64LE_MEMORY_H

#include "abi/monitor.h"
#include "monitor/ppc64le/radix.h"

enum { MEMORY_BYTES = 4 << 20, SHARED_BYTES = 4 << 20 };

/* All zero. */
void memory_reset(void);
void memory_free(void);

#endif
