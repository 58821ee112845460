/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SEV-SNP, from the guest's side and the launch's (SEV Secure Nested
 * Paging Firmware ABI Specification, AMD 56860): status of the firmware,
 * launch, the pages that it fills in, and guest messages.  Little-endian.
 */
#ifndef SPEC_SNP_GUEST_H
#define SPEC_SNP_GUEST_H

#include "base/base.h"

/* --- status (chapter 6) ------------------------------------------------------
 */

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

/* --- launch (§4.5, §8.17)
 * ----------------------------------------------------- */

enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/* A VMSA's address in the launch digest. */
#define SNP_VMSA_GPA 0x0000fffffffff000ull

/* PAGE_INFO: the launch digest after a page is the SHA-384 of this. */
struct snp_page_info {
	uint8_t digest_before[48];
	uint8_t contents[48]; /* SHA-384; zeros where it is not measured */
	uint16_t length;      /* of this struct */
	uint8_t page_type;
	uint8_t imi;
	uint8_t vmpl3_perms, vmpl2_perms, vmpl1_perms;
	uint8_t reserved_67;
	uint64_t gpa;
};
LAYOUT(struct snp_page_info, length, 0x60);
LAYOUT(struct snp_page_info, gpa, 0x68);
LAYOUT_SIZE(struct snp_page_info, 0x70);

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

/* --- pages that the firmware fills in ----------------------------------------
 */

/* Secrets page (§8.17.2.5, version 3). */
struct snp_secrets {
	uint32_t version;
	uint32_t imi;
	uint32_t family_model_stepping;
	uint32_t reserved_0c;
	uint8_t gosvw[16];
	uint8_t vmpck[4][32];
	uint8_t guest_area[0x60];
	uint8_t vmsa_tweak_bitmap[64];
	uint64_t svsm_base, svsm_size, svsm_caa;
	uint32_t svsm_max_version;
	uint8_t svsm_guest_vmpl;
	uint8_t reserved_15d[3];
	uint32_t tsc_factor;
	uint8_t reserved_164[0x1000 - 0x164];
};
LAYOUT(struct snp_secrets, vmpck, 0x20);
LAYOUT(struct snp_secrets, guest_area, 0xa0);
LAYOUT(struct snp_secrets, vmsa_tweak_bitmap, 0x100);
LAYOUT(struct snp_secrets, tsc_factor, 0x160);
LAYOUT_SIZE(struct snp_secrets, 0x1000);

/* CPUID page (§8.17.2.6): the host fills it in, the firmware checks it. */
struct snp_cpuid_entry {
	uint32_t eax_in, ecx_in;
	uint64_t xcr0_in, xss_in;
	uint32_t eax, ebx, ecx, edx;
	uint64_t reserved_28;
};
LAYOUT_SIZE(struct snp_cpuid_entry, 0x30);

#define SNP_CPUID_ENTRIES 64u

struct snp_cpuid_page {
	uint32_t count;
	uint32_t reserved_04;
	uint64_t reserved_08;
	struct snp_cpuid_entry entries[SNP_CPUID_ENTRIES];
	uint8_t reserved_c10[0x1000 - 0xc10];
};
LAYOUT_SIZE(struct snp_cpuid_page, 0x1000);

/* --- guest messages (chapter 7)
 * ----------------------------------------------- */

#define SNP_MESSAGE_TAG_BYTES 16u
#define SNP_MESSAGE_IV_BYTES  12u /* the sequence number, zero-extended */

struct snp_message_head {
	uint8_t tag[32]; /* 16 of them */
	uint64_t sequence;
	uint64_t reserved_28;
	/* Authenticated from here on. */
	uint8_t algorithm;    /* 1: AES-256-GCM */
	uint8_t head_version; /* 1 */
	uint16_t head_bytes;
	uint8_t type;	 /* enum snp_message */
	uint8_t version; /* of that type: 1 */
	uint16_t bytes;	 /* of the payload */
	uint32_t reserved_38;
	uint8_t vmpck;
	uint8_t reserved_3d[0x60 - 0x3d];
};
LAYOUT(struct snp_message_head, sequence, 0x20);
LAYOUT(struct snp_message_head, algorithm, 0x30);
LAYOUT(struct snp_message_head, bytes, 0x36);
LAYOUT(struct snp_message_head, vmpck, 0x3c);
LAYOUT_SIZE(struct snp_message_head, 0x60);
#define SNP_MESSAGE_AAD_AT 0x30u

#define SNP_MESSAGE_MAX_BYTES (0x1000u - 0x60u)

enum snp_message {
	SNP_KEY_ASK = 3,
	SNP_KEY = 4,
	SNP_REPORT_ASK = 5,
	SNP_REPORT = 6,
};

struct snp_report_ask {
	uint8_t report_data[64];
	uint32_t vmpl;
	uint32_t key_select; /* 0: VLEK if installed, else VCEK; 1: VCEK */
	uint8_t reserved_48[24];
};
LAYOUT_SIZE(struct snp_report_ask, 0x60);

/* The report follows. */
struct snp_report_answer {
	uint32_t status; /* 0, or SNP_INVALID_PARAM, SNP_INVALID_KEY */
	uint32_t report_bytes;
	uint8_t reserved_08[24];
};
LAYOUT_SIZE(struct snp_report_answer, 0x20);

/* --- instructions (AMD64 manual, volume 3)
 * ------------------------------------ */

/* eax after PVALIDATE and RMPADJUST. */
enum snp_instruction {
	SNP_DONE = 0,
	SNP_FAIL_INPUT = 1,
	SNP_FAIL_PERMISSION = 2,
	SNP_FAIL_SIZE = 6,
};

/* #VC's error code for an access to a page that was not validated. */
#define SNP_VC_NOT_VALIDATED 0x404u

#endif
