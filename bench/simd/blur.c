/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of bytes, each the weighted mean of three by three: loads that
 * widen, words, narrowing. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
enum { W = 1024, H = 512 };

static uint8_t from[H][W], to[H][W];

static u16x8 wide(const uint8_t *p)
{
	u8x8 v;
	memcpy(&v, p, 8);
	return __builtin_convertvector(v, u16x8);
}

static u16x8 row(const uint8_t *p)
{
	return wide(p - 1) + wide(p + 1) + (wide(p) << 1);
}

static void blur(void)
{
	for (int y = 1; y < H - 1; y++)
		for (int x = 8; x < W - 8; x += 8) {
			u16x8 sum = row(&from[y - 1][x]) +
				row(&from[y + 1][x]) + (row(&from[y][x]) << 1);
			u8x8 v = __builtin_convertvector((sum + 8) >> 4, u8x8);
			memcpy(&to[y][x], &v, 8);
		}
}

int main(void)
{
	uint32_t sum = 0;
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			from[y][x] = (uint8_t)(x * y + x * 3);
	for (int n = 0; n < 400; n++) {
		blur();
		memcpy(from, to, sizeof to);
	}
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			sum = sum * 31 + to[y][x];
	printf("blur %08x\n", sum);
	return 0;
}
