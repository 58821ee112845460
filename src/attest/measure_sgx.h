/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MRENCLAVE out of the records by which an enclave is loaded, and SIGSTRUCT,
 * by which its signer lets it start (Intel SDM volume 3D, "Enclave signature
 * structure", and the ECREATE, EADD, EEXTEND instructions).
 */
#ifndef ATTEST_MEASURE_SGX_H
#define ATTEST_MEASURE_SGX_H

#include "base/bytes.h"
#include "base/err.h"

struct attest_sgx_build;

/* Flags of SECINFO. */
enum {
	ATTEST_SGX_R = 1,
	ATTEST_SGX_W = 2,
	ATTEST_SGX_X = 4,
	ATTEST_SGX_TCS = 0x100,
	ATTEST_SGX_REG = 0x200,
};

/* ECREATE; ssa_frame: in pages; size: of the enclave, a power of two. */
MUST_USE bool attest_sgx_create(uint32_t ssa_frame, uint64_t size,
	struct attest_sgx_build **out, struct err *e);
/* EADD, and with `measured` EEXTEND of all of it (4096 bytes). */
MUST_USE bool attest_sgx_add(struct attest_sgx_build *b, uint64_t offset,
	uint64_t flags, struct bytes page, bool measured, struct err *e);
MUST_USE bool attest_sgx_end(struct attest_sgx_build *b, uint8_t mrenclave[32],
	struct err *e);
void attest_sgx_free(struct attest_sgx_build *b);

/* The same from a stream of records (SGXS): each is judged before it counts. */
typedef void attest_sgx_told(void *ctx, const char *record, uint64_t offset,
	uint64_t flags);
/* It tells a line of text, appended to the buffer that is ctx. */
attest_sgx_told attest_sgx_tell;
MUST_USE bool attest_sgx_stream(struct bytes sgxs, attest_sgx_told *told,
	void *ctx, uint8_t mrenclave[32], struct err *e);

enum { ATTEST_SIGSTRUCT_BYTES = 1808 };
struct attest_sigstruct {
	uint32_t vendor, date, swdefined, miscselect, miscmask;
	uint8_t attributes[16], attribute_mask[16];
	uint8_t isvfamilyid[16], isvextprodid[16];
	uint8_t mrenclave[32];
	uint16_t isvprodid, isvsvn;
	bool debug;
	uint8_t mrsigner[32]; /* SHA-256 of the modulus */
};
/* Takes one apart and checks its signature and the two quotients. */
MUST_USE bool attest_sigstruct_check(struct bytes in,
	struct attest_sigstruct *out, struct err *e);

#endif
