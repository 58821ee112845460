/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trust domain says to its TDX module and, through that, to its host:
 * TDCALL (Intel TDX Module 1.5 ABI, 348551, "Guest-Side Interface Functions"),
 * TDG.VP.VMCALL (Guest-Host-Communication Interface 1.5, 348552, chapters 2 and
 * 3), and the report (ABI, "Measurement and Attestation Types").
 */
#ifndef SPEC_TDX_H
#define SPEC_TDX_H

#include "base/base.h"
#include "spec/sgx.h"

/* --- TDCALL ----------------------------------------------------------------
 */

/* RAX: the leaf.  What it leaves there is a status. */
enum tdx_leaf {
	TDX_VP_VMCALL = 0,
	TDX_VP_INFO = 1, /* out: RCX GPAW, RDX attributes, R8 processors */
	TDX_MR_RTMR_EXTEND = 2,
	TDX_VP_VEINFO_GET = 3, /* out: RCX reason, RDX qualification, R8 linear,
				  R9 physical address, R10 instruction */
	TDX_MR_REPORT = 4,     /* RCX: where to, RDX: data, R8: subtype */
	TDX_MEM_PAGE_ACCEPT = 6, /* RCX: address and level */
};

/* Of a status: its class, and below that details (the operand's number, or a
 * level). */
#define TDX_STATUS_MASK		  0xffffffff00000000ull
#define TDX_SUCCESS		  0ull
#define TDX_OPERAND_INVALID	  0xc000010000000000ull
#define TDX_OPERAND_BUSY	  0x8000020000000000ull
#define TDX_NO_VALID_VE_INFO	  0xc000070400000000ull
#define TDX_PAGE_ALREADY_ACCEPTED 0x00000b0a00000000ull
#define TDX_PAGE_SIZE_MISMATCH	  0xc0000b0b00000000ull

enum {
	TDX_OPERAND_RAX = 0,
	TDX_OPERAND_RCX,
	TDX_OPERAND_RDX,
	TDX_OPERAND_R8 = 8
};

/* TDX_VP_INFO, RCX. */
#define TDX_GPAW_MASK 0x3full

/* TDX_MEM_PAGE_ACCEPT, RCX[2:0]. */
enum { TDX_LEVEL_4K = 0, TDX_LEVEL_2M = 1 };

/* Where GPAW is 48: this bit of an address says that the page is shared. */
#define TDX_SHARED_BIT 47
#define TDX_SHARED     (1ull << TDX_SHARED_BIT)

/* Exit reasons of VMX (SDM, volume 3D, appendix C), as #VE and VMCALL have
 * them. */
enum tdx_reason {
	TDX_REASON_CPUID = 10,
	TDX_REASON_HLT = 12,
	TDX_REASON_INVD = 13,
	TDX_REASON_RDPMC = 15,
	TDX_REASON_VMCALL = 18,
	TDX_REASON_IO = 30,
	TDX_REASON_RDMSR = 31,
	TDX_REASON_WRMSR = 32,
	TDX_REASON_MWAIT = 36,
	TDX_REASON_MONITOR = 39,
	TDX_REASON_EPT_VIOLATION = 48,
	TDX_REASON_WBINVD = 54,
};

/* A processor's first state (ABI, "TD VCPU Initial State"): flat 32-bit code,
 * RBX is GPAW, RSI the processor's number, RCX and R8 the host's word. */
#define TDX_RESET_RIP  0xfffffff0u
#define TDX_RESET_CR0  0x21u  /* PE NE */
#define TDX_RESET_CR4  0x40u  /* MCE; VMXE is hidden */
#define TDX_RESET_EFER 0x901u /* SCE LME NXE */

/* --- TDG.VP.VMCALL ---------------------------------------------------------
 */

/* In: RCX: which registers the host sees and changes (a bit for each, in the
 * instructions' order); R10 0: the numbers below, in R11.  Out: R10 a status,
 * R11 a value. */
enum tdx_call {
	/* Beside these, enum tdx_reason: CPUID, HLT, IO, RDMSR, WRMSR. */
	TDX_CALL_INFO = 0x10000,	/* R12: leaf */
	TDX_CALL_MAP_GPA = 0x10001,	/* R12: address, R13: bytes; R11: where
					   it failed */
	TDX_CALL_GET_QUOTE = 0x10002,	/* R12: address, R13: bytes */
	TDX_CALL_FATAL_ERROR = 0x10003, /* R12: code */
	TDX_CALL_EVENT_NOTIFY = 0x10004,
};

