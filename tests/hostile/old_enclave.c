/* SPDX-License-Identifier: Apache-2.0 */
/* A loader on a processor without SGX2. */
#include "loader.h"

static int spy_cpuid(struct device *d, uint32_t leaf, uint32_t sub,
	uint32_t out[4])
{
	enum { SGX2 = 1 << 1, EDECCSSA = 1 << 11 };
	int n = loader_real->cpuid(d, leaf, sub, out);
	if (leaf == 0x12 && sub == 0)
		out[0] &= ~(uint32_t)(SGX2 | EDECCSSA);
	return n;
}

void loader_place(struct device_ops *spy)
{
	spy->cpuid = spy_cpuid;
}
