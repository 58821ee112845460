/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel.h"

#include <stdio.h>

#include "codec/cbor.h"

#include "../test.h"
#include "helpers/vectors.h"

#define PHALA	 "open/tdx/phala-v4-uptodate.quote.bin"
#define AZURE	 "open/tdx/azure-v4.quote.bin"
#define TD15	 "open/tdx/trustee-v5-td15.quote.bin"
#define RELAUNCH "open/tdx/oe-v5-moduleupdate.quote.bin"
#define SGX	 "open/sgx/phala-v3-processor.quote.bin"
#define SET_B0	 "open/collateral/tdx-b0c06f000000-2025-06/"
#define SET_00	 "open/collateral/tdx-00806f050000-2025-06/"
#define SET_90	 "open/collateral/tdx-90c06f000000-2026-03/"
#define SET_90B	 "open/collateral/tdx-90c06f000000-2025-02/"
#define SET_SGX	 "open/collateral/sgx-00a067110000-2025-06/"

/* Under sanitizers one bit of each byte, in turn, stands for its eight. */
#ifdef __SANITIZE_ADDRESS__
#define BIT_STEP 9
#else
#define BIT_STEP 1
#endif

enum {
	JUNE_2025 = 1750852800, /* 2025-06-25 12:00 */
	MARCH_2025 = 1741176000,
	MARCH_2026 = 1774008000,
	YEAR = 365 * 86400,
};

enum {
	PCK_ISSUERS,
	ROOT_CRL,
	PCK_CRL,
	TCB_CHAIN,
	TCB_INFO,
	QE_CHAIN,
	QE_IDENTITY,
	PARTS
};

struct trial {
	struct attest_bundle b;
	struct attest_policy *p;
	int64_t now;
	bool padded;
	struct buf failed;
	struct attest_verdict v;
	struct attest_seen seen;
};

static bool trial_init(struct trial *t, const char *quote, const char *set,
	int64_t now, const char *more)
{
	static char paths[VECTORS_SET][128];
	const char *files[VECTORS_SET + 1];
	auto_buf probe = { 0 };
	if (!vectors_read("INDEX.tsv", &probe))
		return false;
	*t = (struct trial){ .now = now, .padded = true };
	vectors_set(set, paths, files);
	vectors_bundle(&t->b, quote, files);
	t->p = vectors_quote_policy(&t->b, more);
	return true;
}

static void trial_fini(struct trial *t)
{
	attest_policy_free(t->p);
	attest_bundle_fini(&t->b);
	buf_fini(&t->failed);
}

static void trial_policy(struct trial *t, const char *more)
{
	attest_policy_free(t->p);
	t->p = vectors_quote_policy(&t->b, more);
}

static const char *judge(struct trial *t)
{
	struct attest_input in = { .evidence = buf_bytes(&t->b.evidence),
		.endorsements = buf_bytes(&t->b.endorsements),
		.now = t->now,
		.seen = &t->seen,
		.binding = ATTEST_BIND_NOTHING,
		.padded = t->padded };
	CHECK(attest_verify(&in, t->p, &t->v, NULL));
	vectors_failed(&t->v, &t->failed);
	CHECK(t->v.accepted == (t->failed.len == 0));
	return buf_cstr(&t->failed);
}

/* Puts another part in place of one of the endorsements. */
static void replace(struct trial *t, size_t which, struct bytes with)
{
	struct reader r = { .in = buf_bytes(&t->b.endorsements) };
	struct buf out = { 0 };
	CHECK_INT(cbor_head(&r, CBOR_ARRAY), PARTS + 1);
	cbor_put_head(&out, CBOR_ARRAY, PARTS + 1);
	cbor_put_uint(&out, cbor_head(&r, CBOR_UINT));
	for (size_t i = 0; i < PARTS; i++) {
		struct bytes part = cbor_bytes(&r);
		cbor_put_bytes(&out, i == which ? with : part);
	}
	CHECK(reader_done(&r) && buf_ok(&out));
	buf_fini(&t->b.endorsements);
	t->b.endorsements = out;
}

static void replace_file(struct trial *t, size_t which, const char *name)
{
	auto_buf text = { 0 };
	CHECK(vectors_read(name, &text));
	replace(t, which, buf_bytes(&text));
}

