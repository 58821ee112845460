/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the index gives the verdict that it expects, at its date. */
#include "helpers/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../test.h"

enum { COLUMNS = 12, MAX_FILES = 8, LINE = 8192 };
enum { FILE_NAME = 0, FAMILY = 1, EXPECTED = 8, COLLATERAL = 9, DATE = 10 };

static size_t split(char *text, char by, char **out, size_t max)
{
	size_t n = 0;
	for (char *p = text; p && n < max; n++) {
		out[n] = p;
		p = strchr(p, by);
		if (p)
			*p++ = '\0';
	}
	return n;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

/* The day after the first date in the text, so that both ends lie around. */
static int64_t date_of(const char *text)
{
	struct tm tm = { 0 };
	while (*text && (*text < '0' || *text > '9'))
		text++;
	CHECK(sscanf(text, "%d-%d-%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) ==
		3);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm) + 86400;
}

/* What the index says in words, as the checks that must fail. */
static void expected_of(const char *text, struct buf *out)
{
	static const struct {
		const char *words, *check;
	} t[] = {
		{ "FAIL chain", "chain " },
		{ "TCB ext", "certified tcb " },
		{ "chip id", "chip " },
		{ "report signature", "signature " },
		{ "VMPL must be 0", "vmpl " },
		{ "FAIL policy: debug", "debug " },
	};
	buf_clear(out);
	if (!strncmp(text, "valid", 5))
		return;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (strstr(text, t[i].words))
			CHECK(buf_str(out, t[i].check));
	CHECK(out->len);
}

static void judge_snp(char **row, size_t *judged)
{
	static struct attest_verdict v;
	char *files[MAX_FILES];
	const char *use[MAX_FILES] = { 0 };
	size_t n = split(row[COLLATERAL], ';', files, MAX_FILES), used = 0;
	bool crl = false;
	for (size_t i = 0; i < n; i++) {
		if (!ends_in(files[i], ".der") ||
			ends_in(files[i], "csr.der") ||
			ends_in(files[i], "spki.der"))
			continue;
		crl |= ends_in(files[i], ".crl.der");
		use[used++] = files[i];
	}
	struct attest_bundle b = { 0 };
	vectors_bundle(&b, row[FILE_NAME], use);
	struct attest_policy *p = vectors_snp_policy(&b,
		crl ? "require_alias_check = false" :
		      "require_alias_check = false\ncrl = \"optional\"\n"
		      "csp_ids = [\"CN=cc-us-east-2.amazonaws.com\"]");
	struct attest_input in = { .evidence = buf_bytes(&b.evidence),
		.endorsements = buf_bytes(&b.endorsements),
		.now = date_of(row[DATE]),
		.bare = b.bare };
	auto_buf want = { 0 }, got = { 0 };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	expected_of(row[EXPECTED], &want);
	if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0) {
		auto_buf text = { 0 };
		attest_print_text(&v, &text);
		fail_msg("%s: failed \"%s\", expected \"%s\"\n%s",
			row[FILE_NAME], buf_cstr(&got), buf_cstr(&want),
			buf_cstr(&text));
	}
	CHECK(v.accepted == (want.len == 0));
	CHECK(v.expires > in.now);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	++*judged;
}

TEST(every_snp_report_of_the_index_gets_its_verdict)
{
	auto_buf index = { 0 };
	size_t judged = 0;
	if (!vectors_read("INDEX.tsv", &index))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(buf_u8(&index, 0));
	for (char *line = (char *)index.ptr; line && *line;) {
		char *next = strchr(line, '\n'), *row[COLUMNS];
		if (next)
			*next++ = '\0';
		size_t n = split(line, '\t', row, COLUMNS);
		if (n == COLUMNS && !strcmp(row[FAMILY], "snp") &&
			ends_in(row[FILE_NAME], ".report.bin"))
			judge_snp(row, &judged);
		line = next;
	}
	CHECK(judged >= 13);
}
