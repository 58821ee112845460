/* SPDX-License-Identifier: Apache-2.0 */
/* Both images of an enclave, the first's length in front: no pages outside
 * the range, none twice in a row. */
#include <stdlib.h>

#include "abi/enclave.h"
#include "enclave/pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool told(void *ctx, const struct enclave_page *p, struct err *e)
{
	uint64_t *last = ctx;
	if (p->offset % PAGE_BYTES || p->offset >= ENCLAVE_BYTES ||
		p->offset + 1 <= *last)
		abort();
	*last = p->offset + 1;
	(void)e;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	uint64_t last = 0;
	if (size < 2)
		return 0;
	size_t pages = data[0];
	size_t shim = size_min((pages & 15) * PAGE_BYTES, size - 2);
	struct bytes in = bytes_of(data + 2, size - 2);
	(void)!enclave_pages(bytes_of(in.ptr, shim), bytes_from(in, shim),
		(data[1] & 7u) * PAGE_BYTES, told, &last, &e);
	return 0;
}