/* The first place of `what` in the set's file becomes `with`. */
static void replace_edited(struct trial *t, size_t which, const char *name,
	const char *what, const char *with)
{
	auto_buf text = { 0 }, out = { 0 };
	CHECK(vectors_read(name, &text));
	const char *whole = buf_cstr(&text), *at = strstr(whole, what);
	CHECK(at != NULL);
	size_t n = (size_t)(at - whole);
	CHECK(buf_put(&out, bytes_of(text.ptr, n)) && buf_str(&out, with) &&
		buf_put(&out, bytes_from(buf_bytes(&text), n + strlen(what))));
	replace(t, which, buf_bytes(&out));
}

#define TRIAL(t, quote, set, now, more)                       \
	static struct trial t;                                \
	if (!trial_init(&(t), (quote), (set), (now), (more))) \
	SKIP_TEST("no vectors: DONJON_SHARED is absent")

TEST(tdx_quotes_that_are_up_to_date_are_accepted)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	CHECK_STR(judge(&t), "");
	CHECK(t.v.confidential && t.v.tee == ATTEST_TDX);
	CHECK_STR(t.v.technology, "tdx");
	CHECK_STR(t.v.tcb_status, "UpToDate");
	CHECK(t.v.expires > JUNE_2025 && t.v.expires < JUNE_2025 + YEAR);
	trial_fini(&t);
}

TEST(tdx_quotes_have_nothing_behind_them_unless_padded)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	t.padded = false;
	CHECK_STR(judge(&t), "evidence format ");
	t.b.evidence.len -= 70;
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(tdx_collateral_is_judged_at_the_time_given)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	t.now = JUNE_2025 + 60 * 86400;
	CHECK_STR(judge(&t),
		"revocation qe identity tcb info tdx module "
		"tcb status ");
	t.now = JUNE_2025 - 60 * 86400;
	CHECK_HAS(judge(&t), "revocation qe identity tcb info ");
	t.now = (int64_t)JUNE_2025 + 30LL * YEAR;
	CHECK_HAS(judge(&t), "validity revocation ");
	trial_fini(&t);
}

TEST(tdx_revocation_lists_are_of_their_own_issuers)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	replace_file(&t, PCK_CRL, SET_SGX "pck.crl"); /* Processor CA */
	CHECK_STR(judge(&t), "revocation ");
	CHECK_HAS(attest_failed(&t.v)->observed, "another name");
	replace_file(&t, PCK_CRL, SET_B0 "root_ca.crl");
	CHECK_STR(judge(&t), "revocation ");
	replace(&t, PCK_CRL, BYTES_NONE);
	CHECK_STR(judge(&t), "revocation ");
	replace_file(&t, PCK_CRL, SET_B0 "pck.crl");
	CHECK_STR(judge(&t), "");
	replace(&t, ROOT_CRL, BYTES_NONE);
	CHECK_STR(judge(&t),
		"revocation qe identity tcb info tdx module "
		"tcb status ");
	trial_fini(&t);
}

TEST(tdx_tcb_info_is_of_this_platform_and_kind)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	replace_file(&t, TCB_INFO, SET_00 "tcb_info.json");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	CHECK_HAS(attest_failed(&t.v)->observed, "another FMSPC");
	replace_file(&t, TCB_INFO, SET_SGX "tcb_info.json");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	CHECK_HAS(attest_failed(&t.v)->observed, "id is not TDX");
	trial_fini(&t);
}

TEST(tdx_documents_are_signed_in_the_bytes_that_were_served)
{
	static const char tcb[] = SET_B0 "tcb_info.json";
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	/* The same value, spelled otherwise. */
	replace_edited(&t, TCB_INFO, tcb, "\"pceId\":", "\"pceId\": ");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	CHECK_HAS(attest_failed(&t.v)->observed, "document: ");
	/* Outside the signed object it may. */
	replace_edited(&t, TCB_INFO, tcb, "{\"tcbInfo\":", "{ \"tcbInfo\" :\n");
	CHECK_STR(judge(&t), "");
	replace_edited(&t, TCB_INFO, tcb, "\"OutOfDate\"", "\"UpToDate\"");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	/* A key twice, another member, no signature. */
	replace_edited(&t, TCB_INFO, tcb,
		"{\"tcbInfo\":", "{\"tcbInfo\":{},\"tcbInfo\":");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	CHECK_HAS(attest_failed(&t.v)->observed, "twice");
	replace_edited(&t, TCB_INFO, tcb,
		"{\"tcbInfo\":", "{\"x\":1,\"tcbInfo\":");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	replace_edited(&t, TCB_INFO, tcb, "\"signature\"", "\"signatur3\"");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	replace_edited(&t, TCB_INFO, tcb, "\"version\":3", "\"version\":NaN");
	CHECK_STR(judge(&t), "tcb info tdx module tcb status ");
	trial_fini(&t);
}

