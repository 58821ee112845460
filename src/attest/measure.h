/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reference values: what a Keep of this release must measure, computed by
 * the tenant from its own installed images.  The loader computes the same on
 * its own (hal); evidence tells whether they agree.
 */
#ifndef ATTEST_MEASURE_H
#define ATTEST_MEASURE_H

#include "base/err.h"

/*
 * process: SHA-384 of the file <image_dir>/process/exec.
 * kvm: SHA-384 of <image_dir>/kvm/shim and .../exec, each behind its length
 * (64 bits, little-endian).
 * ERR_INPUT: unknown technology; ERR_HOST: an image can't be read or is larger
 * than 64 MiB.
 */
MUST_USE bool attest_measure(const char *technology, const char *image_dir,
	uint8_t out[64], size_t *len, struct err *e);

#endif