#define TDX_CALL_SUCCESS	 0ull
#define TDX_CALL_RETRY		 1ull
#define TDX_CALL_OPERAND_INVALID 0x8000000000000000ull
#define TDX_CALL_GPA_IN_USE	 0x8000000000000001ull
#define TDX_CALL_ALIGN_ERROR	 0x8000000000000002ull
#define TDX_CALL_UNSUPPORTED	 0x8000000000000003ull

/* TDX_REASON_IO: R12 bytes, R13 1: out, R14 port, R15 value. */
enum { TDX_IO_IN = 0, TDX_IO_OUT = 1 };

/* What TDX_CALL_GET_QUOTE points to, in shared memory (GHCI §3.3): the host
 * writes it. */
struct tdx_quote_head {
	uint64_t version; /* 1 */
	uint64_t status;
	uint32_t in_bytes;  /* of a report, behind this */
	uint32_t out_bytes; /* of a quote, in its place */
};
LAYOUT(struct tdx_quote_head, status, 0x08);
LAYOUT(struct tdx_quote_head, out_bytes, 0x14);
LAYOUT_SIZE(struct tdx_quote_head, 0x18);

#define TDX_QUOTE_VERSION     1u
#define TDX_QUOTE_DONE	      0ull
#define TDX_QUOTE_IN_FLIGHT   0xffffffffffffffffull
#define TDX_QUOTE_ERROR	      0x8000000000000000ull
#define TDX_QUOTE_UNAVAILABLE 0x8000000000000001ull

/* --- TDREPORT_STRUCT -------------------------------------------------------
 */

/* REPORTMACSTRUCT: the MAC is over all before it, by a key that only this
 * processor has. */
struct tdx_report_mac {
	uint8_t type, subtype, version, reserved_003;
	uint8_t reserved_004[12];
	uint8_t cpusvn[16];
	uint8_t tee_tcb_info_hash[48]; /* SHA-384 */
	uint8_t tee_info_hash[48];
	uint8_t report_data[64];
	uint8_t reserved_0c0[32];
	uint8_t mac[32];
};
LAYOUT(struct tdx_report_mac, cpusvn, 0x10);
LAYOUT(struct tdx_report_mac, tee_tcb_info_hash, 0x20);
LAYOUT(struct tdx_report_mac, tee_info_hash, 0x50);
LAYOUT(struct tdx_report_mac, report_data, 0x80);
LAYOUT(struct tdx_report_mac, mac, 0xe0);
LAYOUT_SIZE(struct tdx_report_mac, 0x100);

#define TDX_REPORT_TYPE 0x81u

/* TEE_TCB_INFO: of the module. */
struct tdx_tcb_info {
	uint8_t valid[8];
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[48];
	uint8_t mrsignerseam[48];
	uint8_t seamattributes[8];
	uint8_t tee_tcb_svn_2[16];
	uint8_t reserved_090[95];
};
LAYOUT(struct tdx_tcb_info, mrseam, 0x18);
LAYOUT(struct tdx_tcb_info, tee_tcb_svn_2, 0x80);
LAYOUT_SIZE(struct tdx_tcb_info, 239);

/* TDINFO_STRUCT: of the domain. */
struct tdx_info {
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrtd[48];
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint8_t rtmr[4][48];
	uint8_t servtd_hash[48];
	uint8_t reserved_1c0[64];
};
LAYOUT(struct tdx_info, mrtd, 0x10);
LAYOUT(struct tdx_info, mrconfigid, 0x40);
LAYOUT(struct tdx_info, rtmr, 0xd0);
LAYOUT(struct tdx_info, servtd_hash, 0x190);
LAYOUT_SIZE(struct tdx_info, 0x200);

struct tdx_report_struct {
	struct tdx_report_mac head;
	struct tdx_tcb_info tcb;
	uint8_t reserved_1ef[17];
	struct tdx_info info;
};
LAYOUT(struct tdx_report_struct, tcb, 0x100);
LAYOUT(struct tdx_report_struct, info, 0x200);
LAYOUT_SIZE(struct tdx_report_struct, 0x400);

/* --- MRTD ------------------------------------------------------------------
 */

/* TDH.MEM.PAGE.ADD and TDH.MR.EXTEND hash a record of this form, the latter
 * what the page holds there, too. */
struct tdx_measured {
	char name[16];
	uint64_t gpa;
	uint8_t reserved_18[104];
};
LAYOUT_SIZE(struct tdx_measured, 0x80);
#define TDX_CHUNK_BYTES 256u

#endif
