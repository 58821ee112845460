/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy in bytes, for a Keep that judges its peers: what the file said,
 * "release" already replaced by measurements.  Both ends are of one release;
 * the version changes with the fields.
 */
#ifndef ATTEST_WIRE_H
#define ATTEST_WIRE_H

#include "attest/policy.h"

#define ATTEST_WIRE_VERSION 1u
#define ATTEST_WIRE_MAX	    0x10000u

/* Appended; false: no memory, or more than ATTEST_WIRE_MAX bytes. */
bool attest_policy_encode(const struct attest_policy *p, struct buf *out);
MUST_USE bool attest_policy_decode(struct bytes in, struct attest_policy **out,
	struct err *e);
bool attest_policy_has_owners(const struct attest_policy *p);
/* In place of whatever owners it names: key hashes, 32 bytes each. */
MUST_USE bool attest_policy_owners(struct attest_policy *p, struct bytes hashes,
	struct err *e);

#endif
