/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SEV-SNP's firmware towards a host: its status, and who signed a launch
 * (SEV Secure Nested Paging Firmware ABI Specification, AMD 56860).
 * Integers are little-endian.
 */
#ifndef SPEC_SNP_FIRMWARE_H
#define SPEC_SNP_FIRMWARE_H

#include "base/base.h"

/* Chapter 6. */
enum snp_status {
	SNP_OK = 0x00,
	SNP_INVALID_GUEST_STATE = 0x02,
	SNP_INVALID_LENGTH = 0x04,
	SNP_POLICY_FAILURE = 0x07,
	SNP_INVALID_ADDRESS = 0x09,
	SNP_BAD_SIGNATURE = 0x0a,
	SNP_BAD_MEASUREMENT = 0x0b,
	SNP_INVALID_GUEST = 0x10,
	SNP_INVALID_COMMAND = 0x11,
	SNP_HARDWARE = 0x13,
	SNP_UNSUPPORTED = 0x15,
	SNP_INVALID_PARAM = 0x16,
	SNP_INVALID_PAGE_SIZE = 0x19,
	SNP_INVALID_PAGE_STATE = 0x1a,
	SNP_INVALID_PAGE_OWNER = 0x1c,
	SNP_AEAD_OVERFLOW = 0x1d,
	SNP_INVALID_KEY = 0x27,
};

/* ID_BLOCK and ID_AUTH (§8.18). */
struct snp_id_block {
	uint8_t digest[48];
	uint8_t family_id[16];
	uint8_t image_id[16];
	uint32_t version; /* 1 */
	uint32_t guest_svn;
	uint64_t policy;
};
LAYOUT_SIZE(struct snp_id_block, 0x60);

struct snp_public_key {
	uint32_t curve; /* 2: P-384 */
	uint8_t x[72];	/* little-endian, zero-extended */
	uint8_t y[72];
	uint8_t reserved_094[880];
};
LAYOUT_SIZE(struct snp_public_key, 0x404);

struct snp_id_auth {
	uint32_t id_algo; /* 1 */
	uint32_t author_algo;
	uint8_t reserved_008[0x38];
	uint8_t id_block_signature[512];
	struct snp_public_key id_key;
	uint8_t reserved_644[0x3c];
	uint8_t id_key_signature[512];
	struct snp_public_key author_key;
	uint8_t reserved_c84[0x37c];
};
LAYOUT(struct snp_id_auth, id_block_signature, 0x040);
LAYOUT(struct snp_id_auth, id_key, 0x240);
LAYOUT(struct snp_id_auth, id_key_signature, 0x680);
LAYOUT(struct snp_id_auth, author_key, 0x880);
LAYOUT_SIZE(struct snp_id_auth, 0x1000);

#endif
