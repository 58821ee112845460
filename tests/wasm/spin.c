/* SPDX-License-Identifier: Apache-2.0 */
/* Says it started, then computes for ever without a host call. */
#include <unistd.h>

int main(void)
{
	volatile unsigned long turns = 0;
	write(1, "spinning\n", 9);
	for (;;)
		turns++;
}
