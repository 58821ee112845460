/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quoting enclaves of the software platform: quotes of SGX and TDX and
 * their collateral, byte for byte in Intel's formats, under a chain that ends
 * in the software root.  No verifier accepts them that was not told to.
 */
#ifndef SOFT_QUOTING_H
#define SOFT_QUOTING_H

#include "soft/root.h"
#include "spec/sgx.h"

struct soft_quoting;

/* A platform with keys of its own.  root: borrowed until it is closed; now:
 * seconds since 1970. */
MUST_USE bool soft_quoting_open(const struct soft_root *root, int64_t now,
	struct soft_quoting **out, struct err *e);
void soft_quoting_close(struct soft_quoting *q);

/* From now on both revocation lists name this serial number, the root's and
 * the PCK authority's; empty: nobody, as at first.  So one can see what
 * verifiers say of a platform that was revoked. */
MUST_USE bool soft_quoting_revoke(struct soft_quoting *q, struct bytes serial,
	struct err *e);

/* Quotes a report whose MAC was checked.  Version 3 for an enclave; appended.
 */
MUST_USE bool soft_quoting_sgx(const struct soft_quoting *q,
	const struct sgx_report *report, struct buf *quote, struct err *e);
/* Version 4 for a TDX 1.0 report, 5 for one of TDX 1.5. */
MUST_USE bool soft_quoting_tdx(const struct soft_quoting *q,
	const struct tdx_report *report, bool td15, struct buf *quote,
	struct err *e);
/* Endorsements as the verifier reads them (attest/intel.h); appended. */
MUST_USE bool soft_quoting_endorsements(const struct soft_quoting *q, bool tdx,
	struct buf *out, struct err *e);

#endif
