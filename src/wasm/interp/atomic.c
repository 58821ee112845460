/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic accesses.  Threads take turns between instructions: every access is
 * atomic.
 */
#include "wasm/interp/address_priv.h"

/* The address, which has to be a multiple of the size. */
#define ALIGNED(ADDR, M)                   \
	ADDR(ip->b, ip[1].u64, sizeof(M)); \
	if (UNLIKELY(ea % sizeof(M)))      \
		TRAP(UNALIGNED);           \
	M old;                             \
	memcpy(&old, mem + ea, sizeof old)

#define TWO_FORMS(MACRO, name, ...)             \
	MACRO(name##_far, ADDRESS, __VA_ARGS__) \
	MACRO(name##_64, ADDRESS64, __VA_ARGS__)

#define LOAD_AS(name, ADDR, M)    \
	OP(name)                  \
	{                         \
		ALIGNED(ADDR, M); \
		fp[ip->a] = old;  \
		NEXT(2);          \
	}

/* a the value */
#define STORE_AS(name, ADDR, M)                     \
	OP(name)                                    \
	{                                           \
		ALIGNED(ADDR, M);                   \
		old = (M)fp[ip->a];                 \
		memcpy(mem + ea, &old, sizeof old); \
		NEXT(2);                            \
	}

/* a the old value, c the operand */
#define MODIFY_AS(name, ADDR, M, expr)                 \
	OP(name)                                       \
	{                                              \
		ALIGNED(ADDR, M);                      \
		M v = (M)fp[ip->c];                    \
		M changed = (M)(expr);                 \
		memcpy(mem + ea, &changed, sizeof(M)); \
		fp[ip->a] = old;                       \
		NEXT(2);                               \
	}

/* c what is expected, the next word's a what is put; an expected value that
 * is wider than the access is never met. */
#define EXCHANGE_AS(name, ADDR, M)                      \
	OP(name)                                        \
	{                                               \
		ALIGNED(ADDR, M);                       \
		M v = (M)fp[ip[2].a];                   \
		if (old == fp[ip->c])                   \
			memcpy(mem + ea, &v, sizeof v); \
		fp[ip->a] = old;                        \
		NEXT(3);                                \
	}

#define LOAD(name, M)	  TWO_FORMS(LOAD_AS, name, M)
#define STORE(name, M)	  TWO_FORMS(STORE_AS, name, M)
#define ADD(name, M)	  TWO_FORMS(MODIFY_AS, name, M, old + v)
#define SUB(name, M)	  TWO_FORMS(MODIFY_AS, name, M, old - v)
#define AND(name, M)	  TWO_FORMS(MODIFY_AS, name, M, old &v)
#define OR(name, M)	  TWO_FORMS(MODIFY_AS, name, M, old | v)
#define XOR(name, M)	  TWO_FORMS(MODIFY_AS, name, M, old ^ v)
#define XCHG(name, M)	  TWO_FORMS(MODIFY_AS, name, M, v)
#define EXCHANGE(name, M) TWO_FORMS(EXCHANGE_AS, name, M)

/* clang-format off */
WASM_OPS_ATOMIC_LIST(LOAD, atomic_load)
WASM_OPS_ATOMIC_LIST(STORE, atomic_store)
WASM_OPS_ATOMIC_LIST(ADD, atomic_add)
WASM_OPS_ATOMIC_LIST(SUB, atomic_sub)
WASM_OPS_ATOMIC_LIST(AND, atomic_and)
WASM_OPS_ATOMIC_LIST(OR, atomic_or)
WASM_OPS_ATOMIC_LIST(XOR, atomic_xor)
WASM_OPS_ATOMIC_LIST(XCHG, atomic_xchg)
WASM_OPS_ATOMIC_LIST(EXCHANGE, atomic_cmpxchg)
/* clang-format on */

/* a how many were woken, c at most; next word: high: the memory */
#define NOTIFY_AS(name, ADDR, M)                           \
	OP(name)                                           \
	{                                                  \
		ALIGNED(ADDR, M);                          \
		(void)old;                                 \
		fp[ip->a] = wasm_thread_notify(x->store,   \
			x->inst->memories[ip[2].high], ea, \
			(uint32_t)fp[ip->c]);              \
		NEXT(3);                                   \
	}

/* a the outcome, c what is expected; next word: a the time limit in ns
 * (negative: none), high: the memory */
#define WAIT_AS(name, ADDR, M)                                               \
	OP(name)                                                             \
	{                                                                    \
		ALIGNED(ADDR, M);                                            \
		const struct wasm_memory *m = x->inst->memories[ip[2].high]; \
		int64_t limit = (int64_t)fp[ip[2].a];                        \
		bool equal = old == (M)fp[ip->c];                            \
		if (!m->range.shared)                                        \
			TRAP(NOT_SHARED);                                    \
		fp[ip->a] = equal ? WASM_TIMED_OUT : WASM_NOT_EQUAL;         \
		if (!equal || !limit)                                        \
			NEXT(3);                                             \
		wasm_thread_wait(x, m, ea, limit, &fp[ip->a]);               \
		ip += 3;                                                     \
		HALT();                                                      \
	}

/* clang-format off */
TWO_FORMS(NOTIFY_AS, atomic_notify, uint32_t)
TWO_FORMS(WAIT_AS, atomic_wait32, uint32_t)
TWO_FORMS(WAIT_AS, atomic_wait64, uint64_t)
/* clang-format on */
