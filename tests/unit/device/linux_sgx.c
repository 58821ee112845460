/* SPDX-License-Identifier: Apache-2.0 */
/* What of the enclave's device needs no enclave. */
#include <sys/mman.h>

#include "../test.h"
#include "device/device.h"

enum { PAGES = 5 };

static uint8_t *map(int prot)
{
	uint8_t *p = mmap(NULL, PAGES * PAGE_BYTES, prot,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* How many of its pages are there. */
static int there(uint8_t *p)
{
	unsigned char v[PAGES];
	int n = 0;
	CHECK_INT(mincore(p, sizeof v * PAGE_BYTES, v), 0);
	for (int i = 0; i < PAGES; i++)
		n += v[i] & 1;
	return n;
}

TEST(touching_has_the_kernel_add_pages)
{
	struct device *d;
	struct err e;
	uint8_t *p = map(PROT_READ | PROT_WRITE);
	CHECK(device_linux_new(&d, &e));
	CHECK_INT(there(p), 0);
	d->ops->enclave_touch(d, (uintptr_t)p, 3 * PAGE_BYTES);
	CHECK_INT(there(p), 3);
	d->ops->enclave_touch(d, (uintptr_t)p, PAGES * PAGE_BYTES);
	CHECK_INT(there(p), PAGES);
	d->ops->free(d);
	munmap(p, PAGES * PAGE_BYTES);
}

TEST(touching_what_is_not_to_be_had_is_no_signal)
{
	struct device *d;
	struct err e;
	uint8_t *p = map(PROT_NONE);
	CHECK(device_linux_new(&d, &e));
	d->ops->enclave_touch(d, (uintptr_t)p, PAGES * PAGE_BYTES);
	CHECK_INT(there(p), 0);
	munmap(p, PAGES * PAGE_BYTES);
	d->ops->enclave_touch(d, (uintptr_t)p, PAGES * PAGE_BYTES);
	d->ops->free(d);
}
