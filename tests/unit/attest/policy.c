/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/policy.h"

#include <stdio.h>

#include "attest/rules.h"

#include "../test.h"

#define D48(x)                                                                \
	x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x \
		x x x x x x x x x x x x x

static struct attest_reference release(void)
{
	struct attest_reference r = { .technology = "process", .len = 48 };
	memset(r.measurement, 0x33, 48);
	return r;
}

static struct attest_policy *parsed(const char *text)
{
	struct attest_reference r = release();
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	if (!attest_policy_parse(bytes_str(text), "p.toml", &r, 1, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

TEST(the_default_policy_is_this_release_and_no_software_root)
{
	struct attest_reference r = release();
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	CHECK(attest_policy_default(&r, 1, &p, &e));
	CHECK_INT(p->roots.count, 0);
	CHECK(!p->allow_debug);
	CHECK_INT(p->rules[ATTEST_TECH_PROCESS].accept.count, 1);
	CHECK(attest_digests_has(&p->rules[ATTEST_TECH_PROCESS].accept,
		bytes_of(r.measurement, 48)));
	CHECK_INT(p->rules[ATTEST_TECH_SNP].accept.count, 0);
	attest_policy_free(p);
	attest_policy_free(NULL);
	r.len = 32;
	CHECK(!attest_policy_default(&r, 1, &p, &e));
	CHECK_HAS(e.text, "32 bytes, expected 48");
}

TEST(an_empty_file_is_the_default_policy)
{
	struct attest_policy *p = parsed("");
	CHECK_INT(p->roots.count, 0);
	CHECK(p->rules[ATTEST_TECH_SNP].allowed);
	CHECK_INT(p->rules[ATTEST_TECH_PROCESS].accept.count, 1);
	attest_policy_free(p);
}

TEST(a_policy_narrows_and_widens)
{
	struct attest_policy *p = parsed(
		"technologies = [\"snp\", \"process\"]\nallow_debug = true\n"
		"software = [\"" D48(
			"a") "aaaaaaaaaaaaaaaa\"]\n"
			     "[process]\nmeasurements = [\"" D48(
				     "Ab") "\", \"release\"]\n"
					   "deny = [\"" D48("cd") "\", \"" D48(
						   "cd") "\"]\n"
							 "[snp]\nmeasurements = [\"" D48(
								 "01") "\"]\n");
	CHECK(p->allow_debug);
	CHECK_INT(p->roots.count, 1);
	CHECK_INT(p->roots.ptr[0].len, 32);
	CHECK(!p->rules[ATTEST_TECH_KVM].allowed);
	CHECK(p->rules[ATTEST_TECH_PROCESS].allowed);
	CHECK_INT(p->rules[ATTEST_TECH_PROCESS].accept.count, 2);
	CHECK_INT(p->rules[ATTEST_TECH_PROCESS].deny.count, 1);
	CHECK_INT(p->rules[ATTEST_TECH_SNP].accept.count, 1);
	attest_policy_free(p);
}

TEST(measurements_without_release_leave_the_release_out)
{
	struct attest_policy *p =
		parsed("[process]\nmeasurements = [\"" D48("ab") "\"]\n");
	struct attest_reference r = release();
	CHECK_INT(p->rules[ATTEST_TECH_PROCESS].accept.count, 1);
	CHECK(!attest_digests_has(&p->rules[ATTEST_TECH_PROCESS].accept,
		bytes_of(r.measurement, 48)));
	attest_policy_free(p);
}

TEST(policy_errors_name_the_place_and_what_was_expected)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "technologies = \"snp\"",
			"p.toml:1:16: technologies must be an array" },
		{ "technologies = []", "p.toml:1:16: technologies names none" },
		{ "technologies = [\"snp\",\n \"sev\"]",
			"p.toml:2:2: unknown technology, expected process" },
		{ "technologies = [1]",
			"p.toml:1:17: item 1 of technologies must be a string" },
		{ "software = [\"12\"]",
			"p.toml:1:13: expected 64 hex digits" },
		{ "software = [\"release\"]",
			"p.toml:1:13: expected 64 hex digits" },
		{ "allow_debug = 1",
			"p.toml:1:15: allow_debug must be true or false" },
		{ "process = 1", "p.toml:1:11: process must be a table" },
		{ "[process]\nmeasurements = [\"zz\"]",
			"p.toml:2:17: expected 96 hex digits or \"release\"" },
		{ "[sgx]\nmeasurements = [\"" D48("ab") "\"]",
			"p.toml:2:17: expected 64 hex digits or \"release\"" },
		{ "[process]\nmeasurements = []",
			"p.toml:2:16: measurements names none" },
		{ "[process]\ndeny = [\"release\"]",
			"p.toml:2:9: expected 96 hex digits" },
		{ "[process]\nmeasurement = [\"release\"]",
			"p.toml:2:1: measurement: nothing of that name is "
			"known in process" },
		{ "\n  alow_debug = true",
			"p.toml:2:3: alow_debug: nothing of that name" },
		{ "[sev]\n", "p.toml:1:2: sev: nothing of that name" },
		{ "allow_debug =", "p.toml:1:14: " },
	};
	struct attest_reference r = release();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct attest_policy *p = NULL;
		struct err e = { 0 };
		CHECK(!attest_policy_parse(bytes_str(t[i].text), "p.toml", &r,
			1, &p, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, t[i].says);
		CHECK(p == NULL);
	}
}

