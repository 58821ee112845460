/* SPDX-License-Identifier: Apache-2.0 */
/* The same work wherever it runs, and how long that took, by its own clock:
 * integer arithmetic, memory and calls.  Compiled to wasm32-wasi. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WORDS = 1 << 16 };

static uint32_t words[WORDS];

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

__attribute__((noinline)) static uint32_t step(uint32_t x)
{
	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	uint32_t x = 1;
	uint64_t begin = now_us();
	for (unsigned long r = 0; r < rounds; r++)
		for (uint32_t i = 0; i < WORDS; i++) {
			x = step(x);
			words[x % WORDS] += x + words[i];
		}
	printf("%u %llu\n", words[0], (unsigned long long)(now_us() - begin));
	return 0;
}
