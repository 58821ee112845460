/* SPDX-License-Identifier: Apache-2.0 */
/* Reads standard input to its end and prints how many bytes came. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static char block[1 << 16];
	unsigned long long total = 0, sum = 0;
	ssize_t n;
	while ((n = read(0, block, sizeof block)) > 0) {
		for (ssize_t i = 0; i < n; i += 4096)
			sum += (unsigned char)block[i];
		total += (unsigned long long)n;
	}
	printf("%llu bytes, sum %llu\n", total, sum);
	return 0;
}
