/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores.  Every access is checked: the sum of a 32-bit address, an
 * offset below 2^32 and a size can't wrap in 64 bits; 64-bit addresses are
 * checked for that too.
 */
#include "wasm/interp/exec_priv.h"

/* The address in register r plus offset, for `n` bytes, into `ea`. */
#define ADDRESS(r, offset, n)                               \
	uint64_t ea = (uint64_t)(uint32_t)fp[r] + (offset); \
	if (UNLIKELY(ea + (n) > mlen))                      \
	TRAP(MEMORY)

#define ADDRESS64(r, offset, n)                                      \
	uint64_t ea;                                                 \
	if (UNLIKELY(__builtin_add_overflow(fp[r], (offset), &ea) || \
		    ea > mlen || mlen - ea < (n)))                   \
	TRAP(MEMORY)

#define LOAD_AS(name, M, S, ADDR, offset, words) \
	OP(name)                                 \
	{                                        \
		ADDR(ip->b, offset, sizeof(M));  \
		M v;                             \
		memcpy(&v, mem + ea, sizeof v);  \
		S wide_ = (S)v;                  \
		fp[ip->a] = wide_;               \
		NEXT(words);                     \
	}
#define LOAD(name, M, S)                                 \
	LOAD_AS(name, M, S, ADDRESS, ip->c, 1)           \
	LOAD_AS(name##_far, M, S, ADDRESS, ip[1].u64, 2) \
	LOAD_AS(name##_64, M, S, ADDRESS64, ip[1].u64, 2)

/* a is the value, b the address. */
#define STORE_AS(name, M, ADDR, offset, words)  \
	OP(name)                                \
	{                                       \
		ADDR(ip->b, offset, sizeof(M)); \
		M v = (M)fp[ip->a];             \
		memcpy(mem + ea, &v, sizeof v); \
		NEXT(words);                    \
	}
#define STORE(name, M)                                 \
	STORE_AS(name, M, ADDRESS, ip->c, 1)           \
	STORE_AS(name##_far, M, ADDRESS, ip[1].u64, 2) \
	STORE_AS(name##_64, M, ADDRESS64, ip[1].u64, 2)

WASM_OPS_LOAD_LIST(LOAD)
WASM_OPS_STORE_LIST(STORE)

/* From here on another memory is meant; c says which (0 again at the end of
 * the access). */
OP(memory_use)
{
	struct wasm_memory *m =
		ip->high ? x->inst->memories[ip->high] : x->mem0;
	mem = m->data;
	mlen = m->len;
	NEXT(1);
}
