/* SPDX-License-Identifier: Apache-2.0 */
/* ticker COUNT MS: a numbered line every MS milliseconds, then status 9. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 3;
	long ms = argc > 2 ? strtol(argv[2], NULL, 10) : 100;
	for (long i = 0; i < count; i++) {
		printf("tick %ld\n", i);
		fflush(stdout);
		struct timespec t = { ms / 1000, (ms % 1000) * 1000000 };
		nanosleep(&t, NULL);
	}
	return 9;
}
