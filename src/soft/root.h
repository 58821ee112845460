/* SPDX-License-Identifier: Apache-2.0 */
/* The software root: the key that signs the software platform's evidence. */
#ifndef SOFT_ROOT_H
#define SOFT_ROOT_H

#include "base/buf.h"
#include "base/err.h"

struct soft_root;

/* Opens the root key at path, making it (P-256, mode 0600) on first use. */
MUST_USE bool soft_root_open(const char *path, struct soft_root **out,
	struct err *e);
void soft_root_close(struct soft_root *r);

/* SHA-256 of the SPKI: what a policy names. */
void soft_root_fingerprint(const struct soft_root *r, uint8_t out[32]);
/* SubjectPublicKeyInfo DER, for the endorsements; borrowed. */
struct bytes soft_root_spki(const struct soft_root *r);

/* r || s over any message: certificates (soft/certs.h).  Appended. */
MUST_USE bool soft_root_sign_raw(const struct soft_root *r,
	struct bytes message, struct buf *sig, struct err *e);

/* What a technology without hardware attests to (spec/software.h). */
struct soft_facts {
	uint32_t tee; /* enum gate_tee */
	bool debug;
	uint8_t measurement[48];
	uint8_t owner_key_hash[32];
	uint8_t report_data[64];
};

/* Appends SOFTWARE_BYTES bytes of signed evidence. */
MUST_USE bool soft_root_sign(const struct soft_root *r,
	const struct soft_facts *f, struct buf *evidence, struct err *e);
/* The same with that report data, and what it takes to verify it. */
MUST_USE bool soft_root_evidence(const struct soft_root *r,
	const struct soft_facts *f, struct bytes report_data,
	struct buf *evidence, struct buf *endorsements, struct err *e);

#endif
