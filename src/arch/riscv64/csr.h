/* SPDX-License-Identifier: Apache-2.0 */
/* Control and status registers, and instructions that C cannot say (RISC-V
 * privileged architecture 1.12).  A register is named by its number or name,
 * which the assembler knows. */
#ifndef ARCH_RISCV64_CSR_H
#define ARCH_RISCV64_CSR_H

#include "base/base.h"

#define csr_read(name)                              \
	({                                          \
		uint64_t csr_value_;                \
		__asm__ volatile("csrr %0, " #name  \
				 : "=r"(csr_value_) \
				 :                  \
				 : "memory");       \
		csr_value_;                         \
	})
#define csr_write(name, value)                    \
	__asm__ volatile("csrw " #name ", %0"     \
			 :                        \
			 : "r"((uint64_t)(value)) \
			 : "memory")
#define csr_set(name, bits)                      \
	__asm__ volatile("csrs " #name ", %0"    \
			 :                       \
			 : "r"((uint64_t)(bits)) \
			 : "memory")
#define csr_clear(name, bits)                    \
	__asm__ volatile("csrc " #name ", %0"    \
			 :                       \
			 : "r"((uint64_t)(bits)) \
			 : "memory")
/* The old value; the new one is what the processor makes of `value`. */
#define csr_swap(name, value)                              \
	({                                                 \
		uint64_t csr_value_;                       \
		__asm__ volatile("csrrw %0, " #name ", %1" \
				 : "=r"(csr_value_)        \
				 : "r"((uint64_t)(value))  \
				 : "memory");              \
		csr_value_;                                \
	})

static inline void cpu_wait(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

static inline void cpu_fence(void)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
}

static inline void cpu_fence_code(void)
{
	__asm__ volatile("fence.i" : : : "memory");
}

/* All translations of all address spaces. */
static inline void cpu_fence_tables(void)
{
	__asm__ volatile("sfence.vma" : : : "memory");
}

static inline void cpu_fence_table_at(uint64_t va)
{
	__asm__ volatile("sfence.vma %0" : : "r"(va) : "memory");
}

#endif
