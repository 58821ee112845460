/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tide FILE MIB: fills FILE with so much, says "high", waits for a line;
 * removes it, says "low", waits for a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tell(const char *text)
{
	char line[16];
	puts(text);
	fflush(stdout);
	return fgets(line, sizeof line, stdin) ? 0 : 1;
}

int main(int argc, char **argv)
{
	static char block[1 << 20];
	if (argc < 3)
		return 2;
	FILE *f = fopen(argv[1], "w");
	if (!f)
		return 3;
	memset(block, 'x', sizeof block);
	for (int i = atoi(argv[2]); i > 0; i--)
		if (fwrite(block, sizeof block, 1, f) != 1)
			return 4;
	if (fclose(f) || tell("high") || unlink(argv[1]))
		return 5;
	return tell("low");
}
