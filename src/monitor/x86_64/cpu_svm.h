/* SPDX-License-Identifier: Apache-2.0 */
/* What boot.S does for C, and the monitor's one-instruction wrappers. */
#ifndef MONITOR_X86_64_CPU_SVM_H
#define MONITOR_X86_64_CPU_SVM_H

#include "abi/monitor.h"
#include "arch/x86_64/cpu.h"
#include "spec/svm.h"

void cpu_vmrun(struct svm_vmcb *vmcb, uint64_t general[MONITOR_GENERAL]);
void cpu_take_interrupt(void);
void cpu_sleep(void);
void monitor_on_bell(void);
void monitor_on_fault(void);

static inline void cpu_vmload(const struct svm_vmcb *vmcb)
{
	__asm__ volatile("vmload" : : "a"(vmcb) : "memory");
}

static inline void cpu_vmsave(struct svm_vmcb *vmcb)
{
	__asm__ volatile("vmsave" : : "a"(vmcb) : "memory");
}

static inline void cpu_fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

/* The components in `which`, at a multiple of 64. */
static inline void cpu_xsave(void *to, uint64_t which)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(to), "a"((uint32_t)which),
			 "d"((uint32_t)(which >> 32))
			 : "memory");
}

static inline void cpu_xrstor(const void *from, uint64_t which)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(from), "a"((uint32_t)which),
			 "d"((uint32_t)(which >> 32))
			 : "memory");
}

static inline uint32_t cpu_in32(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "d"(port) : "memory");
	return v;
}

#endif
