/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software platform's SNP reports, through the verifier of real ones: it
 * finds all as it should be, but for who stands behind it.
 */
#include "soft/psp_priv.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "attest/attest.h"
#include "base/must.h"
#include "codec/hex.h"

#include "../test.h"

struct trial {
	char dir[64], path[80];
	struct psp *psp;
	struct snp_report report;
	uint8_t root[32];
	const char *more; /* keys below [snp], or NULL */
	struct attest_verdict v;
};

static void launch(struct psp *p, uint64_t policy)
{
	static uint8_t page[PAGE_BYTES];
	static const uint8_t zeros[32];
	CHECK_INT(psp_start(p, policy, zeros), SNP_OK);
	CHECK_INT(psp_update(p, SNP_PAGE_NORMAL, 0x200000, page), SNP_OK);
	CHECK_INT(psp_finish(p, NULL, NULL, false, zeros), SNP_OK);
}

static void trial_init(struct trial *t, uint64_t policy)
{
	struct soft_root *root = NULL;
	const uint8_t data[64] = { 1, 2, 3 };
	*t = (struct trial){ .dir = "/tmp/donjon-psp-XXXXXX" };
	CHECK(mkdtemp(t->dir) != NULL);
	snprintf(t->path, sizeof t->path, "%s/root.pem", t->dir);
	CHECK(soft_root_open(t->path, &root, NULL));
	soft_root_fingerprint(root, t->root);
	soft_root_close(root);
	CHECK(psp_new(t->path, &t->psp, NULL));
	launch(t->psp, policy);
	CHECK(psp_report(t->psp, data, 0, &t->report, NULL));
}

static void trial_fini(struct trial *t)
{
	psp_free(t->psp);
	unlink(t->path);
	rmdir(t->dir);
}

/* The first check that failed; "" for none. */
static const char *judge(struct trial *t, bool trust)
{
	char text[512], hex[97], root[65];
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	hex_encode(BYTES_ARRAY(t->report.measurement), hex);
	hex_encode(BYTES_ARRAY(t->root), root);
	snprintf(text, sizeof text,
		"technologies = [\"snp\"]\n%s%s%s"
		"[snp]\nmeasurements = [\"%s\"]\n%s",
		trust ? "software = [\"" : "", trust ? root : "",
		trust ? "\"]\n" : "", hex, t->more ? t->more : "");
	CHECK(attest_policy_parse(bytes_str(text), "test", NULL, 0, &p, &e));
	const struct attest_input in = {
		.evidence = bytes_of(&t->report, sizeof t->report),
		.endorsements = psp_endorsements(t->psp),
		.now = time(NULL),
		.binding = ATTEST_BIND_NOTHING,
	};
	CHECK(attest_verify(&in, p, &t->v, NULL));
	attest_policy_free(p);
	const struct attest_check *failed = attest_failed(&t->v);
	return failed ? failed->name : "";
}

TEST(software_snp_passes_every_check_of_a_real_one)
{
	static struct trial t;
	trial_init(&t, 0x30000);
	CHECK_STR(judge(&t, true), "");
	CHECK(t.v.accepted);
	CHECK_STR(t.v.technology, "snp");
	trial_fini(&t);
}

/* What a policy asks of a vector that only later firmware has. */
TEST(software_snp_reports_are_of_version_3_or_5)
{
	const uint8_t data[64] = { 3 };
	static struct trial t;
	trial_init(&t, 0x30000);
	CHECK_INT(le32toh(t.report.version), 3);
	t.more = "require_mitigations = 0x5\n";
	CHECK_STR(judge(&t, true), "platform");
	psp_set_report(t.psp, 5, 0x7);
	CHECK(psp_report(t.psp, data, 0, &t.report, NULL));
	CHECK_INT(le32toh(t.report.version), 5);
	CHECK_STR(judge(&t, true), "");
	psp_set_report(t.psp, 5, 0x3);
	CHECK(psp_report(t.psp, data, 0, &t.report, NULL));
	CHECK_STR(judge(&t, true), "platform");
	trial_fini(&t);
}

TEST(software_snp_is_never_confidential)
{
	static struct trial t;
	trial_init(&t, 0x30000);
	judge(&t, true);
	CHECK(t.v.accepted && !t.v.confidential);
	trial_fini(&t);
}

TEST(software_snp_is_refused_by_who_does_not_name_its_root)
{
	static struct trial t;
	trial_init(&t, 0x30000);
	CHECK_STR(judge(&t, false), "vendor root");
	CHECK(!t.v.accepted);
	trial_fini(&t);
}

TEST(software_snp_of_another_root_is_refused)
{
	static struct trial t;
	trial_init(&t, 0x30000);
	t.root[0] ^= 1;
	CHECK_STR(judge(&t, true), "vendor root");
	trial_fini(&t);
}

TEST(software_snp_debug_is_refused)
{
	static struct trial t;
	trial_init(&t, 0x30000 | SNP_POLICY_DEBUG);
	CHECK_STR(judge(&t, true), "debug");
	trial_fini(&t);
}

TEST(software_snp_with_any_byte_changed_is_refused)
{
	static struct trial t;
	trial_init(&t, 0x30000);
	for (size_t i = 0; i < SNP_REPORT_BYTES; i += 13) {
		((uint8_t *)&t.report)[i] ^= 0x40;
		const char *why = judge(&t, true);
		if (!*why)
			fail_msg("byte 0x%zx", i);
		((uint8_t *)&t.report)[i] ^= 0x40;
	}
	CHECK_STR(judge(&t, true), "");
	trial_fini(&t);
}
