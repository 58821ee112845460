/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdlib.h>

#include "../../../test.h"

static uint8_t *ram, *file;

void memory_reset(void)
{
	memory_free();
	ram = calloc(1, MEMORY_BYTES);
	file = calloc(1, SHARED_BYTES);
	CHECK(ram && file);
}

void memory_free(void)
{
	free(ram);
	free(file);
	ram = file = NULL;
}

void *monitor_memory(uint64_t hpa)
{
	if (hpa >= MONITOR_PPC_SHARED_HPA) {
		CHECK(hpa - MONITOR_PPC_SHARED_HPA < SHARED_BYTES);
		return file + (hpa - MONITOR_PPC_SHARED_HPA);
	}
	CHECK(hpa < MEMORY_BYTES);
	return ram + hpa;
}
