/* SPDX-License-Identifier: Apache-2.0 */
/* Physical memory for the monitor's units: below MEMORY_BYTES, an array. */
#ifndef TESTS_MONITOR_MEMORY_H
#define TESTS_MONITOR_MEMORY_H

#include "monitor/x86_64/monitor.h"

enum { MEMORY_BYTES = 16 << 20, SHARED_BYTES = 4 << 20 };

/* All zero; what monitor_memory gave out before is gone. */
void memory_reset(void);
void memory_free(void);

#endif
