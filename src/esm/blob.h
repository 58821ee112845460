/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESM blobs, as OpenPOWER's ultravisor reads them (svm/svm-esmb.c): a device
 * tree with a symmetric key, wrapped for one machine, and under that key the
 * digests of the one virtual machine that may have what else is in it: its
 * owner's key.
 *
 *	/lockboxes/lockbox-1    encrypted-symkey: RSAES-OAEP (crypto/wrap.h)
 *	/digest/digests-fdt     algorithm, iv, mac, ciphertext: AES-256-GCM over
 *	                        a tree: /digests, SHA-512 of each part
 *	/file                   files-fdt: a tree whose nodes /files/NAME are
 *	                        as digests-fdt is
 */
#ifndef ESM_BLOB_H
#define ESM_BLOB_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/wrap.h"
#include "spec/pef.h"

enum { ESM_DIGEST_BYTES = 64, ESM_SYMKEY_BYTES = 32, ESM_FILE_MAX = 1024 };

struct esm_digests {
	uint8_t rtas[ESM_DIGEST_BYTES];
	uint8_t kernel[ESM_DIGEST_BYTES];
	uint8_t initrd[ESM_DIGEST_BYTES];
	uint8_t bootargs[ESM_DIGEST_BYTES];
	uint32_t kernel_bytes;
};

/* SHA-512 of each; the kernel as it is loaded. */
MUST_USE bool esm_digest(struct bytes rtas, struct bytes kernel,
	struct bytes initrd, struct bytes bootargs, struct esm_digests *out,
	struct err *e);
/* One name for all of them: SHA-256 over the four. */
enum { ESM_IMAGE_BYTES = 32 };
MUST_USE bool esm_image(const struct esm_digests *d,
	uint8_t out[ESM_IMAGE_BYTES], struct err *e);
MUST_USE bool esm_seal(const struct crypto_wrap *machine,
	const struct esm_digests *d, const char *name, struct bytes file,
	struct buf *out, struct err *e);
/* ERR_DENIED: for another machine, or changed; ERR_INPUT: no blob. */
MUST_USE bool esm_open(struct bytes blob, const struct crypto_wrap *machine,
	uint8_t symkey[ESM_SYMKEY_BYTES], struct esm_digests *out,
	struct err *e);
/* The file of that name; ERR_INPUT: there is none.  The caller wipes it. */
MUST_USE bool esm_file(struct bytes blob,
	const uint8_t symkey[ESM_SYMKEY_BYTES], const char *name,
	struct buf *out, struct err *e);

#endif
