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

/* "... => converged OutOfDate", "TCB status ('OutOfDate', ..."; "" when the
 * row says nothing of it. */
static void status_of(const char *text, char out[64])
{
	const char *at = strstr(text, "converged ");
	out[0] = '\0';
	if (at)
		sscanf(at, "converged %63[A-Za-z_]", out);
	else if ((at = strstr(text, "TCB status ('")))
		sscanf(at, "TCB status ('%63[A-Za-z_]", out);
}

static void files_of(char *text, char paths[VECTORS_SET][128],
	const char *files[VECTORS_SET + 1])
{
	char *names[MAX_FILES];
	size_t used = 0;
	if (ends_in(text, "/")) {
		vectors_set(text, paths, files);
		return;
	}
	size_t n = strcmp(text, "-") ? split(text, ';', names, MAX_FILES) : 0;
	for (size_t i = 0; i < n; i++)
		if (!ends_in(names[i], ".der"))
			files[used++] = names[i];
	files[used] = NULL;
}

/* What must fail, in the order of the checks. */
static void quote_expected(const char *says, const char *status, bool set,
	bool identity, struct buf *out)
{
	buf_clear(out);
	if (!set)
		CHECK(buf_str(out, "endorsements revocation "));
	if (!identity)
		CHECK(buf_str(out, "qe identity "));
	if (!set)
		CHECK(buf_str(out, "tcb info tcb status "));
	else if (strcmp(status, "UpToDate") != 0)
		CHECK(buf_str(out, "tcb status "));
	if (strstr(says, "FAIL debug") || strstr(says, "SGX-DEBUG"))
		CHECK(buf_str(out, "debug "));
}

static void judge_quote(char **row, size_t *judged)
{
	static struct attest_verdict v;
	static char paths[VECTORS_SET][128];
	const char *files[MAX_FILES + 1];
	char status[64];
	files_of(row[COLLATERAL], paths, files);
	bool set = files[0], identity = false;
	for (size_t i = 0; files[i]; i++)
		identity |= ends_in(files[i], "qe_identity.json");
	struct attest_bundle b = { 0 };
	if (set) {
		vectors_bundle(&b, row[FILE_NAME], files);
	} else {
		CHECK(vectors_read(row[FILE_NAME], &b.evidence));
		b.bare = true;
	}
	struct attest_policy *p = vectors_quote_policy(&b,
		strcmp(row[FAMILY], "tdx") ? "" :
					     "allow_sept_ve = true\n"
					     "allow_service_td = true");
	struct attest_input in = { .evidence = buf_bytes(&b.evidence),
		.endorsements = buf_bytes(&b.endorsements),
		.now = date_of(set ? row[DATE] : "2025-06-01"),
		.bare = b.bare,
		.padded = true };
	auto_buf want = { 0 }, got = { 0 }, text = { 0 };
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &got);
	attest_print_text(&v, &text);
	status_of(row[EXPECTED], status);
	const char *failed = buf_cstr(&got), *says = row[EXPECTED];
	quote_expected(says, status, set, identity, &want);
	if (strstr(says, "strict-order"))
		CHECK(strstr(failed, "chain ") && !v.accepted);
	else if (strstr(says, "unsupported cert data type"))
		CHECK(strstr(failed, "evidence format ") && !v.accepted);
	else if (strcmp(failed, buf_cstr(&want)) ||
		strcmp(v.tcb_status, status))
		fail_msg("%s: status \"%s\" failed \"%s\", expected \"%s\" "
			 "\"%s\"\n%s",
			row[FILE_NAME], v.tcb_status, failed, status,
			buf_cstr(&want), buf_cstr(&text));
	attest_policy_free(p);
	attest_bundle_fini(&b);
	++*judged;
}

/* Calls `judge` on each row of a family whose file ends so. */
static void each_row(struct buf *index, const char *family, const char *end,
	void (*judge)(char **, size_t *), size_t *judged)
{
	CHECK(buf_u8(index, 0));
	for (char *line = (char *)index->ptr; line && *line;) {
		char *next = strchr(line, '\n'), *row[COLUMNS];
		if (next)
			*next++ = '\0';
		size_t n = split(line, '\t', row, COLUMNS);
		if (n == COLUMNS && !strcmp(row[FAMILY], family) &&
			ends_in(row[FILE_NAME], end))
			judge(row, judged);
		line = next;
	}
}

TEST(every_tdx_quote_of_the_index_gets_its_verdict)
{
	auto_buf index = { 0 };
	size_t judged = 0;
	if (!vectors_read("INDEX.tsv", &index))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	each_row(&index, "tdx", ".quote.bin", judge_quote, &judged);
	CHECK(judged >= 13);
}

TEST(every_sgx_quote_of_the_index_gets_its_verdict)
{
	auto_buf index = { 0 };
	size_t judged = 0;
	if (!vectors_read("INDEX.tsv", &index))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	each_row(&index, "sgx", ".quote.bin", judge_quote, &judged);
	CHECK(judged >= 6);
}

TEST(every_snp_report_of_the_index_gets_its_verdict)
{
	auto_buf index = { 0 };
	size_t judged = 0;
	if (!vectors_read("INDEX.tsv", &index))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	each_row(&index, "snp", ".report.bin", judge_snp, &judged);
	CHECK(judged >= 13);
}
