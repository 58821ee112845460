/* SPDX-License-Identifier: Apache-2.0 */
/* Takes memory until there is no more; prints whether there was an end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	size_t total = 0;
	for (;;) {
		char *volatile p = malloc(1 << 20);
		if (!p)
			break;
		memset(p, 1, 1 << 20);
		total += 1;
	}
	printf("stopped after %zu MiB\n", total);
	return total > 0 ? 0 : 1;
}
