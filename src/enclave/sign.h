/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGSTRUCT, which EINIT wants of every enclave.  `donjon key sgx` makes a
 * release's, a loader without one its own: who signed is of no meaning to a
 * verifier that knows the measurement.  attest/measure_sgx.h reads them.
 */
#ifndef ENCLAVE_SIGN_H
#define ENCLAVE_SIGN_H

#include "crypto/rsa.h"
#include "spec/sgx_enclave.h"

#define ENCLAVE_PRODUCT 0x444au /* "JD": ISVPRODID of a Keep */
#define ENCLAVE_SVN	1u

/* A Keep's, of that measurement, dated today. */
MUST_USE bool enclave_sign_keep(const struct crypto_rsa3 *key,
	const uint8_t mrenclave[32], struct sgx_sigstruct *out, struct err *e);
/* Fills in what depends on the key, whatever the rest says. */
MUST_USE bool enclave_sign(const struct crypto_rsa3 *key,
	struct sgx_sigstruct *s, struct err *e);
/* What quotes of its enclaves call MRSIGNER. */
MUST_USE bool enclave_signer(const struct crypto_rsa3 *key, uint8_t out[32],
	struct err *e);

#endif
