/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sanctum: the keys and certificates of its security monitor (MIT
 * security_monitor, src/sm_types.h and src/api/enclave_init.c), Ed25519 and
 * SHA-512 throughout.  The first SANCTUM_SHORT_BYTES are theirs; what the
 * boot code signs for device and monitor is not defined there.
 *
 * The long form is ours and goes on to report data:
 *
 *	device_signature   manufacturer's key over device_pk
 *	sm_signature	   device key over sm_measurement, sm_pk
 *	report_signature   enclave's key over SANCTUM_REPORT_LABEL, report_data
 */
#ifndef SPEC_SANCTUM_H
#define SPEC_SANCTUM_H

#include "base/base.h"

#define SANCTUM_SHORT_BYTES  320u
#define SANCTUM_LONG_BYTES   576u
#define SANCTUM_REPORT_LABEL "donjon sanctum report data" /* no NUL */

struct sanctum_evidence {
	uint8_t manufacturer_pk[32];
	uint8_t device_pk[32];
	uint8_t sm_measurement[64];
	uint8_t sm_pk[32];
	uint8_t enclave_measurement[64];
	uint8_t enclave_pk[32];
	/* The monitor's key over SHA-512(enclave_measurement, enclave_pk). */
	uint8_t enclave_attestation[64];
	/* the long form */
	uint8_t device_signature[64];
	uint8_t sm_signature[64];
	uint8_t report_data[64];
	uint8_t report_signature[64];
};
LAYOUT(struct sanctum_evidence, device_pk, 32);
LAYOUT(struct sanctum_evidence, sm_measurement, 64);
LAYOUT(struct sanctum_evidence, sm_pk, 128);
LAYOUT(struct sanctum_evidence, enclave_measurement, 160);
LAYOUT(struct sanctum_evidence, enclave_pk, 224);
LAYOUT(struct sanctum_evidence, enclave_attestation, 256);
LAYOUT(struct sanctum_evidence, device_signature, SANCTUM_SHORT_BYTES);
LAYOUT(struct sanctum_evidence, report_data, 448);
LAYOUT_SIZE(struct sanctum_evidence, SANCTUM_LONG_BYTES);

/*
 * Endorsements: a key that vouches for the manufacturer's, ours too.  Only the
 * software platform has them, whose root is of another kind (P-256: its
 * SubjectPublicKeyInfo, and its signature, r || s, over SANCTUM_MAKER_LABEL and
 * manufacturer_pk).
 */
#define SANCTUM_MAKER_LABEL "donjon sanctum manufacturer" /* no NUL */

struct sanctum_endorsements {
	uint8_t root[91];
	uint8_t signature[64];
};
LAYOUT(struct sanctum_endorsements, signature, 91);
LAYOUT_SIZE(struct sanctum_endorsements, 155);

#endif
