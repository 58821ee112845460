/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SVM: the VMCB (AMD64 Architecture Programmer's Manual, volume 2,
 * appendix B) and the VMSA, which is its save area with more in it
 * (table B-4).  Little-endian.
 */
#ifndef SPEC_SVM_H
#define SPEC_SVM_H

#include "base/base.h"

struct svm_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};
LAYOUT_SIZE(struct svm_segment, 0x10);

/* --- control area (table B-1) ----------------------------------------------
 */

/* Intercepts, words 3 (at 0x0c) and 4 (at 0x10). */
#define SVM_ON_INTR	(1u << 0)
#define SVM_ON_INIT	(1u << 3)
#define SVM_ON_RDPMC	(1u << 15)
#define SVM_ON_CPUID	(1u << 18)
#define SVM_ON_INVD	(1u << 22)
#define SVM_ON_HLT	(1u << 24)
#define SVM_ON_IOIO	(1u << 27)
#define SVM_ON_MSR	(1u << 28)
#define SVM_ON_SHUTDOWN (1u << 31)
#define SVM_ON_VMRUN	(1u << 0)
#define SVM_ON_VMMCALL	(1u << 1)
#define SVM_ON_VMLOAD	(1u << 2)
#define SVM_ON_VMSAVE	(1u << 3)
#define SVM_ON_STGI	(1u << 4)
#define SVM_ON_CLGI	(1u << 5)
#define SVM_ON_SKINIT	(1u << 6)
#define SVM_ON_WBINVD	(1u << 9)
#define SVM_ON_MONITOR	(1u << 10)
#define SVM_ON_MWAIT	(1u << 11) | (1u << 12)

#define SVM_NESTED_PAGING (1ull << 0)
#define SVM_V_INTR_MASK	  (1u << 24)
#define SVM_FLUSH_ALL	  1u

/* EVENTINJ (§15.20) */
#define SVM_EVENT_TYPE	    (7u << 8)
#define SVM_EVENT_NMI	    (2u << 8)
#define SVM_EVENT_EXCEPTION (3u << 8)
#define SVM_EVENT_HAS_ERROR (1u << 11)
#define SVM_EVENT_VALID	    (1u << 31)

/* Exit codes (appendix C). */
enum svm_exit {
	SVM_EXIT_READ_DR7 = 0x27,
	SVM_EXIT_WRITE_DR7 = 0x37,
	SVM_EXIT_EXCEPTION = 0x40, /* + vector */
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b,
	SVM_EXIT_NPF = 0x400,
};
#define SVM_EXIT_INVALID 0xffffffffffffffffull

/* EXITINFO1 of an access to a port (§15.10.2). */
#define SVM_IO_IN      1u
#define SVM_IO_STRING  (1u << 2)
#define SVM_IO_SIZE(i) ((i) >> 4 & 7)
#define SVM_IO_PORT(i) ((uint32_t)(i) >> 16)

/* EXITINFO1 of a nested page fault (§15.25.6). */
#define SVM_NPF_PRESENT (1ull << 0)
#define SVM_NPF_WRITE	(1ull << 1)
#define SVM_NPF_FETCH	(1ull << 4)
#define SVM_NPF_FINAL	(1ull << 32)
#define SVM_NPF_WALK	(1ull << 33)

struct svm_control {
	uint32_t intercept_cr, intercept_dr, intercept_exceptions;
	uint32_t intercept_3, intercept_4, intercept_5;
	uint8_t reserved_018[0x40 - 0x18];
	uint64_t iopm, msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t v_intr;
	uint64_t interrupt_shadow;
	uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info;
	uint64_t nested;
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t event;
	uint64_t nested_cr3;
	uint8_t reserved_0b8[0x400 - 0xb8];
};
LAYOUT(struct svm_control, iopm, 0x40);
LAYOUT(struct svm_control, asid, 0x58);
LAYOUT(struct svm_control, v_intr, 0x60);
LAYOUT(struct svm_control, exit_code, 0x70);
LAYOUT(struct svm_control, nested, 0x90);
LAYOUT(struct svm_control, event, 0xa8);
LAYOUT(struct svm_control, nested_cr3, 0xb0);
LAYOUT_SIZE(struct svm_control, 0x400);

/* --- save area (tables B-2 and B-4) ----------------------------------------
 */

/* SEV_FEATURES */
#define SVM_FEATURE_SNP	       (1ull << 0)
#define SVM_FEATURE_VTOM       (1ull << 1)
#define SVM_FEATURE_REFLECT_VC (1ull << 2)
#define SVM_FEATURE_RESTRICTED (1ull << 3)
#define SVM_FEATURE_ALTERNATE  (1ull << 4)
#define SVM_FEATURE_DEBUG_SWAP (1ull << 5)

/* One page, when it is a VMSA; of a VMCB it is what VMRUN reads and writes up
 * to `pat`. */
struct svm_save {
	struct svm_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_0a0[0xca - 0xa0];
	uint8_t vmpl;
	uint8_t cpl;
	uint8_t reserved_0cc[4];
	uint64_t efer;
	uint8_t reserved_0d8[0x140 - 0xd8];
	uint64_t xss;
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_180[0x1d8 - 0x180];
	uint64_t rsp;
	uint8_t reserved_1e0[0x1f8 - 0x1e0];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved_248[0x268 - 0x248];
	uint64_t pat;
	/* VMSA only, from here on. */
	uint8_t reserved_270[0x308 - 0x270];
	uint64_t rcx, rdx, rbx;
	uint64_t reserved_320;
	uint64_t rbp, rsi, rdi, r8_to_15[8];
	uint8_t reserved_380[0x390 - 0x380];
	uint64_t guest_exit_info_1, guest_exit_info_2;
	uint64_t guest_exit_int_info, guest_nrip;
	uint64_t sev_features;
	uint64_t v_intr;
	uint64_t guest_exit_code;
	uint64_t virtual_tom;
	uint8_t reserved_3d0[0x3e8 - 0x3d0];
	uint64_t xcr0;
	uint8_t reserved_3f0[0x408 - 0x3f0];
	uint32_t mxcsr;
	uint16_t x87_ftw, x87_fsw, x87_fcw;
	uint8_t reserved_412[0x1000 - 0x412];
};
LAYOUT(struct svm_save, vmpl, 0x0ca);
LAYOUT(struct svm_save, efer, 0x0d0);
LAYOUT(struct svm_save, cr4, 0x148);
LAYOUT(struct svm_save, rip, 0x178);
LAYOUT(struct svm_save, rsp, 0x1d8);
LAYOUT(struct svm_save, rax, 0x1f8);
LAYOUT(struct svm_save, cr2, 0x240);
LAYOUT(struct svm_save, pat, 0x268);
LAYOUT(struct svm_save, rcx, 0x308);
LAYOUT(struct svm_save, rbp, 0x328);
LAYOUT(struct svm_save, guest_exit_info_1, 0x390);
LAYOUT(struct svm_save, sev_features, 0x3b0);
LAYOUT(struct svm_save, guest_exit_code, 0x3c0);
LAYOUT(struct svm_save, xcr0, 0x3e8);
LAYOUT(struct svm_save, mxcsr, 0x408);
LAYOUT(struct svm_save, x87_fcw, 0x410);
LAYOUT_SIZE(struct svm_save, 0x1000);

struct svm_vmcb {
	struct svm_control control;
	struct svm_save save;
};
LAYOUT(struct svm_vmcb, save, 0x400);

#endif
