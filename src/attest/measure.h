/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference values: what a Keep of this release must measure, computed by
 * the tenant from its own installed images.  The loader computes the same on
 * its own (hal); evidence tells whether they agree.
 */
#ifndef ATTEST_MEASURE_H
#define ATTEST_MEASURE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * process: SHA-384 of the file <image_dir>/process/exec.
 * kvm: SHA-384 of <image_dir>/kvm/shim and .../exec, each behind its length
 * (64 bits, little-endian).
 * snp: the launch digest (measure_keep.h), which depends on the machine too:
 * each such case is a variant.
 * tdx: MRTD (measure_domain.h).
 * sgx: MRENCLAVE (measure_enclave.h), with memory that grows, or is fixed in
 * one of a few sizes.
 * sanctum: the enclave's measurement and the monitor's (measure_sanctum.h), of
 * <image_dir>/sanctum/{shim,exec,monitor}.
 */

#define ATTEST_VARIANTS 5u /* most that a technology has */

struct attest_measured {
	const char *variant; /* "": the usual one */
	uint8_t value[64];
	size_t len;
	/* sanctum: of the monitor below it. */
	bool has_monitor;
	uint8_t monitor[64];
};

/*
 * All variants, the usual one first.  ERR_INPUT: unknown technology; ERR_HOST:
 * an image can't be read or is larger than 64 MiB.
 */
MUST_USE bool attest_measure_all(const char *technology, const char *image_dir,
	struct attest_measured out[ATTEST_VARIANTS], size_t *count,
	struct err *e);
/* What variant number `variant` measures, a line for each page or image;
 * appended. */
MUST_USE bool attest_measure_pages(const char *technology,
	const char *image_dir, size_t variant, struct buf *out, struct err *e);
/* The usual one. */
MUST_USE bool attest_measure(const char *technology, const char *image_dir,
	uint8_t out[64], size_t *len, struct err *e);

#endif
