/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SEV-SNP as a guest meets it: the pages that the firmware fills, the
 * messages that it answers, and the state that it measures (SEV Secure Nested
 * Paging Firmware ABI Specification, AMD 56860; AMD64 manual, volume 2,
 * §15.36 and appendix B).  Integers are little-endian.
 */
#ifndef SPEC_SNP_GUEST_H
#define SPEC_SNP_GUEST_H

#include "base/base.h"

/* --- page types of a launch (56860, SNP_LAUNCH_UPDATE) -------------------- */

enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/* What the launch digest is a chain of (56860, "PAGE_INFO"). */
struct snp_page_info {
	uint8_t digest[48];   /* so far */
	uint8_t contents[48]; /* SHA-384; 0 unless NORMAL or VMSA */
	uint16_t length;      /* 0x70 */
	uint8_t type;
	uint8_t imi;
	uint8_t vmpl3, vmpl2, vmpl1;
	uint8_t reserved_67;
	uint64_t gpa;
};
LAYOUT(struct snp_page_info, contents, 0x30);
LAYOUT(struct snp_page_info, type, 0x62);
LAYOUT(struct snp_page_info, gpa, 0x68);
LAYOUT_SIZE(struct snp_page_info, 0x70);

/* Where the firmware says that a processor's state lies. */
#define SNP_VMSA_GPA 0x0000fffffffff000u

/* --- the secrets page ------------------------------------------------------
 */

#define SNP_KEY_BYTES 32u

struct snp_secrets {
	uint32_t version;
	uint32_t flags;
	uint32_t fms;
	uint32_t reserved_00c;
	uint8_t gosvw[16];
	uint8_t vmpck[4][SNP_KEY_BYTES];
	uint8_t guest[96]; /* the guest's own */
	uint8_t vmsa_tweak[64];
	uint8_t guest_2[32];
	uint32_t tsc_factor;
	uint8_t reserved_164[0x1000 - 0x164];
};
LAYOUT(struct snp_secrets, gosvw, 0x010);
LAYOUT(struct snp_secrets, vmpck, 0x020);
LAYOUT(struct snp_secrets, guest, 0x0a0);
LAYOUT(struct snp_secrets, vmsa_tweak, 0x100);
LAYOUT(struct snp_secrets, tsc_factor, 0x160);
LAYOUT_SIZE(struct snp_secrets, 0x1000);

/* --- the CPUID page --------------------------------------------------------
 */

#define SNP_CPUID_MAX 64u

struct snp_cpuid {
	uint32_t eax_in, ecx_in;
	uint64_t xcr0_in, xss_in;
	uint32_t eax, ebx, ecx, edx;
	uint64_t reserved_28;
};
LAYOUT(struct snp_cpuid, xcr0_in, 0x08);
LAYOUT(struct snp_cpuid, eax, 0x18);
LAYOUT_SIZE(struct snp_cpuid, 0x30);

struct snp_cpuid_page {
	uint32_t count;
	uint32_t reserved_004;
	uint64_t reserved_008;
	struct snp_cpuid entry[SNP_CPUID_MAX];
	uint8_t reserved_c10[0x1000 - 0xc10];
};
LAYOUT(struct snp_cpuid_page, entry, 0x010);
LAYOUT_SIZE(struct snp_cpuid_page, 0x1000);

/* --- guest messages (56860, "Guest Messages") ------------------------------
 */

enum snp_message_type {
	SNP_MSG_CPUID_REQ = 1,
	SNP_MSG_CPUID_RSP = 2,
	SNP_MSG_KEY_REQ = 3,
	SNP_MSG_KEY_RSP = 4,
	SNP_MSG_REPORT_REQ = 5,
	SNP_MSG_REPORT_RSP = 6,
};

#define SNP_MSG_AES_256_GCM    1u
#define SNP_MSG_HEADER_VERSION 1u
#define SNP_MSG_VERSION	       1u
#define SNP_MSG_BYTES	       4096u /* header and payload: one page */

/* The authenticated part begins at `algo`; the IV is `sequence`, then four
 * zero bytes. */
struct snp_message {
	uint8_t tag[32]; /* the first 16 bytes are used */
	uint64_t sequence;
	uint64_t reserved_28;
	uint8_t algo;
	uint8_t header_version;
	uint16_t header_bytes;
	uint8_t type;
	uint8_t version;
	uint16_t payload_bytes;
	uint32_t reserved_38;
	uint8_t vmpck;
	uint8_t reserved_3d[35];
};
LAYOUT(struct snp_message, sequence, 0x20);
LAYOUT(struct snp_message, algo, 0x30);
LAYOUT(struct snp_message, type, 0x34);
LAYOUT(struct snp_message, payload_bytes, 0x36);
LAYOUT(struct snp_message, vmpck, 0x3c);
LAYOUT_SIZE(struct snp_message, 0x60);

