/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register code.  A function's frame is an array of 64-bit slots: parameters
 * and locals, then the constants it uses in loops, then the operand stack.
 * An instruction is one or more words; the first holds the operation and up
 * to three slot numbers (a is where the result goes).  A jump is relative to
 * the word that holds it.
 */
#ifndef WASM_WORD_PRIV_H
#define WASM_WORD_PRIV_H

#include "base/base.h"

union wasm_word {
	struct {
		uint16_t op, a, b, c;
	};
	struct {
		uint32_t low;
		union {
			int32_t rel;
			uint32_t high;
		};
	};
	uint64_t u64;
};

_Static_assert(sizeof(union wasm_word) == 8, "a word is 8 bytes");

/*
 * Before a function's first instruction, two words say how it wants its frame:
 *   op: slots of the frame, a: first slot to clear, b: how many to clear,
 *   c: how many constants go to the slots after those;
 *   low: distance from the header to the constants, high: function index.
 */
enum { WASM_HEADER_WORDS = 2 };

enum { WASM_MAX_FRAME = 65000 }; /* slots; they are numbered in 16 bits */

/* How many words the instruction at w has. */
uint32_t wasm_op_words(const union wasm_word *w);

#endif
