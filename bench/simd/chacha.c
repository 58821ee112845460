/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20 (RFC 8439), a block in four vectors: sums, turns, shuffles. */
#include <stdint.h>
#include <stdio.h>

typedef uint32_t u32x4 __attribute__((vector_size(16)));

#define ROTL(v, n) ((v) << (n) | (v) >> (32 - (n)))
#define TURN(v, n)                                                     \
	__builtin_shufflevector(v, v, n & 3, (n + 1) & 3, (n + 2) & 3, \
		(n + 3) & 3)
#define QUARTERS                         \
	a += b, d ^= a, d = ROTL(d, 16); \
	c += d, b ^= c, b = ROTL(b, 12); \
	a += b, d ^= a, d = ROTL(d, 8);  \
	c += d, b ^= c, b = ROTL(b, 7)

static void block(const u32x4 in[4], u32x4 out[4])
{
	u32x4 a = in[0], b = in[1], c = in[2], d = in[3];
	for (int i = 0; i < 10; i++) {
		QUARTERS;
		b = TURN(b, 1), c = TURN(c, 2), d = TURN(d, 3);
		QUARTERS;
		b = TURN(b, 3), c = TURN(c, 2), d = TURN(d, 1);
	}
	out[0] = a + in[0], out[1] = b + in[1];
	out[2] = c + in[2], out[3] = d + in[3];
}

int main(void)
{
	u32x4 state[4] = { { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 },
		{ 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 0, 9, 10, 11 } };
	u32x4 sum = { 0 }, out[4];
	for (int n = 0; n < 3000000; n++) {
		block(state, out);
		sum ^= out[0] + out[1] + out[2] + out[3];
		state[3][0]++;
	}
	printf("chacha %08x%08x%08x%08x\n", sum[0], sum[1], sum[2], sum[3]);
	return 0;
}
