/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of an access, checked.  The sum of a 32-bit address, an offset
 * below 2^32 and a size can't wrap in 64 bits; for 64-bit addresses that is
 * checked too.
 */
#ifndef WASM_INTERP_ADDRESS_PRIV_H
#define WASM_INTERP_ADDRESS_PRIV_H

#include "wasm/interp/exec_priv.h"

/* The address in register r plus offset, for `n` bytes, as `ea`. */
#define ADDRESS(r, offset, n)                               \
	uint64_t ea = (uint64_t)(uint32_t)fp[r] + (offset); \
	if (UNLIKELY(ea + (n) > mlen))                      \
	TRAP(MEMORY)

#define ADDRESS64(r, offset, n)                                      \
	uint64_t ea;                                                 \
	if (UNLIKELY(__builtin_add_overflow(fp[r], (offset), &ea) || \
		    ea > mlen || mlen - ea < (n)))                   \
	TRAP(MEMORY)

/* An access in its three forms; M(name, ADDRESS, offset, words). */
#define THREE_FORMS(M, name, ...)                         \
	M(name, ADDRESS, ip->c, 1, __VA_ARGS__)           \
	M(name##_far, ADDRESS, ip[1].u64, 2, __VA_ARGS__) \
	M(name##_64, ADDRESS64, ip[1].u64, 2, __VA_ARGS__)

#endif
