/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel's way to the security monitor: its calls, for a process.  No Linux
 * has such a driver; the software platform plays one.  The driver owns the
 * enclave's memory, so addresses there are from its begin on; addresses of
 * untrusted memory are the process' own.
 */
#ifndef ABI_SANCTUM_DRIVER_H
#define ABI_SANCTUM_DRIVER_H

#include <linux/ioctl.h>

#include "abi/sanctum.h"

#define SANCTUM_DRIVER_PATH "/dev/sanctum"

/* Does them in order, up to the first that fails: then `done` of them were, and
 * that one's result says why. */
struct sanctum_calls {
	uint64_t calls; /* address of struct sanctum_call[] */
	uint32_t count, done;
};
LAYOUT_SIZE(struct sanctum_calls, 0x10);
#define SANCTUM_IOC_CALLS _IOWR('S', 0x51, struct sanctum_calls)

/* SANCTUM_ENTER; -EINTR: it was interrupted. */
struct sanctum_run {
	uint64_t enclave;
	uint32_t result; /* enum sanctum_result */
	uint32_t event;	 /* why it left */
};
LAYOUT_SIZE(struct sanctum_run, 0x10);
#define SANCTUM_IOC_RUN _IOWR('S', 0x52, struct sanctum_run)

#endif
