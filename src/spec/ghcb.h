/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest-hypervisor communication block, version 2 (SEV-ES Guest-Hypervisor
 * Communication Block Standardization, AMD 56421).  Both sides write the page:
 * hostile to each other.
 */
#ifndef SPEC_GHCB_H
#define SPEC_GHCB_H

#include "base/base.h"

#define GHCB_VERSION 2u

/* 56421, "GHCB Layout". */
struct ghcb {
	uint8_t reserved_000[0xcb];
	uint8_t cpl;
	uint8_t reserved_0cc[0x1f8 - 0xcc];
	uint64_t rax;
	uint8_t reserved_200[0x308 - 0x200];
	uint64_t rcx, rdx, rbx;
	uint8_t reserved_320[0x390 - 0x320];
	uint64_t exit_code;
	uint64_t exit_info_1;
	uint64_t exit_info_2;
	uint64_t scratch;
	uint8_t reserved_3b0[0x3e8 - 0x3b0];
	uint64_t xcr0;
	uint8_t valid[16]; /* a bit for each 8 bytes that were filled in */
	uint8_t reserved_400[0x800 - 0x400];
	uint8_t shared[0x7f0];
	uint8_t reserved_ff0[0xffa - 0xff0];
	uint16_t version;
	uint32_t usage;
};
LAYOUT(struct ghcb, cpl, 0x0cb);
LAYOUT(struct ghcb, rax, 0x1f8);
LAYOUT(struct ghcb, rcx, 0x308);
LAYOUT(struct ghcb, exit_code, 0x390);
LAYOUT(struct ghcb, scratch, 0x3a8);
LAYOUT(struct ghcb, xcr0, 0x3e8);
LAYOUT(struct ghcb, valid, 0x3f0);
LAYOUT(struct ghcb, shared, 0x800);
LAYOUT(struct ghcb, version, 0xffa);
LAYOUT_SIZE(struct ghcb, 0x1000);

/* The MSR protocol: what the low twelve bits ask, or answer. */
enum ghcb_msr {
	GHCB_MSR_INFO = 0x001, /* answer: versions and the encryption bit */
	GHCB_MSR_INFO_REQ = 0x002,
	GHCB_MSR_CPUID_REQ = 0x004,
	GHCB_MSR_CPUID = 0x005,
	GHCB_MSR_PREFERRED_REQ = 0x010, /* place for one; all ones: none */
	GHCB_MSR_PREFERRED = 0x011,
	GHCB_MSR_REGISTER_REQ = 0x012, /* of a GHCB's page */
	GHCB_MSR_REGISTER = 0x013,
	GHCB_MSR_STATE_REQ = 0x014, /* a page's change of state */
	GHCB_MSR_STATE = 0x015,
	GHCB_MSR_FEATURES_REQ = 0x080,
	GHCB_MSR_FEATURES = 0x081,
	GHCB_MSR_END_REQ = 0x100, /* terminate */
};
#define GHCB_MSR_CODE(v)  ((v)&0xfffu)
#define GHCB_INFO_MAX(v)  ((v) >> 48 & 0xffffu) /* of GHCB_MSR_INFO */
#define GHCB_INFO_MIN(v)  ((v) >> 32 & 0xffffu)
#define GHCB_INFO_CBIT(v) ((v) >> 24 & 0xffu)

/* Features, of GHCB_MSR_FEATURES (>> 12). */
#define GHCB_FEATURE_SNP	(1ull << 0)
#define GHCB_FEATURE_AP_CREATE	(1ull << 1)
#define GHCB_FEATURE_RESTRICTED (1ull << 2)

/* Reasons of GHCB_MSR_END_REQ: a set (bits 15:12), a number (23:16). */
#define GHCB_END(set, reason) \
	(GHCB_MSR_END_REQ | (uint64_t)(set) << 12 | (uint64_t)(reason) << 16)

/* The bit of `valid` that belongs to a field. */
#define GHCB_VALID_BIT(field) (offsetof(struct ghcb, field) / 8)

#define GHCB_USAGE 0u

/* Page states: the MSR's operations and struct ghcb_state_entry's. */
#define GHCB_STATE_PRIVATE 1u
#define GHCB_STATE_SHARED  2u

/* exit_code: what an intercept would be called (AMD64 manual, volume 2,
 * appendix C), or these. */
enum ghcb_exit {
	GHCB_EXIT_CPUID = 0x72,
	GHCB_EXIT_IOIO = 0x7b,
	GHCB_EXIT_MSR = 0x7c,
	GHCB_EXIT_STATE_CHANGE = 0x80000010,
	GHCB_EXIT_GUEST_REQUEST = 0x80000011,
	GHCB_EXIT_EXT_GUEST_REQUEST = 0x80000012,
	GHCB_EXIT_AP_CREATION = 0x80000013,
	GHCB_EXIT_FEATURES = 0x8000fffd,
	GHCB_EXIT_END = 0x8000fffe,
	GHCB_EXIT_UNKNOWN = 0x8000ffff,
};

/* exit_info_1 of IOIO (volume 2, §15.10.2). */
#define GHCB_IO_OUT32(port) ((uint64_t)(port) << 16 | 1u << 6)

/* The low half of exit_info_1 of an answer; anything else is refused. */
#define GHCB_ANSWER_OK	      0u
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
#define GHCB_STATE_DONE(e)  ((e)&0xfff)
#define GHCB_STATE_PAGE(e)  ((e) >> 12 & 0xffffffffffull)
#define GHCB_STATE_OP(e)    ((uint32_t)((e) >> 52 & 15))
#define GHCB_STATE_LARGE(e) ((uint32_t)((e) >> 56 & 1))

/* Its SW_EXITINFO2. */
#define GHCB_STATE_WRONG_HEAD  0x100000001ull
#define GHCB_STATE_WRONG_ENTRY 0x100000002ull
#define GHCB_STATE_FAILED      0x10000000000ull

/* Guest request's SW_EXITINFO2: [63:32] of the hypervisor, [31:0] of the
 * firmware (enum snp_status). */
#define GHCB_REQUEST_LENGTH 0x100000000ull /* rbx: pages needed */
#define GHCB_REQUEST_BUSY   0x200000000ull

#endif
