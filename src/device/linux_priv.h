/* SPDX-License-Identifier: Apache-2.0 */
/* linux.c's other half: enclaves. */
#ifndef DEVICE_LINUX_PRIV_H
#define DEVICE_LINUX_PRIV_H

#include "device/device.h"

int linux_enclave_map(struct device *d, int handle, uint64_t at, size_t len,
	int prot);
int linux_enclave_protect(struct device *d, uint64_t at, size_t len, int prot);
void linux_enclave_touch(struct device *d, uint64_t at, size_t len);
void linux_enclave_unmap(struct device *d, uint64_t at, size_t len);
int linux_enclave_enter(struct device *d, int handle, struct device_enclave *x);
void linux_enclave_stop(struct device *d, uint64_t at, size_t len);
int linux_cpuid(struct device *d, uint32_t leaf, uint32_t sub, uint32_t out[4]);

#endif
