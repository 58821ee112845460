/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of POWER's secure VMs, which have no quote: report data signed with
 * the key that the owner sealed for this very machine and image (spec/pef.h).
 */
#ifndef KEEP_PEF_H
#define KEEP_PEF_H

#include "abi/gate.h"
#include "base/buf.h"
#include "base/err.h"

/* ERR_HOST: the ultravisor gave no key.  The evidence, and behind it the key's
 * SPKI, are appended. */
MUST_USE bool keep_pef_sign(const struct gate_shim *s,
	const uint8_t report_data[64], struct buf *out, struct err *e);
/* ERR_HOST: the host gave other evidence back, or another key's endorsements.
 */
MUST_USE bool keep_pef_check(struct bytes made, struct bytes evidence,
	struct bytes endorsements, struct err *e);

#endif
