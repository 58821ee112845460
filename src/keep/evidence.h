/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of this Keep, whatever is below it. */
#ifndef KEEP_EVIDENCE_H
#define KEEP_EVIDENCE_H

#include "keep/gate.h"

/* What the shim below told, or NULL: there is none. */
struct gate_shim *keep_shim(void);

/*
 * Evidence for that report data, its endorsements, and the tag that it has in
 * a certificate (attest/claims.h).  shim: keep_shim's; the key in it is used
 * once, and wiped.
 */
MUST_USE bool keep_evidence(struct keep_gate *g, struct gate_shim *shim,
	const uint8_t report_data[64], struct buf *evidence,
	struct buf *endorsements, uint32_t *tag, struct err *e);

#endif
