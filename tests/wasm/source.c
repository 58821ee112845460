/* SPDX-License-Identifier: Apache-2.0 */
/* source BYTES: writes that many bytes, a counter's low byte in each. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static unsigned char block[1 << 16];
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (unsigned char)i;
	unsigned long long left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	while (left) {
		size_t want = left < sizeof block ? (size_t)left : sizeof block;
		ssize_t n = write(1, block, want);
		if (n <= 0)
			return 2;
		left -= (unsigned long long)n;
	}
	return 0;
}
