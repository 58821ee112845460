/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_enclave.h"

#include "attest/measure_sgx.h"
#include "enclave/pages.h"

/* abi/enclave.h, which is not for verifiers. */
#define RANGE_BYTES 0x1000000000ull
enum { SSA_FRAME_PAGES = 1 };

struct build {
	struct attest_sgx_build *sgx;
	struct buf *pages;
};

static bool add(void *ctx, const struct enclave_page *p, struct err *e)
{
	struct build *b = ctx;
	if (b->pages)
		attest_sgx_tell(b->pages, p->measured ? "EADD+" : "EADD",
			p->offset, p->flags);
	return attest_sgx_add(b->sgx, p->offset, p->flags,
		bytes_of(p->contents, PAGE_BYTES), p->measured, e);
}

bool attest_measure_enclave(struct bytes shim, struct bytes exec,
	uint32_t heap_bytes, struct buf *pages, uint8_t out[32], struct err *e)
{
	struct build b = { .pages = pages };
	if (!attest_sgx_create(SSA_FRAME_PAGES, RANGE_BYTES, &b.sgx, e))
		return false;
	bool ok = enclave_pages(shim, exec, heap_bytes, add, &b, e) &&
		attest_sgx_end(b.sgx, out, e);
	attest_sgx_free(b.sgx);
	return ok;
}
