/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keystone: what its security monitor reports (keystone, sm/src/enclave.h,
 * struct report).  Integers little-endian; Ed25519 throughout.
 *
 * The monitor's key signs hash, data_len and the first data_len bytes of
 * data; the device's key signs the monitor's hash and public key.
 */
#ifndef SPEC_KEYSTONE_H
#define SPEC_KEYSTONE_H

#include "base/base.h"

#define KEYSTONE_REPORT_BYTES 1352u
#define KEYSTONE_DATA_MAX     1024u

struct keystone_report {
	uint8_t enclave_hash[64]; /* SHA3-512 */
	uint64_t data_len;
	uint8_t data[KEYSTONE_DATA_MAX];
	uint8_t enclave_signature[64];
	uint8_t sm_hash[64]; /* SHA3-512 */
	uint8_t sm_public_key[32];
	uint8_t sm_signature[64];
	uint8_t dev_public_key[32];
};
LAYOUT(struct keystone_report, data_len, 64);
LAYOUT(struct keystone_report, data, 72);
LAYOUT(struct keystone_report, enclave_signature, 1096);
LAYOUT(struct keystone_report, sm_hash, 1160);
LAYOUT(struct keystone_report, sm_public_key, 1224);
LAYOUT(struct keystone_report, sm_signature, 1256);
LAYOUT(struct keystone_report, dev_public_key, 1320);
LAYOUT_SIZE(struct keystone_report, KEYSTONE_REPORT_BYTES);

#endif
