/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_pef.h"

#include <endian.h>

#include "codec/hex.h"
#include "spec/pef.h"

/* abi/vm.h, which is not for verifiers: what the loader writes into the head of
 * the shim's image. */
enum { AT_EXEC_BYTES = 0x30, HEAD_BYTES = 0x40 };

static bool tell(struct buf *told, const char *name, const uint8_t *digest,
	struct err *e)
{
	char hex[2 * ESM_DIGEST_BYTES + 1];
	hex_encode(bytes_of(digest, ESM_DIGEST_BYTES), hex);
	return !told || buf_fmt(told, "%-10s %s\n", name, hex) ||
		err_fail(e, ERR_LIMIT, "out of memory");
}

bool attest_measure_pef(struct bytes shim, struct bytes exec, struct buf *told,
	struct esm_digests *out, struct err *e)
{
	static const uint8_t rtas[] = PEF_RTAS_CODE;
	const uint32_t n = htole32((uint32_t)exec.len);
	auto_buf kernel = { .len = 0 };
	if (shim.len < HEAD_BYTES || shim.len % PAGE_BYTES)
		return err_fail(e, ERR_HOST, "shim: no image");
	if (!buf_put(&kernel, shim))
		return err_fail(e, ERR_LIMIT, "out of memory");
	memcpy(kernel.ptr + AT_EXEC_BYTES, &n, sizeof n);
	return esm_digest(BYTES_ARRAY(rtas), buf_bytes(&kernel), exec,
		       BYTES_NONE, out, e) &&
		tell(told, "rtas", out->rtas, e) &&
		tell(told, "kernel", out->kernel, e) &&
		tell(told, "initrd", out->initrd, e) &&
		tell(told, "bootargs", out->bootargs, e);
}