TEST(tdx_identities_are_of_the_right_enclave)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	replace_file(&t, QE_IDENTITY, SET_SGX "qe_identity.json");
	CHECK_STR(judge(&t), "qe identity ");
	CHECK_HAS(attest_failed(&t.v)->observed, "id is not TD_QE");
	trial_fini(&t);
	TRIAL(u, SGX, SET_SGX, JUNE_2025, "");
	replace_file(&u, QE_IDENTITY, SET_B0 "qe_identity.json");
	CHECK_STR(judge(&u), "qe identity tcb status ");
	trial_fini(&u);
}

TEST(tdx_documents_are_signed_by_their_signer_only)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	/* A real chain to the same root, of another kind. */
	replace_file(&t, TCB_CHAIN, SET_B0 "pck_crl_issuer_chain.pem");
	CHECK_HAS(judge(&t), "tcb info ");
	CHECK_HAS(attest_failed(&t.v)->observed, "leaf is an authority");
	replace(&t, TCB_CHAIN, BYTES_NONE);
	CHECK_HAS(judge(&t), "tcb info ");
	trial_fini(&t);
}

TEST(tdx_certification_of_another_platform_is_refused)
{
	/* The PCK chain of the last third, out of another real quote. */
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	struct attest_quote a, b;
	auto_buf other = { 0 };
	CHECK(vectors_read(AZURE, &other));
	CHECK(attest_quote_parse(buf_bytes(&t.b.evidence), &a, NULL));
	CHECK(attest_quote_parse(buf_bytes(&other), &b, NULL));
	CHECK_INT(a.pck_chain.len, b.pck_chain.len);
	memcpy(t.b.evidence.ptr + (a.pck_chain.ptr - t.b.evidence.ptr),
		b.pck_chain.ptr, a.pck_chain.len);
	CHECK_HAS(judge(&t), "qe signature ");
	CHECK_HAS(judge(&t), "tcb info "); /* its FMSPC is another */
	trial_fini(&t);
}

TEST(tdx_statuses_are_accepted_by_name_with_their_advisories)
{
	TRIAL(t, AZURE, SET_00, JUNE_2025, "allow_sept_ve = true");
	CHECK_STR(judge(&t), "tcb status ");
	CHECK_STR(t.v.tcb_status, "OutOfDate");
	trial_policy(&t, "");
	CHECK_STR(judge(&t), "tcb status attributes ");
	auto_buf text = { 0 };
	CHECK(buf_str(&text,
		"allow_sept_ve = true\ntcb_status = [\"OutOfDate\"]\n"));
	trial_policy(&t, buf_cstr(&text));
	const char *failed = judge(&t);
	CHECK_STR(failed, t.v.advisories[0] ? "tcb status " : "");
	trial_fini(&t);
	TRIAL(u, RELAUNCH, SET_90B, MARCH_2025, "");
	CHECK_STR(judge(&u), "tcb status ");
	CHECK_STR(u.v.tcb_status, "TDRelaunchAdvised");
	/* Launched under a module that had these. */
	CHECK_STR(u.v.advisories, "INTEL-SA-01036,INTEL-SA-01099");
	trial_policy(&u, "tcb_status = [\"TDRelaunchAdvised\"]");
	CHECK_STR(judge(&u), "tcb status ");
	trial_policy(&u,
		"tcb_status = [\"TDRelaunchAdvised\"]\n"
		"advisories = [\"INTEL-SA-01036\", \"INTEL-SA-01099\"]");
	CHECK_STR(judge(&u), "");
	trial_fini(&u);
}

TEST(sgx_statuses_are_accepted_by_name_with_their_advisories)
{
	static const char status[] =
		"tcb_status = [\"ConfigurationAndSWHardeningNeeded\"]\n";
	auto_buf text = { 0 };
	TRIAL(t, SGX, SET_SGX, JUNE_2025, "");
	CHECK_STR(judge(&t), "tcb status ");
	CHECK(t.v.tee == ATTEST_SGX && t.v.advisories[0]);
	trial_policy(&t, status);
	CHECK_STR(judge(&t), "tcb status ");
	CHECK(buf_fmt(&text, "%sadvisories = [\"", status));
	for (const char *p = t.v.advisories; *p; p++)
		CHECK(*p == ',' ? buf_str(&text, "\", \"") :
				  buf_u8(&text, (uint8_t)*p));
	CHECK(buf_str(&text, "\"]"));
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "");
	CHECK(t.v.confidential);
	/* One of them unknown. */
	text.ptr[text.len - 3] = 'x';
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "tcb status ");
	trial_fini(&t);
}

