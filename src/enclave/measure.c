/* SPDX-License-Identifier: Apache-2.0 */
/* MRENCLAVE: SHA-256 over the records of ECREATE, EADD and EEXTEND (SDM,
 * volume 3D, each instruction's "Operation"). */
#include <endian.h>

#include "abi/enclave.h"
#include "crypto/hash.h"
#include "enclave/pages.h"

enum { RECORD = 64, CHUNK = 256 };

static void put(uint8_t *at, uint64_t v)
{
	v = htole64(v);
	memcpy(at, &v, sizeof v);
}

static bool add(void *ctx, const struct enclave_page *p, struct err *e)
{
	uint8_t eadd[RECORD] = "EADD";
	put(eadd + 8, p->offset);
	put(eadd + 16, p->flags);
	if (!crypto_hash_add(ctx, BYTES_ARRAY(eadd), e))
		return false;
	for (uint32_t at = 0; p->measured && at < PAGE_BYTES; at += CHUNK) {
		uint8_t eextend[RECORD + CHUNK] = "EEXTEND";
		put(eextend + 8, p->offset + at);
		memcpy(eextend + RECORD, p->contents + at, CHUNK);
		if (!crypto_hash_add(ctx, BYTES_ARRAY(eextend), e))
			return false;
	}
	return true;
}

bool enclave_measure(struct bytes shim, struct bytes exec, uint32_t heap_bytes,
	uint8_t out[32], struct err *e)
{
	uint8_t ecreate[RECORD] = "ECREATE";
	struct crypto_hash *h;
	ecreate[8] = 1; /* pages of a frame of the SSA */
	put(ecreate + 12, ENCLAVE_BYTES);
	if (!crypto_hash_new(CRYPTO_SHA256, &h, e))
		return false;
	bool ok = crypto_hash_add(h, BYTES_ARRAY(ecreate), e) &&
		enclave_pages(shim, exec, heap_bytes, add, h, e) &&
		crypto_hash_end(h, out, e);
	crypto_hash_free(h);
	return ok;
}
