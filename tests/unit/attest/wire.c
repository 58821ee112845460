/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "attest/rules.h"

#include "../test.h"

static struct attest_policy *parsed(struct bytes text)
{
	struct attest_reference r = { .technology = "process", .len = 48 };
	struct attest_policy *p = NULL;
	struct err e = { 0 };
	if (!attest_policy_parse(text, "p.toml", &r, 1, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

/* Policies with every key between them: the fuzzer's seeds. */
static void read_seed(const char *name, struct buf *out)
{
	char path[64];
	snprintf(path, sizeof path, "fuzz/corpus/policy/%s", name);
	FILE *f = fopen(path, "rb");
	CHECK(f != NULL);
	uint8_t *to = buf_reserve(out, 1 << 16);
	CHECK(to != NULL);
	buf_commit(out, fread(to, 1, 1 << 16, f));
	fclose(f);
}

static void goes_there_and_back(const struct attest_policy *p)
{
	struct attest_policy *q = NULL;
	auto_buf wire = { 0 }, again = { 0 }, said = { 0 }, meant = { 0 };
	struct err e;
	CHECK(attest_policy_encode(p, &wire));
	CHECK(attest_policy_decode(buf_bytes(&wire), &q, &e));
	CHECK(attest_policy_encode(q, &again));
	CHECK(bytes_equal(buf_bytes(&wire), buf_bytes(&again)));
	CHECK(attest_policy_explain(p, &meant));
	CHECK(attest_policy_explain(q, &said));
	CHECK_STR(buf_cstr(&said), buf_cstr(&meant));
	attest_policy_free(q);
	for (size_t n = 0; n < wire.len; n++)
		CHECK(!attest_policy_decode(bytes_of(wire.ptr, n), &q, &e));
	buf_u8(&wire, 0);
	CHECK(!attest_policy_decode(buf_bytes(&wire), &q, &e));
}

TEST(a_policy_in_bytes_says_what_its_file_says)
{
	static const char *const seeds[] = { "all", "intel", "sgx", "snp" };
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
		auto_buf text = { 0 };
		read_seed(seeds[i], &text);
		struct attest_policy *p = parsed(buf_bytes(&text));
		goes_there_and_back(p);
		attest_policy_free(p);
	}
	struct attest_policy *p = parsed(BYTES_LIT(""));
	goes_there_and_back(p);
	attest_policy_free(p);
}

/* Each field of numbers and flags, changed alone, arrives changed: none was
 * forgotten.  Lists are compared by what is explained, above. */
TEST(no_field_is_left_out)
{
	struct attest_policy *p = parsed(BYTES_LIT(""));
	auto_buf plain = { 0 };
	CHECK(attest_policy_encode(p, &plain));
	struct {
		void *at;
		size_t size;
	} fields[] = {
#define FIELD(f) { &p->f, sizeof p->f }
		FIELD(rules[ATTEST_TECH_PEF].allowed),
		FIELD(allow_debug),
		FIELD(max_collateral_age),
		FIELD(snp.products[2]),
		FIELD(snp.crl_optional),
		FIELD(snp.allow_no_alias_check),
		FIELD(snp.allow_masked_chip),
		FIELD(snp.refuse_smt),
		FIELD(snp.single_socket),
		FIELD(snp.ciphertext_hiding),
		FIELD(snp.vmpl),
		FIELD(snp.minimum_guest_svn),
		FIELD(snp.minimum_abi),
		FIELD(snp.minimum_firmware),
		FIELD(snp.mitigations),
		FIELD(snp.policy.mask),
		FIELD(snp.platform.value),
		FIELD(snp.minimum_tcb[2][2]),
		FIELD(sgx.intel.minimum_evaluation),
		FIELD(sgx.intel.minimum_tcb_date),
		FIELD(sgx.attributes.mask),
		FIELD(sgx.xfrm.value),
		FIELD(sgx.miscselect.mask),
		FIELD(sgx.minimum_config_svn),
		FIELD(sgx.product_named),
		FIELD(sgx.allow_provision_key),
		FIELD(sgx.product_id),
		FIELD(sgx.minimum_svn),
		FIELD(tdx.attributes.mask),
		FIELD(tdx.xfam.mask),
		FIELD(tdx.minimum_tcb_svn),
		FIELD(tdx.allow_sept_ve),
		FIELD(tdx.allow_perfmon),
		FIELD(tdx.allow_service_td),
		FIELD(keystone.allow_guessable_keys),
		FIELD(sanctum.allow_guessable_keys),
	};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		auto_buf other = { 0 };
		uint8_t *low = fields[i].at;
		*low ^= 1;
		CHECK(attest_policy_encode(p, &other));
		*low ^= 1;
		CHECK(!bytes_equal(buf_bytes(&plain), buf_bytes(&other)));
	}
	attest_policy_free(p);
}

TEST(bytes_that_are_no_policy_are_refused)
{
	struct attest_policy *p = parsed(BYTES_LIT("")), *q;
	auto_buf wire = { 0 };
	struct err e;
	CHECK(attest_policy_encode(p, &wire));
	attest_policy_free(p);
	wire.ptr[0] = 9;
	CHECK(!attest_policy_decode(buf_bytes(&wire), &q, &e));
	CHECK_STR(e.text, "policy: not version 1");
	wire.ptr[0] = 1;
	wire.ptr[2] = 2; /* neither yes nor no */
	CHECK(!attest_policy_decode(buf_bytes(&wire), &q, &e));
	CHECK_STR(e.text, "policy: not one");
	auto_buf large = { 0 };
	CHECK(buf_reserve(&large, ATTEST_WIRE_MAX + 1) != NULL);
	memset(large.ptr, 0, ATTEST_WIRE_MAX + 1);
	buf_commit(&large, ATTEST_WIRE_MAX + 1);
	CHECK(!attest_policy_decode(buf_bytes(&large), &q, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
}

TEST(owners_take_the_place_of_others)
{
	static const uint8_t two[64] = { 1, [32] = 2 };
	struct attest_policy *p = parsed(BYTES_LIT(""));
	struct err e;
	CHECK(!attest_policy_has_owners(p));
	CHECK(attest_policy_owners(p, bytes_of(two, 32), &e));
	CHECK(attest_policy_owners(p, bytes_of(two + 32, 32), &e));
	CHECK(attest_policy_has_owners(p));
	CHECK_INT(p->owners.count, 1);
	CHECK_INT(p->owners.ptr[0].value[0], 2);
	attest_policy_free(p);
}
