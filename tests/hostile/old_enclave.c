/* SPDX-License-Identifier: Apache-2.0 */
/* A loader on a processor without SGX2. */
#include "soft/device.h"

static const struct device_ops *real;

static int spy_cpuid(struct device *d, uint32_t leaf, uint32_t sub,
	uint32_t out[4])
{
	enum { SGX2 = 1 << 1, EDECCSSA = 1 << 11 };
	int n = real->cpuid(d, leaf, sub, out);
	if (leaf == 0x12 && sub == 0)
		out[0] &= ~(uint32_t)(SGX2 | EDECCSSA);
	return n;
}

/* The linker's door (--wrap). */
bool __real_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	static struct device_ops spy;
	if (!__real_soft_device_new(c, out, e))
		return false;
	real = (*out)->ops;
	spy = *real;
	spy.cpuid = spy_cpuid;
	(*out)->ops = &spy;
	return true;
}
