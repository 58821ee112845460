/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input to standard output; then how many bytes, on error. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static char block[1 << 16];
	unsigned long long total = 0;
	ssize_t n;
	while ((n = read(0, block, sizeof block)) > 0) {
		for (ssize_t at = 0; at < n;) {
			ssize_t w = write(1, block + at, (size_t)(n - at));
			if (w < 0)
				return 3;
			at += w;
		}
		total += (unsigned long long)n;
	}
	fprintf(stderr, "%llu bytes\n", total);
	return n < 0 ? 2 : 0;
}
