/* SPDX-License-Identifier: Apache-2.0 */
/* Ends in a trap, two calls deep. */
__attribute__((noinline)) static void inner(void)
{
	__builtin_trap();
}

__attribute__((noinline)) static int outer(void)
{
	inner();
	return 1;
}

int main(void)
{
	return outer();
}
