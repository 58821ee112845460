/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files IN OUT: copies every line of the file IN in upper case to OUT, makes
 * a folder beside it with one more file, and tries to write to IN.
 * Prints whether IN could be written.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	char line[512], path[512];
	if (argc < 3)
		return 2;
	FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
	if (!in || !out) {
		fprintf(stderr, "open: %s\n", strerror(errno));
		return 3;
	}
	while (fgets(line, sizeof line, in)) {
		for (char *p = line; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		fputs(line, out);
	}
	fclose(in);
	fclose(out);
	snprintf(path, sizeof path, "%s.d", argv[2]);
	if (mkdir(path, 0755))
		return 4;
	snprintf(path, sizeof path, "%s.d/note", argv[2]);
	out = fopen(path, "w");
	if (!out || fputs("made in the Keep\n", out) < 0 || fclose(out))
		return 5;
	in = fopen(argv[1], "a");
	printf("input %s\n", in ? "writable" : "read-only");
	if (in)
		fclose(in);
	return 0;
}
