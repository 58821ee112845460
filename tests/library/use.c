/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's program over the installed library: judges a file. */
#include <donjon/attest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct donjon_attest_bytes slurp(const char *path)
{
	static char room[8][1 << 20];
	static int used;
	FILE *f = fopen(path, "rb");
	struct donjon_attest_bytes b = { room[used++], 0 };
	if (!f) {
		perror(path);
		exit(3);
	}
	b.len = fread(room[used - 1], 1, sizeof room[0], f);
	fclose(f);
	return b;
}

int main(int argc, char **argv)
{
	char error[DONJON_ATTEST_ERROR_BYTES] = "", *json = NULL;
	struct donjon_attest_bytes files[6];
	struct donjon_attest_input in = { .endorsements = files };
	if (argc < 4)
		return 3;
	in.now = strtoll(argv[2], NULL, 10);
	in.evidence = slurp(argv[3]);
	for (int i = 4; i < argc && i < 10; i++)
		files[in.endorsement_count++] = slurp(argv[i]);
	struct donjon_attest *a = donjon_attest_new(argv[1], error);
	if (!a) {
		printf("policy: %s\n", error);
		return 2;
	}
	int r = donjon_attest_judge(a, &in, &json, error);
	printf("%d %s %s\n", r, error, json ? json : "");
	donjon_attest_string_free(json);
	donjon_attest_free(a);
	return r == DONJON_ATTEST_ACCEPTED ? 0 : 1;
}
