/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hello [FILE]: greets with $GREETING, and adds up a payroll, whose lines are
 * a name and an amount.  What runs in a Keep is an ordinary program: standard
 * C, its arguments, environment and files, nothing of donjon's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_up(const char *path)
{
	char name[64];
	long amount, total = 0;
	int people = 0;
	FILE *f = fopen(path, "r");
	if (!f) {
		perror(path);
		return 1;
	}
	while (fscanf(f, "%63s %ld", name, &amount) == 2) {
		total += amount;
		people++;
	}
	fclose(f);
	printf("%d people earn %ld\n", people, total);
	return 0;
}

int main(int argc, char **argv)
{
	const char *greeting = getenv("GREETING");
	printf("%s from inside a Keep\n", greeting ? greeting : "hello");
	return argc > 1 ? add_up(argv[1]) : 0;
}
