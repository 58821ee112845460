/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a text are counted sixteen bytes at a time: comparisons, masks of
 * bits, a branch that a vector decides. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __wasm__
#include <wasm_simd128.h>
#else
#include <emmintrin.h>
#endif

enum { N = 1 << 20 };
static uint8_t text[N];

#ifdef __wasm__
typedef v128_t vector;
#define LOAD(p)	    wasm_v128_load(p)
#define EQUAL(v, c) wasm_i8x16_eq(v, wasm_i8x16_splat(c))
#define BELOW(v, c) wasm_i8x16_lt(v, wasm_i8x16_splat(c))
#define OR(a, b)    wasm_v128_or(a, b)
#define BITS(v)	    ((uint32_t)wasm_i8x16_bitmask(v))
#define ANY(v)	    wasm_v128_any_true(v)
#else
typedef __m128i vector;
#define LOAD(p)	    _mm_loadu_si128((const __m128i *)(p))
#define EQUAL(v, c) _mm_cmpeq_epi8(v, _mm_set1_epi8(c))
#define BELOW(v, c) _mm_cmplt_epi8(v, _mm_set1_epi8(c))
#define OR(a, b)    _mm_or_si128(a, b)
#define BITS(v)	    ((uint32_t)_mm_movemask_epi8(v))
#define ANY(v)	    (BITS(v) != 0)
#endif

int main(void)
{
	uint32_t words = 0, lines = 0, seed = 1, before = 1;
	for (int i = 0; i < N; i++) {
		seed = seed * 1103515245 + 12345;
		uint32_t r = seed >> 16 & 63;
		text[i] = (uint8_t)(r == 0 ? '\n' : r < 9 ? ' ' : 'a' + r % 26);
	}
	for (int n = 0; n < 1000; n++)
		for (int i = 0; i < N; i += 16) {
			vector v = LOAD(text + i), line = EQUAL(v, '\n');
			uint32_t gap = BITS(OR(BELOW(v, ' '), EQUAL(v, ' ')));
			words += (uint32_t)__builtin_popcount(
				~gap & (gap << 1 | before));
			before = gap >> 15;
			if (ANY(line))
				lines += (uint32_t)__builtin_popcount(
					BITS(line));
		}
	printf("bytes %u words %u lines\n", words, lines);
	return 0;
}
