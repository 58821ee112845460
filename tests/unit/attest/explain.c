/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy accepts, said in sentences: no key goes without one. */
#include <stdio.h>

#include "attest/attest.h"

#include "../test.h"

#define H16 "0123456789abcdef0123456789abcdef"
#define H32 H16 H16
#define H48 H32 H16
#define H64 H32 H32

static const struct {
	const char *table, *line, *sentence;
} keys[] = {
	{ "", "software = [\"" H32 "\"]", "  root " H32 "\n" },
	{ "", "owners = [\"" H32 "\"]", "  owner " H32 "\n" },
	{ "", "max_collateral_age = 30", "may be 30 days old" },
	{ "", "allow_debug = true", "can be looked into are accepted" },
	{ "", "allow_debug = false", "can be looked into are refused" },
	{ "snp", "deny = [\"" H48 "\"]", "must not be:\n" },
	{ "snp", "products = [\"turin\"]", "must be turin, genuine" },
	{ "snp", "crl = \"optional\"", "list may be missing" },
	{ "snp", "crl = \"required\"", "list must be there" },
	{ "snp", "minimum_tcb = { genoa = { snp = 99, microcode = 7 } }",
		"On genoa its launch TCB must be at least snp 99, microcode 7" },
	{ "snp", "minimum_reported_tcb = { turin = { fmc = 3 } }",
		"On turin its reported TCB must be at least fmc 3" },
	{ "snp", "minimum_committed_tcb = { milan = { tee = 9 } }",
		"On milan its committed TCB must be at least tee 9" },
	{ "snp", "minimum_launch_tcb = { milan = { bootloader = 8 } }",
		"On milan its launch TCB must be at least bootloader 8" },
	{ "snp", "minimum_firmware = \"1.55.22\"", "at least 1.55.22" },
	{ "snp", "require_mitigations = 5", "mitigations 0x5" },
	{ "snp", "policy = { mask = 3, value = 1 }",
		"guest policy must be 0x1 under the mask 0x3" },
	{ "snp", "platform_info = { mask = 2, value = 2 }",
		"platform information must be 0x2" },
	{ "snp", "family_ids = [\"" H16 "\"]", "family id must be this" },
	{ "snp", "image_ids = [\"" H16 "\"]", "image id must be this" },
	{ "snp", "require_alias_check = false", "need not have been checked" },
	{ "snp", "require_alias_check = true", "must have been checked" },
	{ "snp", "require_ciphertext_hiding = true",
		"Ciphertext must be hidden" },
	{ "snp", "require_single_socket = true", "bound to one socket" },
	{ "snp", "allow_smt = false", "Sibling threads must be off" },
	{ "snp", "allow_masked_chip = true", "need not say which chip" },
	{ "snp", "vmpl = 2", "must be VMPL 2" },
	{ "snp", "minimum_guest_svn = 4", "guest SVN must be at least 4" },
	{ "snp", "minimum_abi = \"1.51\"", "interface 1.51 or newer" },
	{ "snp", "author_keys = [\"" H48 "\"]", "author key must be this" },
	{ "snp", "id_keys = [\"" H48 "\"]", "ID key must be this" },
	{ "snp", "deny_keys = [\"" H48 "\"]", "author or ID key must not be" },
	{ "snp", "chip_ids = [\"" H64 "\"]", "chip must be this" },
	{ "snp", "deny_chip_ids = [\"" H64 "\"]", "chip must not be" },
	{ "snp", "csp_ids = [\"CN=x\"]", "VLEKs are accepted of CN=x" },
	{ "snp", "host_data = [\"" H32 "\"]", "host data must be this" },
	{ "sgx", "tcb_status = [\"SWHardeningNeeded\"]",
		"UpToDate or SWHardeningNeeded" },
	{ "sgx",
		"tcb_status = [\"OutOfDate\"]\n"
		"advisories = [\"INTEL-SA-00615\"]",
		"may carry INTEL-SA-00615" },
	{ "sgx", "minimum_evaluation = 17", "evaluation 17 or later" },
	{ "sgx", "minimum_tcb_date = \"2024-03-13\"", "of 2024-03-13" },
	{ "sgx", "fmspcs = [\"00906ea10000\"]", "platform (FMSPC) must be" },
	{ "sgx", "signers = [\"" H32 "\"]", "signer (MRSIGNER) must be this" },
	{ "sgx", "deny_signers = [\"" H32 "\"]", "(MRSIGNER) must not be" },
	{ "sgx", "product_id = 7", "(ISVPRODID) must be 7" },
	{ "sgx", "minimum_svn = 3", "(ISVSVN) must be at least 3" },
	{ "sgx", "config_ids = [\"" H64 "\"]", "CONFIGID must be this" },
	{ "sgx", "extended_product_ids = [\"" H16 "\"]",
		"ISVEXTPRODID must be this" },
	{ "sgx", "family_ids = [\"" H16 "\"]", "ISVFAMILYID must be this" },
	{ "sgx", "minimum_config_svn = 2", "CONFIGSVN must be at least 2" },
	{ "sgx", "attributes = { mask = 4, value = 4 }",
		"attributes must be 0x4" },
	{ "sgx", "xfrm = { mask = 7, value = 3 }", "XFRM must be 0x3" },
	{ "sgx", "miscselect = { mask = 1, value = 0 }",
		"MISCSELECT must be 0x0" },
	{ "sgx", "allow_provision_key = true", "may use the provisioning key" },
	{ "tdx", "rtmr0 = [\"" H48 "\"]", "RTMR0 must be this" },
	{ "tdx", "rtmr3 = [\"" H48 "\"]", "RTMR3 must be this" },
	{ "tdx", "mrseam = [\"" H48 "\"]", "MRSEAM must be this" },
	{ "tdx", "mrconfigid = [\"" H48 "\"]", "MRCONFIGID must be this" },
	{ "tdx", "mrowner = [\"" H48 "\"]", "MROWNER must be this" },
	{ "tdx", "mrownerconfig = [\"" H48 "\"]", "MROWNERCONFIG must be" },
	{ "tdx", "mrservicetd = [\"" H48 "\"]", "MRSERVICETD must be this" },
	{ "tdx", "attributes = { mask = 4, value = 4 }",
		"attributes must be 0x4" },
	{ "tdx", "xfam = { mask = 7, value = 3 }", "XFAM must be 0x3" },
	{ "tdx", "minimum_tcb_svn = [5, 1, 2, 0,0,0,0,0,0,0,0,0,0,0,0,0]",
		"TEE_TCB_SVN must be at least 050102" },
	{ "tdx", "allow_sept_ve = true", "Pages may be taken away" },
	{ "tdx", "allow_perfmon = true", "performance counters" },
	{ "tdx", "allow_service_td = true", "may be migrated" },
	{ "keystone", "device_keys = [\"" H32 "\"]", "device must be this" },
	{ "keystone", "monitors = [\"" H64 "\"]", "monitor must be this" },
	{ "keystone", "allow_guessable_monitor_keys = true",
		"one that anybody can make" },
	{ "sanctum", "manufacturer_keys = [\"" H32 "\"]",
		"manufacturer must be this" },
	{ "sanctum", "monitor_keys = [\"" H32 "\"]",
		"monitor's key must be this" },
	{ "pef", "keys = [\"" H32 "\"]", "sealed key must be this" },
};

