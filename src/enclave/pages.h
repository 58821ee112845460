/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of a Keep's enclave: which there are, where, with which rights
 * and contents, out of the two images.  The loader adds them, the verifier
 * measures them; both walk them here, in the order in which they are added.
 */
#ifndef ENCLAVE_PAGES_H
#define ENCLAVE_PAGES_H

#include "base/bytes.h"
#include "base/err.h"

struct enclave_page {
	uint64_t offset;	 /* from the enclave's base */
	uint64_t flags;		 /* SECINFO */
	const uint8_t *contents; /* PAGE_BYTES, until the call returns */
	bool measured;		 /* the contents, too */
};

/*
 * On a processor that can't add pages later all memory is there from the
 * start, in one of these sizes: each is a measurement of its own.
 */
struct enclave_heap {
	uint32_t bytes;
	const char *name; /* of the measurement's variant */
};

#define ENCLAVE_HEAPS 3u
extern const struct enclave_heap enclave_heaps[ENCLAVE_HEAPS];
/* The smallest in which a Keep may use so much; the largest, if none: then
 * *memory is made as much as it may. */
uint32_t enclave_heap_for(uint64_t *memory);

typedef bool enclave_page_told(void *ctx, const struct enclave_page *p,
	struct err *e);

/*
 * heap_bytes: whole pages of memory that are there from the start, for a
 * processor that can't add any later; else 0.  ERR_HOST: an image is none.
 */
MUST_USE bool enclave_pages(struct bytes shim, struct bytes exec,
	uint32_t heap_bytes, enclave_page_told *told, void *ctx, struct err *e);

/* MRENCLAVE (SDM §36.4). */
MUST_USE bool enclave_measure(struct bytes shim, struct bytes exec,
	uint32_t heap_bytes, uint8_t out[32], struct err *e);

#endif
