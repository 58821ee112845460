/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets FILE MARK: holds a secret of every kind in its memory (a constant
 * of the module, an argument, the environment, a file, standard input),
 * echoes each, says "ready" on standard error and waits for the end of
 * standard input, so that a test can search the host meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Never in one piece in the source of a test, which spells it apart. */
static const char in_module[] = "MARK-module-"
				"7f3a91c2d4e85b60";

int main(int argc, char **argv)
{
	char line[256], file[256] = "";
	if (argc < 3)
		return 2;
	FILE *f = fopen(argv[1], "r");
	if (!f || !fgets(file, sizeof file, f))
		return 3;
	fclose(f);
	if (!fgets(line, sizeof line, stdin))
		return 4;
	const char *env = getenv("SECRET");
	printf("%s\n%s\n%s\n%s\n%s", in_module, argv[2], env ? env : "", file,
		line);
	fflush(stdout);
	fprintf(stderr, "ready\n");
	while (fgets(line, sizeof line, stdin))
		continue;
	return 0;
}
