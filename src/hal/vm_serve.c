/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/vm_priv.h"

/* Each technology's `struct hal_keep` is another; all begin alike. */
static const struct vm_served *served(const struct hal_keep *k)
{
	return (const struct vm_served *)(const void *)k;
}

int vm_bell(const struct hal_keep *k)
{
	return served(k)->cpu->bell;
}

struct gate_area *vm_area(struct hal_keep *k)
{
	return (struct gate_area *)(void *)(served(k)->window + VM_AREA_AT);
}

bool vm_take(struct hal_keep *k, bool *gone, char why[128], struct err *e)
{
	return vm_cpu_take(served(k)->cpu, gone, why, e);
}

bool vm_resume(struct hal_keep *k, struct err *e)
{
	return vm_cpu_resume(served(k)->cpu, e);
}
