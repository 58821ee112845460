/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for the time, again and again: what such a call costs, in nanoseconds.
 * In a Keep it is a call of the Keep's program to its shim. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	uint64_t begin = now_ns(), end = begin;
	for (unsigned long i = 0; i < calls; i++)
		end = now_ns();
	printf("%lu %llu\n", calls,
		(unsigned long long)((end - begin) / calls));
	return 0;
}
