/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's AESM daemon, which holds the quoting enclave (docs/tee/sgx.md), or
 * another service that speaks as it does.  What it says is a host's word: a
 * lie makes evidence that nobody accepts.
 *
 * A connection carries one request.  The loader may connect to nothing any
 * more once it is confined: the one for the quote is made before.
 */
#ifndef HAL_AESM_H
#define HAL_AESM_H

#include "base/buf.h"
#include "base/err.h"

#define AESM_SOCKET "/var/run/aesmd/aesm.socket"

enum { AESM_KEY_ID_BYTES = 256, AESM_QUOTE_MAX = 64 << 10 };

struct aesm {
	uint8_t key_id[AESM_KEY_ID_BYTES];
	uint32_t quote_bytes;
	int quote; /* the connection for it, or -1 */
};

/* Is somebody there? */
MUST_USE bool aesm_probe(const char *socket, struct err *e);
/* Chooses an ECDSA P-256 key, tells the quoting enclave's TARGETINFO, connects
 * for the quote. */
MUST_USE bool aesm_open(const char *socket, struct aesm *a, uint8_t target[512],
	struct err *e);
/* Quotes a report of 432 bytes, once; appended. */
MUST_USE bool aesm_quote(struct aesm *a, struct bytes report, struct buf *quote,
	struct err *e);
void aesm_close(struct aesm *a);

#endif