TEST(tdx_evaluation_numbers_have_a_floor)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "minimum_evaluation = 17");
	CHECK_STR(judge(&t), "");
	trial_policy(&t, "minimum_evaluation = 18");
	CHECK_STR(judge(&t), "qe identity tcb info tdx module tcb status ");
	trial_fini(&t);
}

TEST(tdx_service_tds_are_refused_by_default)
{
	TRIAL(t, TD15, SET_90, MARCH_2026, "");
	CHECK_STR(judge(&t), "tcb status attributes ");
	trial_policy(&t, "allow_service_td = true");
	CHECK_STR(judge(&t), "tcb status ");
	trial_fini(&t);
}

TEST(tdx_registers_are_compared_when_the_policy_names_them)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025,
		"rtmr0 = [\"000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000\"]");
	CHECK_STR(judge(&t), "rtmr0 ");
	trial_policy(&t,
		"mrowner = [\"000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000\"]");
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(sgx_enclaves_are_accepted_by_their_signer)
{
	TRIAL(t, SGX, SET_SGX, JUNE_2025, "");
	char hex[65], toml[256];
	struct attest_quote q;
	CHECK(attest_quote_parse(buf_bytes(&t.b.evidence), &q, NULL));
	for (size_t i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", q.body.ptr[128 + i]);
	snprintf(toml, sizeof toml, "[sgx]\nsigners = [\"%s\"]\n", hex);
	attest_policy_free(t.p);
	CHECK(attest_policy_parse(bytes_str(toml), "p", NULL, 0, &t.p, NULL));
	CHECK_STR(judge(&t), "tcb status ");
	toml[18] = toml[18] == '0' ? '1' : '0';
	attest_policy_free(t.p);
	CHECK(attest_policy_parse(bytes_str(toml), "p", NULL, 0, &t.p, NULL));
	CHECK_STR(judge(&t), "tcb status signer ");
	attest_policy_free(t.p);
	CHECK(attest_policy_parse(bytes_str("[sgx]\nminimum_svn = 65535\n"),
		"p", NULL, 0, &t.p, NULL));
	CHECK_STR(judge(&t), "tcb status measurement product ");
	trial_fini(&t);
}

TEST(tdx_quotes_are_refused_at_every_truncation)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	size_t whole = t.b.evidence.len - 70;
	for (size_t n = 0; n < whole; n++) {
		struct attest_quote q;
		t.b.evidence.len = n;
		CHECK(!attest_quote_parse(buf_bytes(&t.b.evidence), &q, NULL));
		if (n % 64 == 0)
			CHECK_HAS(judge(&t), "evidence format ");
	}
	t.b.evidence.len = whole;
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(tdx_quotes_are_refused_at_every_single_bit_flip)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	t.padded = false;
	t.b.evidence.len -= 70;
	size_t signed_and_keys = 48 + 584 + 4 + 128 + 6 + 384 + 64 + 40;
	for (size_t bit = 0; bit < 8 * t.b.evidence.len;) {
		t.b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(*judge(&t));
		t.b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		bit += bit / 8 < signed_and_keys ? BIT_STEP :
						   vectors_text_step(9);
	}
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(tdx_collateral_is_refused_when_changed_or_cut)
{
	TRIAL(t, PHALA, SET_B0, JUNE_2025, "");
	struct buf *ends = &t.b.endorsements;
	/* Behind the list issuers' chain, which nobody reads here. */
	struct reader r = { .in = buf_bytes(ends) };
	cbor_head(&r, CBOR_ARRAY);
	cbor_head(&r, CBOR_UINT);
	cbor_bytes(&r);
	/* Not the bit that is a letter's case: hexadecimal has either. */
	for (size_t i = r.at; i < ends->len; i += 7) {
		ends->ptr[i] ^= (uint8_t)(1u << i % 5);
		CHECK(*judge(&t));
		ends->ptr[i] ^= (uint8_t)(1u << i % 5);
	}
	size_t whole = ends->len;
	for (size_t n = 0; n < whole; n += 11) {
		ends->len = n;
		CHECK_HAS(judge(&t), "endorsements ");
	}
	ends->len = whole;
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}
