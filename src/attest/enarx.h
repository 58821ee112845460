/* SPDX-License-Identifier: Apache-2.0 */
/* The two extensions in which Enarx's Keeps sent their evidence. */
#ifndef ATTEST_ENARX_H
#define ATTEST_ENARX_H

#include "attest/bundle.h"

/* Fill evidence and endorsements of the bundle. */
MUST_USE bool attest_enarx_snp(struct attest_bundle *b, struct bytes value,
	struct err *e);
MUST_USE bool attest_enarx_sgx(struct attest_bundle *b, struct bytes value,
	struct err *e);

#endif
