/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One wrapper for each instruction that C can't say (Power ISA 3.0B), for
 * POWER9.  Freestanding.
 */
#ifndef ARCH_PPC64LE_CPU_H
#define ARCH_PPC64LE_CPU_H

#ifndef __ASSEMBLER__
#include "base/base.h"
#endif

/* Special-purpose registers (book III, §4 and §5). */
#define SPR_DSISR  18
#define SPR_DAR	   19
#define SPR_SRR0   26
#define SPR_SRR1   27
#define SPR_PIDR   48
#define SPR_PSSCR  855
#define SPR_HSPRG0 304
#define SPR_HSPRG1 305
#define SPR_HDEC   310
#define SPR_HSRR0  314
#define SPR_HSRR1  315
#define SPR_LPCR   318
#define SPR_LPIDR  319
#define SPR_HFSCR  190
#define SPR_PTCR   464
#define SPR_FSCR   153
#define SPR_SPRG0  272
#define SPR_ASDR   816
#define SPR_HDSISR 306
#define SPR_HDAR   307
#define SPR_HID0   1008
#define SPR_DEC	   22

/* The machine state register (book III, §3.2.1). */
#define MSR_SF	(1ull << 63)
#define MSR_HV	(1ull << 60)
#define MSR_S	(1ull << 22) /* secure: an ultravisor's guest */
#define MSR_VEC 0x2000000ull
#define MSR_VSX 0x0800000ull
#define MSR_EE	0x8000ull
#define MSR_PR	0x4000ull
#define MSR_FP	0x2000ull
#define MSR_ME	0x1000ull
#define MSR_IR	0x0020ull
#define MSR_DR	0x0010ull
#define MSR_RI	0x0002ull
#define MSR_LE	0x0001ull

/* The logical partitioning control register (book III, §2.2): the hypervisor's
 * decrementer, which has more than 32 bits, interrupts, and ends `stop`. */
#define CPU_LPCR_WAKE 0x3f001ull

#ifndef __ASSEMBLER__

#define cpu_mfspr(n)                                                        \
	({                                                                  \
		uint64_t mfspr_v_;                                          \
		__asm__ volatile("mfspr %0, %1" : "=r"(mfspr_v_) : "i"(n)); \
		mfspr_v_;                                                   \
	})
#define cpu_mtspr(n, v)                               \
	__asm__ volatile("mtspr %1, %0"               \
			 :                            \
			 : "r"((uint64_t)(v)), "i"(n) \
			 : "memory")

static inline void cpu_sync(void)
{
	__asm__ volatile("sync" ::: "memory");
}

static inline void cpu_isync(void)
{
	__asm__ volatile("isync" ::: "memory");
}

/* Sleeps until the decrementer, or anything else, wakes it. */
static inline void cpu_stop(void)
{
	__asm__ volatile("stop" ::: "memory");
}

static inline uint64_t cpu_timebase(void)
{
	uint64_t v;
	__asm__ volatile("mftb %0" : "=r"(v)::"memory");
	return v;
}

/* 64 random bits, conditioned; all ones: there are none now. */
static inline uint64_t cpu_darn(void)
{
	uint64_t v;
	__asm__ volatile("darn %0, 1" : "=r"(v));
	return v;
}

/* 64 bits as the source gave them. */
static inline uint64_t cpu_darn_raw(void)
{
	uint64_t v;
	__asm__ volatile("darn %0, 2" : "=r"(v));
	return v;
}

/* Device registers: real addresses that nobody caches. */
static inline uint64_t cpu_load_be64(uint64_t at)
{
	uint64_t v;
	__asm__ volatile("ldbrx %0, 0, %1" : "=r"(v) : "r"(at) : "memory");
	return v;
}

static inline void cpu_store_be64(uint64_t at, uint64_t v)
{
	__asm__ volatile("stdbrx %0, 0, %1" : : "r"(v), "r"(at) : "memory");
	cpu_sync();
}

#endif /* __ASSEMBLER__ */
#endif
