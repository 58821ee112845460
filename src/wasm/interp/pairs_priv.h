/* SPDX-License-Identifier: Apache-2.0 */
/* How pairs are put together: FIRST_x declares `v`, SECOND_x uses it. */
#ifndef WASM_INTERP_PAIRS_PRIV_H
#define WASM_INTERP_PAIRS_PRIV_H

#include "wasm/interp/address_priv.h"

#define PAIR(first, second)     \
	OP(first##__##second)   \
	{                       \
		FIRST_##first;  \
		fp[ip->a] = v;  \
		SECOND_##second \
	}

/* A first that is an expression of l and r; r a register or a constant. */
#define FIRST_RR(U, expr)                       \
	U p_ = (U)fp[ip->b], q_ = (U)fp[ip->c]; \
	U v = (U)(expr)
#define FIRST_RK(U, expr)                                     \
	U p_ = (U)fp[ip->b], q_ = (U)(int64_t)(int16_t)ip->c; \
	U v = (U)(expr)
#define FIRST_LOAD(U, M)                  \
	ADDRESS(ip->b, ip->c, sizeof(M)); \
	M m_;                             \
	memcpy(&m_, mem + ea, sizeof m_); \
	U v = m_

/* A second that is an expression of v and r. */
#define SECOND_RR(U, expr)       \
	U r_ = (U)fp[ip[1].c];   \
	fp[ip[1].a] = (U)(expr); \
	NEXT(2);
#define SECOND_RK(U, expr)                   \
	U r_ = (U)(int64_t)(int16_t)ip[1].c; \
	fp[ip[1].a] = (U)(expr);             \
	NEXT(2);

/* It is the second that traps. */
#define TRAP_SECOND(t)   \
	do {             \
		ip++;    \
		TRAP(t); \
	} while (0)

/* The value is the address. */
#define AT_VALUE(n)                             \
	uint64_t to_ = (uint64_t)(v) + ip[1].c; \
	if (UNLIKELY(to_ + (n) > mlen))         \
	TRAP_SECOND(MEMORY)
#define SECOND_LOAD(M, S)                      \
	AT_VALUE(sizeof(M));                   \
	M got_;                                \
	memcpy(&got_, mem + to_, sizeof got_); \
	S wide_ = (S)got_;                     \
	fp[ip[1].a] = wide_;                   \
	NEXT(2);
#define SECOND_STORE(M)                        \
	AT_VALUE(sizeof(M));                   \
	M put_ = (M)fp[ip[1].a];               \
	memcpy(mem + to_, &put_, sizeof put_); \
	NEXT(2);
/* The value is what is stored. */
#define SECOND_STORE_V(M)                                         \
	uint64_t to_ = (uint64_t)(uint32_t)fp[ip[1].b] + ip[1].c; \
	if (UNLIKELY(to_ + sizeof(M) > mlen))                     \
		TRAP_SECOND(MEMORY);                              \
	M put_ = (M)v;                                            \
	memcpy(mem + to_, &put_, sizeof put_);                    \
	NEXT(2);

/* Branches have two words. */
#define SECOND_BR_RR(U, expr)  \
	U r_ = (U)fp[ip[1].b]; \
	if (expr)              \
		JUMP(2);       \
	NEXT(3);
#define SECOND_BR_RK(U, expr)                \
	U r_ = (U)(int64_t)(int16_t)ip[1].b; \
	if (expr)                            \
		JUMP(2);                     \
	NEXT(3);

#endif