TEST(snp_policy_errors_name_the_place_and_what_was_expected)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "products = [\"rome\"]", "p.toml:2:13: unknown product" },
		{ "products = []", "p.toml:2:12: products names none" },
		{ "crl = \"never\"", "p.toml:2:7: crl must be" },
		{ "crl = false", "p.toml:2:7: crl must be a string" },
		{ "vmpl = 4", "p.toml:2:8: vmpl is 4, expected 0 to 3" },
		{ "minimum_guest_svn = -1", "p.toml:2:21: " },
		{ "minimum_abi = \"1\"", "expected a version like" },
		{ "minimum_abi = \"1.256\"", "expected a version like" },
		{ "minimum_abi = \"-1.5\"", "expected a version like" },
		{ "minimum_abi = \"1.5x\"", "expected a version like" },
		{ "minimum_tcb = { rome = {} }",
			"rome: nothing of that name is known in minimum_tcb" },
		{ "minimum_tcb = { milan = { fmc = 1 } }",
			"fmc: nothing of that name is known in milan" },
		{ "minimum_tcb = { milan = { snp = 256 } }",
			"snp is 256, expected 0 to 255" },
		{ "chip_ids = [\"12\"]", "expected 128 hex digits" },
		{ "csp_ids = [1]", "item 1 of csp_ids must be a string" },
		{ "author_keys = [\"12\"]", "expected 96 hex digits" },
		{ "allow_smt = 1", "allow_smt must be true or false" },
		{ "allow_sev = true", "p.toml:2:1: allow_sev: nothing" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char text[128];
		struct attest_policy *p = NULL;
		struct err e = { 0 };
		snprintf(text, sizeof text, "[snp]\n%s\n", t[i].text);
		CHECK(!attest_policy_parse(bytes_str(text), "p.toml", NULL, 0,
			&p, &e));
		CHECK_HAS(e.text, t[i].says);
	}
}

TEST(intel_policy_errors_name_the_place_and_what_was_expected)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "[tdx]\ntcb_status = [\"Revoked\"]",
			"p.toml:2:15: expected a status" },
		{ "[sgx]\ntcb_status = [\"uptodate\"]",
			"p.toml:2:15: expected a status" },
		{ "[sgx]\nadvisories = [1]", "must be a string" },
		{ "[sgx]\nminimum_evaluation = -1", "p.toml:2:22: " },
		{ "[sgx]\nsigners = [\"12\"]", "expected 64 hex digits" },
		{ "[sgx]\nproduct_id = 65536", "expected 0 to 65535" },
		{ "[sgx]\nminimum_svn = \"1\"", "must be an integer" },
		{ "[sgx]\nrtmr0 = []", "p.toml:2:1: rtmr0: nothing" },
		{ "[tdx]\nrtmr4 = []", "p.toml:2:1: rtmr4: nothing" },
		{ "[tdx]\nmrseam = [\"12\"]", "expected 96 hex digits" },
		{ "[tdx]\nallow_perfmon = 1", "true or false" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct attest_policy *p = NULL;
		struct err e = { 0 };
		CHECK(!attest_policy_parse(bytes_str(t[i].text), "p.toml", NULL,
			0, &p, &e));
		CHECK_HAS(e.text, t[i].says);
	}
}

TEST(snp_rules_are_read_into_their_places)
{
	struct attest_policy *p = parsed(
		"[snp]\nproducts = [\"turin\"]\ncrl = \"required\"\n"
		"vmpl = 2\nminimum_abi = \"1.51\"\n"
		"minimum_tcb = { turin = { fmc = 1, microcode = 81 },"
		"  milan = { bootloader = 4, snp = 24, microcode = 219 } }\n");
	const struct attest_snp_rules *r = &p->snp;
	CHECK(!r->products[0] && !r->products[1] && r->products[2]);
	CHECK(!r->crl_optional && !r->refuse_smt && !r->allow_no_alias_check);
	CHECK_INT(r->vmpl, 2);
	CHECK_INT(r->minimum_abi, 0x133);
	CHECK_MEM(r->minimum_tcb[ATTEST_TCB_LAUNCH][0], "\4\0\0\0\0\0\x18\xdb",
		8);
	CHECK_MEM(r->minimum_tcb[ATTEST_TCB_REPORTED][2], "\1\0\0\0\0\0\0\x51",
		8);
	attest_policy_free(p);
}

TEST(a_policy_explains_itself)
{
	struct attest_policy *p = parsed("");
	struct err e = { 0 };
	auto_buf text = { 0 };
	uint8_t root[32] = { 0xee };
	CHECK(attest_policy_explain(p, &text));
	CHECK_HAS(buf_cstr(&text), "process: accepted when it measures");
	CHECK_HAS(buf_cstr(&text), "No software root is trusted.");
	CHECK_HAS(buf_cstr(&text), "snp: not accepted: no measurement");
	buf_clear(&text);
	CHECK(attest_policy_trust_root(p, root, &e));
	CHECK(attest_policy_explain(p, &text));
	CHECK_HAS(buf_cstr(&text), "  root ee00");
	CHECK(attest_policy_only(p, "snp", &e));
	CHECK(!p->rules[ATTEST_TECH_PROCESS].allowed);
	CHECK(!attest_policy_only(p, "sev", &e));
	attest_policy_free(p);
}