static void explained(const char *toml, struct buf *out)
{
	struct attest_policy *p;
	struct err e = { 0 };
	if (!attest_policy_parse(bytes_str(toml), "p", NULL, 0, &p, &e))
		fail_msg("%s: %s", toml, e.text);
	buf_clear(out);
	CHECK(attest_policy_explain(p, out));
	attest_policy_free(p);
}

static const char *measurement_of(const char *table)
{
	if (!strcmp(table, "sgx") || !strcmp(table, "pef"))
		return H32;
	return !strcmp(table, "keystone") || !strcmp(table, "sanctum") ? H64 :
									 H48;
}

TEST(every_key_of_a_policy_has_a_sentence)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char toml[1024];
		auto_buf with = { 0 }, without = { 0 };
		const char *table = *keys[i].table ? keys[i].table : "process";
		int n = snprintf(toml, sizeof toml,
			"%s\n[%s]\nmeasurements = [\"%s\"]\n%s\n",
			*keys[i].table ? "" : keys[i].line, table,
			measurement_of(table),
			*keys[i].table ? keys[i].line : "");
		CHECK(n > 0 && (size_t)n < sizeof toml);
		explained(toml, &with);
		CHECK_HAS(buf_cstr(&with), keys[i].sentence);
	}
}

TEST(technologies_that_are_not_named_are_not_explained)
{
	auto_buf text = { 0 };
	explained("technologies = [\"snp\"]\n[snp]\nmeasurements = [\"" H48
		  "\"]\n",
		&text);
	CHECK_HAS(buf_cstr(&text), "snp: accepted when it measures");
	CHECK(!strstr(buf_cstr(&text), "tdx"));
	CHECK_HAS(buf_cstr(&text), "No software root is trusted.");
	explained("[sgx]\nsigners = [\"" H32 "\"]\n", &text);
	CHECK_HAS(buf_cstr(&text), "sgx: accepted when it has a signer");
	CHECK_HAS(buf_cstr(&text), "snp: not accepted: no measurement");
	buf_clear(&text);
	explained("technologies = [\"kvm\"]\n[kvm]\nmeasurements = [\"" H48
		  "\"]\n",
		&text);
	CHECK_HAS(buf_cstr(&text), "so none is accepted");
}

TEST(policies_to_begin_with_are_policies)
{
	struct attest_verdict *v = test_calloc(1, sizeof *v);
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf plain = { 0 }, seen = { 0 };
	const struct attest_reference ref = { .technology = "process",
		.len = 48 };
	CHECK(attest_policy_template(NULL, &plain));
	if (!attest_policy_parse(buf_bytes(&plain), "p", &ref, 1, &p, &e))
		fail_msg("%s", e.text);
	attest_policy_free(p);
	v->technology = "tdx";
	v->measurement_len = 48;
	memset(v->measurement, 0xab, 48);
	v->checks[v->count++] = (struct attest_check){ .name = "software root",
		.observed = H32 };
	CHECK(attest_policy_template(v, &seen));
	CHECK_HAS(buf_cstr(&seen), "[tdx]\n");
	CHECK_HAS(buf_cstr(&seen), "abababab");
	CHECK_HAS(buf_cstr(&seen), "# software = [\"" H32 "\"]\n");
	if (!attest_policy_parse(buf_bytes(&seen), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	attest_policy_free(p);
	/* What stands there as a comment is right when it is used. */
	for (size_t i = 0; i < seen.len; i++)
		if (seen.ptr[i] == '#' && i + 2 < seen.len &&
			!memcmp(seen.ptr + i, "# tcb", 5))
			memset(seen.ptr + i, ' ', 1);
	if (!attest_policy_parse(buf_bytes(&seen), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	attest_policy_free(p);
	test_free(v);
}
