/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GHCB, through which an SEV-ES or SNP guest and its hypervisor talk
 * ("SEV-ES Guest-Hypervisor Communication Block Standardization", AMD 56421,
 * protocol version 2).  To each side the other's bytes are hostile.
 */
#ifndef SPEC_GHCB_H
#define SPEC_GHCB_H

#include "base/base.h"

#define GHCB_MSR      0xc0010130u
#define GHCB_PROTOCOL 2u
#define GHCB_USAGE    0u

/* --- the MSR protocol (§2.3.1) ----------------------------------------------
 */

#define GHCB_INFO_MASK 0xfffull

enum ghcb_info {
	GHCB_INFO_SEV = 0x001, /* answer; [63:48] max, [47:32] min version,
				  [31:24] number of the C-bit */
	GHCB_INFO_SEV_ASK = 0x002,
	GHCB_INFO_CPUID_ASK = 0x004, /* [63:32] leaf, [31:30] register */
	GHCB_INFO_CPUID = 0x005,     /* [63:32] value */
	GHCB_INFO_PREFERRED_ASK = 0x010,
	GHCB_INFO_PREFERRED = 0x011,	/* [63:12] page; all ones: none */
	GHCB_INFO_REGISTER_ASK = 0x012, /* [63:12] page of the GHCB */
	GHCB_INFO_REGISTER = 0x013,	/* the same, or all ones */
	GHCB_INFO_STATE_ASK = 0x014,	/* [55:52] operation, [51:12] page */
	GHCB_INFO_STATE = 0x015,	/* [63:32] 0, or error */
	GHCB_INFO_FEATURES_ASK = 0x080,
	GHCB_INFO_FEATURES = 0x081, /* [63:12] GHCB_FEATURE_... */
	GHCB_INFO_END = 0x100,	    /* [15:12] set of reasons, [23:16] reason */
};

#define GHCB_FEATURE_SNP	(1ull << 0)
#define GHCB_FEATURE_AP_CREATE	(1ull << 1)
#define GHCB_FEATURE_RESTRICTED (1ull << 2)

/* Page states: the MSR's operations and struct ghcb_state_entry's. */
#define GHCB_STATE_PRIVATE 1u
#define GHCB_STATE_SHARED  2u

/* --- the page (table 3) ------------------------------------------------------
 */

struct ghcb {
	uint8_t reserved_000[0x0cb];
	uint8_t cpl;
	uint8_t reserved_0cc[0x140 - 0x0cc];
	uint64_t xss;
	uint8_t reserved_148[0x160 - 0x148];
	uint64_t dr7;
	uint8_t reserved_168[0x1f8 - 0x168];
	uint64_t rax;
	uint8_t reserved_200[0x308 - 0x200];
	uint64_t rcx, rdx, rbx;
	uint8_t reserved_320[0x390 - 0x320];
	uint64_t exit_code, exit_info_1, exit_info_2, scratch;
	uint8_t reserved_3b0[0x3e8 - 0x3b0];
	uint64_t xcr0;
	uint8_t valid[16]; /* a bit for each quadword of the page's begin */
	uint64_t x87_state;
	uint8_t reserved_408[0x800 - 0x408];
	uint8_t shared_buffer[0x7f0];
	uint8_t reserved_ff0[0xffa - 0xff0];
	uint16_t protocol;
	uint32_t usage;
};
LAYOUT(struct ghcb, xss, 0x140);
LAYOUT(struct ghcb, dr7, 0x160);
LAYOUT(struct ghcb, rax, 0x1f8);
LAYOUT(struct ghcb, rcx, 0x308);
LAYOUT(struct ghcb, rbx, 0x318);
LAYOUT(struct ghcb, exit_code, 0x390);
LAYOUT(struct ghcb, exit_info_2, 0x3a0);
LAYOUT(struct ghcb, scratch, 0x3a8);
LAYOUT(struct ghcb, xcr0, 0x3e8);
LAYOUT(struct ghcb, valid, 0x3f0);
LAYOUT(struct ghcb, shared_buffer, 0x800);
LAYOUT(struct ghcb, protocol, 0xffa);
LAYOUT(struct ghcb, usage, 0xffc);
LAYOUT_SIZE(struct ghcb, 0x1000);

/* The bit of `valid` that belongs to a field. */
#define GHCB_VALID_BIT(field) (offsetof(struct ghcb, field) / 8)

/* SW_EXITCODE (table 6): those of #VC (spec/svm.h), and these. */
#define GHCB_EXIT_MMIO_READ  0x80000001ull
#define GHCB_EXIT_MMIO_WRITE 0x80000002ull
#define GHCB_EXIT_STATE	     0x80000010ull /* page state change */
#define GHCB_EXIT_REQUEST    0x80000011ull
#define GHCB_EXIT_EXTENDED   0x80000012ull
#define GHCB_EXIT_AP_CREATE  0x80000013ull
#define GHCB_EXIT_FEATURES   0x8000fffdull
#define GHCB_EXIT_END	     0x8000fffeull
#define GHCB_EXIT_UNKNOWN    0x8000ffffull

/* SW_EXITINFO1, low half, in an answer (§4.1). */
#define GHCB_ANSWER_DONE      0u
#define GHCB_ANSWER_EXCEPTION 1u /* info 2: as EVENTINJ */
#define GHCB_ANSWER_WRONG     2u /* info 2: GHCB_WRONG_... */

#define GHCB_WRONG_GHCB	   1u /* not registered */
#define GHCB_WRONG_USAGE   2u
#define GHCB_WRONG_SCRATCH 3u
#define GHCB_WRONG_MISSING 4u /* a field is not valid */
#define GHCB_WRONG_INPUT   5u
#define GHCB_WRONG_EVENT   6u

/* Page state change: this, in the shared buffer (§4.1.6). */
#define GHCB_STATE_ENTRIES 253u

struct ghcb_state_head {
	uint16_t current;
	uint16_t last;
	uint32_t reserved_04;
};

/* [11:0] pages done, [51:12] page, [55:52] operation, [56] 2 MiB */
#define GHCB_STATE_2M	    (1ull << 56)
#define GHCB_STATE_DONE(e)  ((e)&0xfff)
#define GHCB_STATE_PAGE(e)  ((e) >> 12 & 0xffffffffffull)
#define GHCB_STATE_OP(e)    ((uint32_t)((e) >> 52 & 15))
#define GHCB_STATE_LARGE(e) ((uint32_t)((e) >> 56 & 1))

/* Its SW_EXITINFO2. */
#define GHCB_STATE_WRONG_HEAD  0x100000001ull
#define GHCB_STATE_WRONG_ENTRY 0x100000002ull
#define GHCB_STATE_FAILED      0x10000000000ull

/* Certificates that come with an extended guest request (§4.1.8.1): entries,
 * one of zeros at their end, then what they point to, from the table's begin.
 */
struct ghcb_certificate {
	uint8_t guid[16];
	uint32_t offset;
	uint32_t bytes;
};
LAYOUT_SIZE(struct ghcb_certificate, 24);

/* Guest request's SW_EXITINFO2: [63:32] of the hypervisor, [31:0] of the
 * firmware (enum snp_status). */
#define GHCB_REQUEST_LENGTH 0x100000000ull /* rbx: pages needed */
#define GHCB_REQUEST_BUSY   0x200000000ull

#endif
