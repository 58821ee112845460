/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel SGX: what an enclave is made of (Intel 64 and IA-32 Architectures
 * Software Developer's Manual, volume 3D, chapters 34 to 38; cited as "SDM").
 * Little-endian.
 */
#ifndef SPEC_SGX_ENCLAVE_H
#define SPEC_SGX_ENCLAVE_H

#include "spec/sgx.h"

/* --- leaves (SDM tables 35-1 and 35-2) ----------------------------------- */

enum sgx_enclu {
	SGX_EREPORT = 0,
	SGX_EGETKEY = 1,
	SGX_EENTER = 2,
	SGX_ERESUME = 3,
	SGX_EEXIT = 4,
	SGX_EACCEPT = 5,
	SGX_EMODPE = 6,
	SGX_EACCEPTCOPY = 7,
	SGX_EDECCSSA = 9,
};

/* Error codes in RAX (SDM table 38-4). */
enum sgx_error {
	SGX_SUCCESS = 0,
	SGX_INVALID_SIG_STRUCT = 1,
	SGX_INVALID_ATTRIBUTE = 2,
	SGX_INVALID_MEASUREMENT = 4,
	SGX_INVALID_SIGNATURE = 8,
	SGX_PAGE_ATTRIBUTES_MISMATCH = 19,
	SGX_PAGE_NOT_MODIFIABLE = 20,
	SGX_PAGE_NOT_DEBUGGABLE = 21,
	SGX_INVALID_CPUSVN = 32,
	SGX_INVALID_ISVSVN = 64,
	SGX_INVALID_KEYNAME = 256,
};

/* --- SECINFO (SDM §34.12) ------------------------------------------------ */

#define SGX_PAGE_R		(1ull << 0)
#define SGX_PAGE_W		(1ull << 1)
#define SGX_PAGE_X		(1ull << 2)
#define SGX_PAGE_PENDING	(1ull << 3)
#define SGX_PAGE_MODIFIED	(1ull << 4)
#define SGX_PAGE_PR		(1ull << 5)
#define SGX_PAGE_RIGHTS		7ull
#define SGX_PAGE_TYPE(t)	((uint64_t)(t) << 8)
#define SGX_PAGE_TYPE_OF(flags) ((enum sgx_page_type)((flags) >> 8 & 0xff))

enum sgx_page_type {
	SGX_PT_SECS = 0,
	SGX_PT_TCS = 1,
	SGX_PT_REG = 2,
	SGX_PT_VA = 3,
	SGX_PT_TRIM = 4,
};

struct sgx_secinfo {
	uint64_t flags;
	uint8_t reserved_08[56];
} __attribute__((aligned(64)));
LAYOUT_SIZE(struct sgx_secinfo, 64);

struct sgx_pageinfo { /* SDM §34.11 */
	uint64_t linaddr, srcpge, secinfo, secs;
} __attribute__((aligned(32)));
LAYOUT(struct sgx_pageinfo, secinfo, 16);
LAYOUT_SIZE(struct sgx_pageinfo, 32);

/* --- SECS (SDM §34.7) ---------------------------------------------------- */

/* MISCSELECT: #GP and #PF are reported in EXINFO. */
#define SGX_MISC_EXINFO 1u

struct sgx_secs {
	uint64_t size, base;
	uint32_t ssa_frame_pages;
	uint32_t miscselect;
	uint8_t reserved_018[24];
	uint64_t attributes, xfrm;
	uint8_t mrenclave[32];
	uint8_t reserved_060[32];
	uint8_t mrsigner[32];
	uint8_t reserved_0a0[32];
	uint8_t configid[64];
	uint16_t isvprodid, isvsvn, configsvn;
	uint8_t reserved_106[3834];
};
LAYOUT(struct sgx_secs, miscselect, 20);
LAYOUT(struct sgx_secs, attributes, 48);
LAYOUT(struct sgx_secs, mrenclave, 64);
LAYOUT(struct sgx_secs, mrsigner, 128);
LAYOUT(struct sgx_secs, configid, 192);
LAYOUT(struct sgx_secs, configsvn, 260);
LAYOUT_SIZE(struct sgx_secs, 4096);

/* --- TCS (SDM §34.8) ----------------------------------------------------- */

#define SGX_TCS_DBGOPTIN  (1ull << 0)
#define SGX_TCS_AEXNOTIFY (1ull << 1)

struct sgx_tcs {
	uint64_t state; /* the processor's */
	uint64_t flags;
	uint64_t ossa;
	uint32_t cssa, nssa;
	uint64_t oentry;
	uint64_t aep; /* the processor's */
	uint64_t ofsbase, ogsbase;
	uint32_t fslimit, gslimit;
	uint8_t reserved_048[4024];
};
LAYOUT(struct sgx_tcs, ossa, 16);
LAYOUT(struct sgx_tcs, cssa, 24);
LAYOUT(struct sgx_tcs, oentry, 32);
LAYOUT(struct sgx_tcs, ofsbase, 48);
LAYOUT(struct sgx_tcs, fslimit, 64);
LAYOUT_SIZE(struct sgx_tcs, 4096);

/* --- a frame of the state save area (SDM §34.9) -------------------------- */

/* Its end; XSAVE's area is its begin, EXINFO stands before this. */
struct sgx_gprs {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, rip;
	uint64_t ursp, urbp; /* the host's, as EENTER found them */
	uint32_t exitinfo;
	uint8_t reserved_0a4[3];
	uint8_t aexnotify;
	uint64_t fsbase, gsbase;
};
LAYOUT(struct sgx_gprs, rflags, 128);
LAYOUT(struct sgx_gprs, exitinfo, 160);
LAYOUT(struct sgx_gprs, fsbase, 168);
LAYOUT_SIZE(struct sgx_gprs, 184);

#define SGX_EXIT_VECTOR(info) ((info)&0xffu)
#define SGX_EXIT_TYPE(info)   ((info) >> 8 & 7u)
#define SGX_EXIT_HARDWARE     3u
#define SGX_EXIT_SOFTWARE     6u
#define SGX_EXIT_VALID	      (1u << 31)

struct sgx_exinfo {
	uint64_t maddr; /* #PF: the address; #GP: 0 */
	uint32_t errcd;
	uint32_t reserved_0c;
};
LAYOUT_SIZE(struct sgx_exinfo, 16);

/* One frame of one page. */
struct sgx_ssa {
	uint8_t xsave[PAGE_BYTES - sizeof(struct sgx_gprs) -
		sizeof(struct sgx_exinfo)];
	struct sgx_exinfo exinfo;
	struct sgx_gprs gprs;
};
LAYOUT_SIZE(struct sgx_ssa, 4096);

/* A page fault's error code: by the EPCM, not by the page tables. */
#define SGX_PF_SGX (1u << 15)

/* --- reports and keys (SDM §34.14 to §34.18) ----------------------------- */

struct sgx_targetinfo {
	uint8_t mrenclave[32];
	uint64_t attributes, xfrm;
	uint8_t cet_attributes;
	uint8_t reserved_031;
	uint16_t configsvn;
	uint32_t miscselect;
	uint8_t reserved_038[8];
	uint8_t configid[64];
	uint8_t reserved_080[384];
} __attribute__((aligned(512)));
LAYOUT(struct sgx_targetinfo, configsvn, 50);
LAYOUT(struct sgx_targetinfo, configid, 64);
LAYOUT_SIZE(struct sgx_targetinfo, 512);

/* What EREPORT writes: struct sgx_report and its MAC. */
struct sgx_report_mac {
	struct sgx_report body;
	uint8_t keyid[32];
	uint8_t mac[16];
};
LAYOUT(struct sgx_report_mac, keyid, 384);
LAYOUT(struct sgx_report_mac, mac, 416);
LAYOUT_SIZE(struct sgx_report_mac, 432);

enum sgx_keyname {
	SGX_KEY_EINITTOKEN = 0,
	SGX_KEY_PROVISION = 1,
	SGX_KEY_PROVISION_SEAL = 2,
	SGX_KEY_REPORT = 3,
	SGX_KEY_SEAL = 4,
};

/* KEYPOLICY */
#define SGX_POLICY_MRENCLAVE	(1u << 0)
#define SGX_POLICY_MRSIGNER	(1u << 1)
#define SGX_POLICY_NOISVPRODID	(1u << 2)
#define SGX_POLICY_CONFIGID	(1u << 3)
#define SGX_POLICY_ISVFAMILYID	(1u << 4)
#define SGX_POLICY_ISVEXTPRODID (1u << 5)

struct sgx_keyrequest {
	uint16_t keyname, keypolicy, isvsvn;
	uint8_t cet_mask;
	uint8_t reserved_07;
	uint8_t cpusvn[16];
	uint64_t attribute_mask, xfrm_mask;
	uint8_t keyid[32];
	uint32_t miscmask;
	uint16_t configsvn;
	uint8_t reserved_04e[434];
} __attribute__((aligned(512)));
LAYOUT(struct sgx_keyrequest, cpusvn, 8);
LAYOUT(struct sgx_keyrequest, keyid, 40);
LAYOUT(struct sgx_keyrequest, configsvn, 76);
LAYOUT_SIZE(struct sgx_keyrequest, 512);

/* --- SIGSTRUCT (SDM §34.13) ---------------------------------------------- */

enum { SGX_RSA_BYTES = 384 };
#define SGX_SIGNED_HEAD 128u /* bytes, and as many from miscselect on */

struct sgx_sigstruct {
	uint8_t header[16];
	uint32_t vendor;
	uint32_t date; /* 0xYYYYMMDD */
	uint8_t header2[16];
	uint32_t swdefined;
	uint8_t reserved_02c[84];
	uint8_t modulus[SGX_RSA_BYTES];
	uint32_t exponent;
	uint8_t signature[SGX_RSA_BYTES];
	uint32_t miscselect, miscmask;
	uint8_t cet_attributes, cet_mask;
	uint8_t reserved_38e[2];
	uint8_t isvfamilyid[16];
	uint64_t attributes, xfrm;
	uint64_t attribute_mask, xfrm_mask;
	uint8_t enclavehash[32];
	uint8_t reserved_3e0[16];
	uint8_t isvextprodid[16];
	uint16_t isvprodid, isvsvn;
	uint8_t reserved_404[12];
	uint8_t q1[SGX_RSA_BYTES], q2[SGX_RSA_BYTES];
};
LAYOUT(struct sgx_sigstruct, date, 20);
LAYOUT(struct sgx_sigstruct, modulus, 128);
LAYOUT(struct sgx_sigstruct, exponent, 512);
LAYOUT(struct sgx_sigstruct, signature, 516);
LAYOUT(struct sgx_sigstruct, miscselect, 900);
LAYOUT(struct sgx_sigstruct, isvfamilyid, 912);
LAYOUT(struct sgx_sigstruct, attributes, 928);
LAYOUT(struct sgx_sigstruct, enclavehash, 960);
LAYOUT(struct sgx_sigstruct, isvextprodid, 1008);
LAYOUT(struct sgx_sigstruct, isvprodid, 1024);
LAYOUT(struct sgx_sigstruct, q1, 1040);
LAYOUT_SIZE(struct sgx_sigstruct, 1808);

#endif
