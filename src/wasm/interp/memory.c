/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of numbers. */
#include "wasm/interp/address_priv.h"

#define LOAD_AS(name, ADDR, offset, words, M, S) \
	OP(name)                                 \
	{                                        \
		ADDR(ip->b, offset, sizeof(M));  \
		M v;                             \
		memcpy(&v, mem + ea, sizeof v);  \
		S wide = (S)v;                   \
		fp[ip->a] = wide;                \
		NEXT(words);                     \
	}
#define LOAD(name, M, S) THREE_FORMS(LOAD_AS, name, M, S)

/* a is the value, b the address. */
#define STORE_AS(name, ADDR, offset, words, M)  \
	OP(name)                                \
	{                                       \
		ADDR(ip->b, offset, sizeof(M)); \
		M v = (M)fp[ip->a];             \
		memcpy(mem + ea, &v, sizeof v); \
		NEXT(words);                    \
	}
#define STORE(name, M) THREE_FORMS(STORE_AS, name, M)

/* clang-format off */
WASM_OPS_LOAD_LIST(LOAD)
WASM_OPS_STORE_LIST(STORE)
/* clang-format on */

/* From here on another memory is meant: high says which; 0 ends it. */
OP(memory_use)
{
	struct wasm_memory *m =
		ip->high ? x->inst->memories[ip->high] : x->mem0;
	mem = m->data;
	mlen = m->len;
	NEXT(1);
}
