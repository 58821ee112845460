/* SPDX-License-Identifier: Apache-2.0 */
/* A call of the security monitor (abi/sanctum.h). */
#ifndef SHIM_SANCTUM_ECALL_H
#define SHIM_SANCTUM_ECALL_H

#include "base/base.h"

struct ecall_result {
	uint64_t result, value;
};

static inline struct ecall_result ecall(uint64_t number, uint64_t a, uint64_t b)
{
	register uint64_t a0 __asm__("a0") = a;
	register uint64_t a1 __asm__("a1") = b;
	register uint64_t a7 __asm__("a7") = number;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a7) : "memory");
	return (struct ecall_result){ a0, a1 };
}

#endif
