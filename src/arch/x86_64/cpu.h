/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One wrapper for each instruction that C can't say (AMD64 Architecture
 * Programmer's Manual, volumes 2 and 3).  Freestanding.
 */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include "base/base.h"

struct cpu_id {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpu_id cpu_id(uint32_t leaf, uint32_t sub)
{
	struct cpu_id r;
	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "0"(leaf), "2"(sub));
	return r;
}

static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void cpu_xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(index), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32)));
}

static inline uint64_t cpu_xgetbv(uint32_t index)
{
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_cr0(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void cpu_write_cr0(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline uint64_t cpu_read_cr2(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline void cpu_write_cr3(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t cpu_read_cr3(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline uint64_t cpu_read_cr4(void)
{
	uint64_t v;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void cpu_write_cr4(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static inline void cpu_invlpg(uint64_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

struct cpu_table { /* what LGDT and LIDT load, from its `limit` on */
	uint16_t reserved[3];
	uint16_t limit;
	uint64_t base;
};

static inline void cpu_lgdt(const struct cpu_table *t)
{
	__asm__ volatile("lgdt (%0)" : : "r"(&t->limit) : "memory");
}

static inline void cpu_lidt(const struct cpu_table *t)
{
	__asm__ volatile("lidt (%0)" : : "r"(&t->limit) : "memory");
}

static inline void cpu_ltr(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector));
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static inline uint64_t cpu_rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* False: the generator had nothing to give. */
static inline bool cpu_rdrand(uint64_t *out)
{
	bool ok;
	__asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

static inline bool cpu_rdseed(uint64_t *out)
{
	bool ok;
	__asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
	return ok;
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}

static inline void cpu_hlt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Leaves an enum snp_instruction; *unchanged: the page had that state. */
static inline uint32_t cpu_pvalidate(uint64_t va, bool large, bool valid,
	bool *unchanged)
{
	uint64_t rax = va;
	bool same;
	__asm__ volatile(".byte 0xf2, 0x0f, 0x01, 0xff"
			 : "+a"(rax), "=@ccc"(same)
			 : "c"((uint64_t)large), "d"((uint64_t)valid)
			 : "memory");
	*unchanged = same;
	return (uint32_t)rax;
}

static inline uint32_t cpu_rmpadjust(uint64_t va, bool large, uint64_t rights)
{
	uint64_t rax = va;
	__asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xfe"
			 : "+a"(rax)
			 : "c"((uint64_t)large), "d"(rights)
			 : "memory", "cc");
	return (uint32_t)rax;
}

static inline void cpu_vmgexit(void)
{
	__asm__ volatile(".byte 0xf3, 0x0f, 0x01, 0xd9" : : : "memory");
}

/* By words, which an emulated processor does as fast as bytes; then the rest.
 * Forwards, as memmove needs it. */
static inline void cpu_store_bytes(void *to, uint8_t value, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	uint64_t word = 0x0101010101010101ull * value;
	__asm__ volatile("rep stosq"
			 : "+D"(to), "+c"(words)
			 : "a"(word)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(rest)
			 : "a"(word)
			 : "memory");
}

static inline void cpu_move_bytes(void *to, const void *from, size_t n)
{
	size_t words = n / 8, rest = n % 8;
	__asm__ volatile("rep movsq"
			 : "+D"(to), "+S"(from), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(rest)
			 :
			 : "memory");
}

#endif
