/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine keeps for compiled code; a part of struct wasm_exec. */
#ifndef WASM_JIT_STATE_PRIV_H
#define WASM_JIT_STATE_PRIV_H

#include "wasm/types_priv.h"

enum { JIT_ARGS = 7, JIT_FLOAT_ARGS = 8, JIT_RESULTS = WASM_MAX_PARAMS };

/* Bounds are kept for accesses that end so far behind their address. */
enum { WASM_JIT_BOUNDS = 65 };

/* Where a thread in compiled code was when it let others go on. */
enum {
	WASM_JIT_PAUSED_HOST,	/* a host function, to be called again */
	WASM_JIT_PAUSED_TAIL,	/* the same, in place of its caller */
	WASM_JIT_PAUSED_STEP,	/* an operation of the interpreter, done */
	WASM_JIT_PAUSED_REFILL, /* its budget was used up */
};

struct wasm_jit_state {
	/* The first memory's length less the index.  First of all, as what is
	 * compared most has short addresses then. */
	int64_t bound[WASM_JIT_BOUNDS];
	uint8_t *base; /* of the first memory */
	/* Where speculation past a failed check leads: an offset within
	 * memory, an index of a table. */
	uint64_t safe, zero;
	uint64_t limit; /* of the stack of compiled code */
	uint64_t rsp;	/* its top, while something else runs */
	uint64_t host_rsp, saved_rsp;
	uint64_t top; /* where it begins */
	uint8_t *stack;
	size_t stack_size;
	/* The newest stay in compiled code: the one before it, the top of the
	 * stack before it, its first function. */
	const uint64_t *seg;
	uint32_t want; /* the type that the callee has to have */
	bool stale;
	uint8_t paused; /* WASM_JIT_PAUSED_: how it goes on */
	/* Registers on the way in and out. */
	uint64_t general[JIT_ARGS];
	uint64_t vector[JIT_FLOAT_ARGS][2];
	uint64_t results[JIT_RESULTS][2]; /* the first: rax */
	uint64_t result_vector[2];	  /* or xmm0 */
	uint64_t caught;		  /* the exception, at its handler */
};

#endif
