/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SEV-SNP: what the firmware signs (SEV Secure Nested Paging Firmware
 * ABI Specification, AMD 56860, "ATTESTATION_REPORT"), versions 2 to 5.
 * Integers are little-endian.
 */
#ifndef SPEC_SNP_H
#define SPEC_SNP_H

#include "base/base.h"

#define SNP_REPORT_BYTES     0x4a0u
#define SNP_SIGNED_BYTES     0x2a0u
#define SNP_ALGO_P384_SHA384 1u
#define SNP_VMPL_HOST	     0xffffffffu /* asked for by the host */

/* POLICY */
#define SNP_POLICY_SMT		 (1ull << 16)
#define SNP_POLICY_ONE		 (1ull << 17) /* must be 1 */
#define SNP_POLICY_MIGRATE_MA	 (1ull << 18)
#define SNP_POLICY_DEBUG	 (1ull << 19)
#define SNP_POLICY_SINGLE_SOCKET (1ull << 20)
#define SNP_POLICY_KNOWN	 0x3ffffffull

/* PLATFORM_INFO */
#define SNP_PLATFORM_SMT	       (1ull << 0)
#define SNP_PLATFORM_CIPHERTEXT_HIDING (1ull << 4)
#define SNP_PLATFORM_ALIAS_CHECK       (1ull << 5)

/* KEY_INFO */
#define SNP_KEY_AUTHOR	   0x1u
#define SNP_KEY_MASK_CHIP  0x2u
#define SNP_KEY_SIGNING(k) ((k) >> 2 & 7u)
#define SNP_KEY_KNOWN	   0x1fu
#define SNP_SIGNED_BY_VCEK 0u
#define SNP_SIGNED_BY_VLEK 1u

struct snp_signature {
	uint8_t r[72]; /* little-endian, zero-extended */
	uint8_t s[72];
	uint8_t reserved_090[368];
};
LAYOUT_SIZE(struct snp_signature, 512);

struct snp_report {
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
	uint8_t family_id[16];
	uint8_t image_id[16];
	uint32_t vmpl;
	uint32_t signature_algo;
	uint8_t current_tcb[8];
	uint64_t platform_info;
	uint32_t key_info;
	uint32_t reserved_04c;
	uint8_t report_data[64];
	uint8_t measurement[48];
	uint8_t host_data[32];
	uint8_t id_key_digest[48];
	uint8_t author_key_digest[48];
	uint8_t report_id[32];
	uint8_t report_id_ma[32];
	uint8_t reported_tcb[8];
	uint8_t cpuid_family; /* since version 3 */
	uint8_t cpuid_model;
	uint8_t cpuid_stepping;
	uint8_t reserved_18b[21];
	uint8_t chip_id[64];
	uint8_t committed_tcb[8];
	uint8_t current_build, current_minor, current_major, reserved_1eb;
	uint8_t committed_build, committed_minor, committed_major, reserved_1ef;
	uint8_t launch_tcb[8];
	uint64_t launch_mit_vector; /* since version 5 */
	uint64_t current_mit_vector;
	uint8_t reserved_208[152];
	struct snp_signature signature;
};
LAYOUT(struct snp_report, policy, 0x008);
LAYOUT(struct snp_report, vmpl, 0x030);
LAYOUT(struct snp_report, current_tcb, 0x038);
LAYOUT(struct snp_report, platform_info, 0x040);
LAYOUT(struct snp_report, key_info, 0x048);
LAYOUT(struct snp_report, report_data, 0x050);
LAYOUT(struct snp_report, measurement, 0x090);
LAYOUT(struct snp_report, host_data, 0x0c0);
LAYOUT(struct snp_report, id_key_digest, 0x0e0);
LAYOUT(struct snp_report, author_key_digest, 0x110);
LAYOUT(struct snp_report, report_id, 0x140);
LAYOUT(struct snp_report, report_id_ma, 0x160);
LAYOUT(struct snp_report, reported_tcb, 0x180);
LAYOUT(struct snp_report, cpuid_family, 0x188);
LAYOUT(struct snp_report, chip_id, 0x1a0);
LAYOUT(struct snp_report, committed_tcb, 0x1e0);
LAYOUT(struct snp_report, current_build, 0x1e8);
LAYOUT(struct snp_report, committed_build, 0x1ec);
LAYOUT(struct snp_report, launch_tcb, 0x1f0);
LAYOUT(struct snp_report, launch_mit_vector, 0x1f8);
LAYOUT(struct snp_report, reserved_208, 0x208);
LAYOUT(struct snp_report, signature, SNP_SIGNED_BYTES);
LAYOUT_SIZE(struct snp_report, SNP_REPORT_BYTES);

/* Where the parts of a TCB_VERSION stand; -1: it has none.  Milan and Genoa
 * have one map, Turin another. */
enum snp_tcb_part {
	SNP_TCB_FMC,
	SNP_TCB_BOOTLOADER,
	SNP_TCB_TEE,
	SNP_TCB_SNP,
	SNP_TCB_MICROCODE,
	SNP_TCB_PARTS,
};

#endif
