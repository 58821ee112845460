/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence of technologies that have no hardware behind them: signed by a
 * software root, a P-256 key made on the host (docs/protocol.md, "Software
 * evidence").  It proves what the host agent says and no more; verifiers
 * refuse it unless a policy names the root's fingerprint.
 *
 * All integers little-endian.  Signature: ECDSA P-256 with SHA-256, r || s
 * big-endian, over the first SOFTWARE_SIGNED_BYTES bytes.
 */
#ifndef SPEC_SOFTWARE_H
#define SPEC_SOFTWARE_H

#include "base/base.h"

#define SOFTWARE_MAGIC	      "DJSWEVID" /* 8 bytes, no NUL */
#define SOFTWARE_VERSION      1u
#define SOFTWARE_FLAG_DEBUG   0x1u /* the Keep can be looked into by design */
#define SOFTWARE_FLAGS_KNOWN  0x1u
#define SOFTWARE_SIGNED_BYTES 0x0e0u
#define SOFTWARE_BYTES	      0x120u

struct software_evidence {
	uint8_t magic[8];
	uint32_t version;
	uint32_t tee;		    /* enum gate_tee of abi/gate.h */
	uint64_t flags;		    /* SOFTWARE_FLAG_* */
	uint64_t reserved_018;	    /* 0 */
	uint8_t report_data[64];    /* SHA-256 of the claims, 32 zeros */
	uint8_t measurement[48];    /* attest/measure.h */
	uint8_t owner_key_hash[32]; /* as HOST_DATA of SNP */
	uint8_t root[32];	    /* SHA-256 of the root's SPKI */
	uint8_t reserved_0d0[16];   /* 0 */
	uint8_t signature[64];
};
LAYOUT(struct software_evidence, version, 0x008);
LAYOUT(struct software_evidence, tee, 0x00c);
LAYOUT(struct software_evidence, flags, 0x010);
LAYOUT(struct software_evidence, report_data, 0x020);
LAYOUT(struct software_evidence, measurement, 0x060);
LAYOUT(struct software_evidence, owner_key_hash, 0x090);
LAYOUT(struct software_evidence, root, 0x0b0);
LAYOUT(struct software_evidence, reserved_0d0, 0x0d0);
LAYOUT(struct software_evidence, signature, SOFTWARE_SIGNED_BYTES);
LAYOUT_SIZE(struct software_evidence, SOFTWARE_BYTES);

/* Endorsements of software evidence: the root's SPKI, DER, and nothing else;
 * its SHA-256 is the fingerprint that a policy names. */

#endif