struct snp_report_request {
	uint8_t report_data[64];
	uint32_t vmpl;
	uint32_t key_select; /* 0: VLEK where there is one, else VCEK */
	uint8_t reserved_48[24];
};
LAYOUT_SIZE(struct snp_report_request, 0x60);

/* In front of the report. */
struct snp_report_response {
	uint32_t status; /* 0: it is there */
	uint32_t report_bytes;
	uint8_t reserved_08[24];
};
LAYOUT_SIZE(struct snp_report_response, 0x20);

/* --- a processor's state (AMD64 manual, volume 2, table B-4) ----------------
 */

/* SEV_FEATURES (§15.36, and "SEV_STATUS MSR" has the same bits + 2). */
#define SNP_FEATURE_ACTIVE     (1ull << 0)
#define SNP_FEATURE_RESTRICTED (1ull << 3) /* injection */
#define SNP_FEATURE_DEBUG_SWAP (1ull << 5)
#define SNP_FEATURE_SECURE_TSC (1ull << 9)

struct snp_segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

struct snp_vmsa {
	struct snp_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_0a0[0xca - 0xa0];
	uint8_t vmpl, cpl;
	uint8_t reserved_0cc[4];
	uint64_t efer;
	uint8_t reserved_0d8[0x140 - 0xd8];
	uint64_t xss, cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_180[0x1d8 - 0x180];
	uint64_t rsp;
	uint8_t reserved_1e0[0x1f8 - 0x1e0];
	uint64_t rax;
	uint8_t reserved_200[0x268 - 0x200];
	uint64_t g_pat;
	uint8_t reserved_270[0x308 - 0x270];
	uint64_t rcx, rdx, rbx;
	uint64_t reserved_320;
	uint64_t rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint8_t reserved_380[0x3b0 - 0x380];
	uint64_t sev_features;
	uint8_t reserved_3b8[0x3e8 - 0x3b8];
	uint64_t xcr0;
	uint8_t reserved_3f0[0x408 - 0x3f0];
	uint32_t mxcsr;
	uint16_t x87_ftw, x87_fsw, x87_fcw;
	uint8_t reserved_412[0x1000 - 0x412];
};
LAYOUT(struct snp_vmsa, tr, 0x090);
LAYOUT(struct snp_vmsa, vmpl, 0x0ca);
LAYOUT(struct snp_vmsa, efer, 0x0d0);
LAYOUT(struct snp_vmsa, cr4, 0x148);
LAYOUT(struct snp_vmsa, cr3, 0x150);
LAYOUT(struct snp_vmsa, cr0, 0x158);
LAYOUT(struct snp_vmsa, rflags, 0x170);
LAYOUT(struct snp_vmsa, rip, 0x178);
LAYOUT(struct snp_vmsa, rsp, 0x1d8);
LAYOUT(struct snp_vmsa, rax, 0x1f8);
LAYOUT(struct snp_vmsa, g_pat, 0x268);
LAYOUT(struct snp_vmsa, rcx, 0x308);
LAYOUT(struct snp_vmsa, rbp, 0x328);
LAYOUT(struct snp_vmsa, r8, 0x340);
LAYOUT(struct snp_vmsa, sev_features, 0x3b0);
LAYOUT(struct snp_vmsa, xcr0, 0x3e8);
LAYOUT(struct snp_vmsa, mxcsr, 0x408);
LAYOUT(struct snp_vmsa, x87_fcw, 0x410);
LAYOUT_SIZE(struct snp_vmsa, 0x1000);

/* --- instructions -----------------------------------------------------------
 */

/* PVALIDATE and RMPADJUST leave this in EAX (AMD64 manual, volume 3). */
enum snp_rmp_result {
	SNP_RMP_OK = 0,
	SNP_RMP_INPUT = 1,
	SNP_RMP_PERMISSION = 2,
	SNP_RMP_SIZE_MISMATCH = 6,
};

#define SNP_MSR_GHCB	   0xc0010130u
#define SNP_MSR_SEV_STATUS 0xc0010131u
#define SNP_STATUS_ACTIVE  (1ull << 2)

#endif
