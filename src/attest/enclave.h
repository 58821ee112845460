/* SPDX-License-Identifier: Apache-2.0 */
/* What an SGX enclave or a TDX trust domain is, once its quote is genuine. */
#ifndef ATTEST_ENCLAVE_H
#define ATTEST_ENCLAVE_H

#include "attest/check.h"
#include "spec/sgx.h"

MUST_USE bool attest_enclave_sgx(struct attest_case *c,
	const struct sgx_report *body, struct err *e);
/* The last two fields of a TDX 1.0 report are zeros. */
MUST_USE bool attest_enclave_tdx(struct attest_case *c,
	const struct tdx_report *td, struct err *e);

#endif
