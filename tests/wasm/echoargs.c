/* SPDX-License-Identifier: Apache-2.0 */
/* Prints arguments and environment; the exit status is args - 1. */
#include <stdio.h>

extern char **environ;

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("arg %s\n", argv[i]);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	return argc - 1;
}
