/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges evidence for a comparison with other verifiers.  Each line of
 * standard input is NOW PADDED EVIDENCE [ENDORSEMENT]..., all but the first
 * two in hexadecimal; each line of output is the verdict (JSON) or the error.
 * Argument: a policy (TOML).
 */
#include <donjon/attest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARTS = 16 };

static int digit(char c)
{
	return c >= '0' && c <= '9'  ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
				       0;
}

/* In place: bytes are half as long as their digits. */
static struct donjon_attest_bytes decode(char *hex)
{
	size_t n = strlen(hex) / 2;
	for (size_t i = 0; i < n; i++)
		hex[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return (struct donjon_attest_bytes){ hex, n };
}

static void judge(struct donjon_attest *a, char *line)
{
	struct donjon_attest_bytes part[MAX_PARTS];
	struct donjon_attest_input in = { .endorsements = part + 1 };
	char error[DONJON_ATTEST_ERROR_BYTES] = "", *json = NULL, *save = NULL;
	char *word = strtok_r(line, " \n", &save);
	size_t n = 0;
	in.now = word ? strtoll(word, NULL, 10) : 0;
	word = strtok_r(NULL, " \n", &save);
	in.padded = word && word[0] == '1';
	while (n < MAX_PARTS && (word = strtok_r(NULL, " \n", &save)))
		part[n++] = decode(word);
	in.evidence = part[0];
	in.endorsement_count = n ? n - 1 : 0;
	if (n)
		donjon_attest_judge(a, &in, &json, error);
	puts(json ? json : error);
	fflush(stdout);
	donjon_attest_string_free(json);
}

int main(int argc, char **argv)
{
	char error[DONJON_ATTEST_ERROR_BYTES], *line = NULL;
	size_t room = 0;
	struct donjon_attest *a =
		argc == 2 ? donjon_attest_new(argv[1], error) : NULL;
	if (!a) {
		fprintf(stderr, "policy: %s\n", argc == 2 ? error : "none");
		return 1;
	}
	while (getline(&line, &room, stdin) > 0)
		judge(a, line);
	free(line);
	donjon_attest_free(a);
	return 0;
}
