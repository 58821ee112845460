/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's own SIGSTRUCT.  EINIT wants one of every enclave; who signed
 * is of no meaning to a verifier that knows the measurement, so a host without
 * the release's signs with a key of its own.
 */
#ifndef ENCLAVE_SIGN_H
#define ENCLAVE_SIGN_H

#include "crypto/rsa.h"
#include "spec/sgx_enclave.h"

/* What it says beside the measurement. */
struct enclave_identity {
	uint32_t date; /* 0x20261126 */
	uint16_t isvprodid, isvsvn;
};

#define ENCLAVE_PRODUCT 0x444au /* "JD": ISVPRODID of a Keep */

MUST_USE bool enclave_sign(const struct crypto_rsa3 *key,
	const uint8_t mrenclave[32], const struct enclave_identity *id,
	struct sgx_sigstruct *out, struct err *e);

#endif
