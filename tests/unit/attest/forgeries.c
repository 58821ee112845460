/* SPDX-License-Identifier: Apache-2.0 */
/* Forgeries that other verifiers fell for, or could; each is refused. */
#include "attest/intel.h"
#include "attest/measure_tdx.h"
#include "codec/cbor.h"
#include "codec/der.h"
#include "spec/snp.h"

#include "../test.h"
#include "helpers/vectors.h"

#define NO_CRL "crl = \"optional\"\n"
#define MILAN  "open/snp/ms-milan-v3-reissued-vcek"
#define OTHER  "open/snp/az-milan-v3-a"
#define SGX    "open/sgx/phala-v3-processor.quote.bin"
#define SET    "open/collateral/sgx-00a067110000-2025-06/"
#define TDX    "open/tdx/phala-v4-uptodate.quote.bin"
#define TDXSET "open/collateral/tdx-b0c06f000000-2025-06/"

/* Under sanitizers one bit of each byte, in turn, stands for its eight. */
#ifdef __SANITIZE_ADDRESS__
#define BIT_STEP 9
#else
#define BIT_STEP 1
#endif

enum {
	JUNE_2025 = 1750852800,
	MAY_2025 = 1748000000,
	AUGUST_2025 = 1755000000,
	FEB_2026 = 1772000000,
};
enum { ISSUERS, ROOT_CRL, PCK_CRL, TCB_CHAIN, TCB_INFO, QE_CHAIN, QE, PARTS };

static bool absent(void)
{
	auto_buf probe = { 0 };
	return !vectors_read("INDEX.tsv", &probe);
}

#define NEED_VECTORS()                                                    \
	do {                                                              \
		if (absent())                                             \
			SKIP_TEST("no vectors: DONJON_SHARED is absent"); \
	} while (0)

/* The names of what failed, valid until the next call. */
static const char *judge(const struct attest_bundle *b,
	const struct attest_policy *p, int64_t now)
{
	static struct attest_verdict v;
	static struct buf failed;
	struct attest_input in = attest_bundle_input(b);
	in.now = now;
	in.padded = true;
	in.binding = ATTEST_BIND_NOTHING;
	CHECK(attest_verify(&in, p, &v, NULL));
	vectors_failed(&v, &failed);
	CHECK(v.accepted == (failed.len == 0));
	return buf_cstr(&failed);
}

static const char *snp(const char *report, const char *const *files,
	int64_t now)
{
	struct attest_bundle b = { 0 };
	vectors_bundle(&b, report, files);
	struct attest_policy *p = vectors_snp_policy(&b, NO_CRL);
	const char *failed = judge(&b, p, now);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	return failed;
}

/* A quote with one of its endorsements replaced. */
static const char *quote(const char *name, const char *set, size_t which,
	struct bytes with, int64_t now)
{
	static char paths[VECTORS_SET][128];
	const char *files[VECTORS_SET + 1];
	struct attest_bundle b = { 0 };
	struct buf out = { 0 };
	vectors_set(set, paths, files);
	vectors_bundle(&b, name, files);
	struct attest_policy *p = vectors_quote_policy(&b,
		strstr(name, "sgx") ?
			"tcb_status = [\"ConfigurationAndSWHardeningNeeded\"]\n"
			"advisories = [\"INTEL-SA-00219\", \"INTEL-SA-00289\", "
			"\"INTEL-SA-00334\", \"INTEL-SA-00381\", "
			"\"INTEL-SA-00389\", \"INTEL-SA-00477\", "
			"\"INTEL-SA-00614\", \"INTEL-SA-00615\", "
			"\"INTEL-SA-00617\", \"INTEL-SA-00828\", "
			"\"INTEL-SA-00161\", \"INTEL-SA-00657\"]\n" :
			"");
	struct reader r = { .in = buf_bytes(&b.endorsements) };
	CHECK_INT(cbor_head(&r, CBOR_ARRAY), PARTS + 1);
	cbor_put_head(&out, CBOR_ARRAY, PARTS + 1);
	cbor_put_uint(&out, cbor_head(&r, CBOR_UINT));
	for (size_t i = 0; i < PARTS; i++) {
		struct bytes part = cbor_bytes(&r);
		cbor_put_bytes(&out, i == which ? with : part);
	}
	CHECK(buf_ok(&out));
	buf_fini(&b.endorsements);
	b.endorsements = out;
	const char *failed = judge(&b, p, now);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	return failed;
}

static struct buf file(const char *name)
{
	struct buf b = { 0 };
	CHECK(vectors_read(name, &b));
	return b;
}

TEST(right_chain_of_another_chip)
{
	static const char *const other[] = { OTHER ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der", NULL };
	NEED_VECTORS();
	CHECK_STR(snp(MILAN ".report.bin", other, FEB_2026), "chip signature ");
}

TEST(swapped_intermediate)
{
	static const char *const swapped[] = { MILAN ".vcek.der",
		"open/roots/asvk_milan.der", "open/roots/ark_milan.der", NULL };
	NEED_VECTORS();
	CHECK_STR(snp(MILAN ".report.bin", swapped, FEB_2026), "chain ");
}

TEST(revocation_list_of_the_wrong_issuer)
{
	static const char *const genoa[] = { MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der",
		"open/roots/ark_genoa.crl.der", NULL };
	NEED_VECTORS();
	CHECK_STR(snp(MILAN ".report.bin", genoa, FEB_2026), "revocation ");
	/* PCK authority's where the root's must be. */
	auto_buf pck = file(SET "pck.crl");
	CHECK_HAS(quote(SGX, SET, ROOT_CRL, buf_bytes(&pck), JUNE_2025),
		"revocation ");
}

TEST(stale_revocation_list)
{
	static const char *const stale[] = { MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der",
		"open/roots/ark_milan.crl.der", NULL };
	NEED_VECTORS();
	CHECK_STR(snp(MILAN ".report.bin", stale, FEB_2026), "revocation ");
	auto_buf newer = file("open/collateral/tdx-b0c06f000000-2026-08/"
			      "root_ca.crl");
	CHECK_HAS(quote(TDX, TDXSET, ROOT_CRL, buf_bytes(&newer), JUNE_2025),
		"revocation ");
}

TEST(tcb_info_of_another_platform)
{
	NEED_VECTORS();
	auto_buf other = file("open/collateral/tdx-00806f050000-2025-06/"
			      "tcb_info.json");
	CHECK_STR(quote(TDX, TDXSET, TCB_INFO, buf_bytes(&other), JUNE_2025),
		"tcb info tdx module tcb status ");
}

TEST(json_that_was_serialised_again)
{
	NEED_VECTORS();
	auto_buf text = file(TDXSET "tcb_info.json"), again = { 0 };
	json_t *o;
	CHECK(json_parse(buf_bytes(&text), 1 << 20, &o, NULL));
	char *dump = json_dumps(o, JSON_INDENT(1));
	CHECK(dump && buf_str(&again, dump));
	free(dump);
	json_decref(o);
	CHECK_STR(quote(TDX, TDXSET, TCB_INFO, buf_bytes(&again), JUNE_2025),
		"tcb info tdx module tcb status ");
}

TEST(duplicate_json_keys)
{
	static const char twice[] = "{\"tcbInfo\":{},\"tcbInfo\":";
	NEED_VECTORS();
	auto_buf text = file(TDXSET "tcb_info.json"), out = { 0 };
	CHECK(!memcmp(text.ptr, "{\"tcbInfo\":", 11));
	CHECK(buf_str(&out, twice) &&
		buf_put(&out, bytes_from(buf_bytes(&text), 11)));
	CHECK_HAS(quote(TDX, TDXSET, TCB_INFO, buf_bytes(&out), JUNE_2025),
		"tcb info ");
}

TEST(identity_of_the_tdx_enclave_for_sgx)
{
	NEED_VECTORS();
	auto_buf td_qe = file(TDXSET "qe_identity.json");
	CHECK_STR(quote(SGX, SET, PARTS, BYTES_NONE, JUNE_2025), "");
	CHECK_STR(quote(SGX, SET, QE, buf_bytes(&td_qe), JUNE_2025),
		"qe identity ");
}

/* A certificate with its outer or serial's bytes written otherwise. */
static bool certificate_reads(const uint8_t *head, size_t n, size_t skip)
{
	struct attest_cert c;
	auto_buf der = file(MILAN ".vcek.der"), out = { 0 };
	CHECK(buf_put(&out, bytes_of(head, n)) &&
		buf_put(&out, bytes_from(buf_bytes(&der), skip)));
	return attest_cert_parse(buf_bytes(&out), &c, NULL);
}

TEST(negative_serial_number)
{
	/* SEQ, SEQ, [0] v3, then INTEGER: its first content byte. */
	NEED_VECTORS();
	auto_buf der = file(MILAN ".vcek.der");
	struct attest_cert c;
	CHECK(attest_cert_parse(buf_bytes(&der), &c, NULL));
	size_t at = (size_t)(c.serial.ptr - der.ptr);
	der.ptr[at] |= 0x80;
	CHECK(!attest_cert_parse(buf_bytes(&der), &c, NULL));
}

TEST(overlong_der_length)
{
	NEED_VECTORS();
	auto_buf der = file(MILAN ".vcek.der");
	CHECK(der.ptr[0] == 0x30 && der.ptr[1] == 0x82);
	uint8_t same[] = { 0x30, 0x82, der.ptr[2], der.ptr[3] };
	uint8_t longer[] = { 0x30, 0x83, 0, der.ptr[2], der.ptr[3] };
	CHECK(certificate_reads(same, sizeof same, 4));
	CHECK(!certificate_reads(longer, sizeof longer, 4));
}

TEST(ber_indefinite_length)
{
	static const uint8_t indefinite[] = { 0x30, 0x80 };
	struct attest_cert c;
	NEED_VECTORS();
	CHECK(!certificate_reads(indefinite, sizeof indefinite, 4));
	auto_buf der = file(MILAN ".vcek.der"), out = { 0 };
	CHECK(buf_put(&out, BYTES_ARRAY(indefinite)) &&
		buf_put(&out, bytes_from(buf_bytes(&der), 4)) &&
		buf_u16le(&out, 0));
	CHECK(!attest_cert_parse(buf_bytes(&out), &c, NULL));
}

TEST(huge_counts)
{
	static const uint8_t cbor[] = { 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0x03 };
	static const uint8_t der[] = { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff };
	struct intel_collateral col;
	struct attest_cert c;
	struct attest_crl l;
	struct err e = { 0 };
	uint8_t rtmr[4][48];
	CHECK(!attest_collateral_split(BYTES_ARRAY(cbor), &col, &e));
	CHECK(!attest_cert_parse(BYTES_ARRAY(der), &c, &e));
	CHECK(!attest_crl_parse(BYTES_ARRAY(der), &l, &e));
	NEED_VECTORS();
	/* Lengths inside a quote that reach beyond it. */
	auto_buf q = file(TDX);
	struct attest_quote parsed;
	CHECK(attest_quote_parse(buf_bytes(&q), &parsed, &e));
	memset(q.ptr + 48 + 584, 0xff, 4);
	CHECK(!attest_quote_parse(buf_bytes(&q), &parsed, &e));
	/* Events that claim four billion digests. */
	auto_buf log = file("open/tdx/google-cos113-v4.ccel_data.bin");
	uint32_t first = (uint32_t)log.ptr[28] | (uint32_t)log.ptr[29] << 8;
	memset(log.ptr + 32 + first + 8, 0xff, 4);
	CHECK(!attest_ccel_replay(buf_bytes(&log), NULL, NULL, rtmr, &e));
}

TEST(numbers_that_are_none)
{
	static const char *const values[] = { "NaN", "Infinity", "-1", "1e999",
		"1.5", "\"5\"", "null", "true", "[5]", "0x5", "05", "256",
		"99999999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct intel_pck pck = { .pcesvn = 11 };
		struct intel_level l = { .qe = INTEL_UP_TO_DATE };
		static const struct attest_names none = { 0 };
		struct err e = { 0 };
		auto_buf text = { 0 };
		json_t *o;
		buf_str(&text,
			"{\"tcbLevels\":[{\"tcb\":{\"pcesvn\":1,"
			"\"sgxtcbcomponents\":[");
		for (size_t k = 0; k < 16; k++)
			buf_fmt(&text, "%s{\"svn\":%s}", k ? "," : "",
				k == 7 ? values[i] : "0");
		CHECK(buf_str(&text, "]},\"tcbStatus\":\"UpToDate\"}]}"));
		if (!json_parse(buf_bytes(&text), 1 << 16, &o, &e))
			continue; /* not even JSON */
		CHECK(!attest_level_find(o, &pck, NULL, false, &none, &l, &e));
		CHECK_HAS(e.text, "svn");
		json_decref(o);
	}
}

TEST(clock_before_and_after_validity)
{
	static const char *const files[] = { MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der", NULL };
	NEED_VECTORS();
	CHECK_STR(snp(MILAN ".report.bin", files, FEB_2026), "");
	CHECK_STR(snp(MILAN ".report.bin", files, 0), "validity ");
	CHECK_STR(snp(MILAN ".report.bin", files, INT64_MAX), "validity ");
	CHECK_STR(snp(MILAN ".report.bin", files, INT64_MIN), "validity ");
	CHECK_STR(quote(TDX, TDXSET, PARTS, BYTES_NONE, JUNE_2025), "");
	const int64_t late[] = { MAY_2025, AUGUST_2025 };
	for (size_t i = 0; i < ARRAY_LEN(late); i++)
		CHECK_HAS(quote(TDX, TDXSET, PARTS, BYTES_NONE, late[i]),
			"revocation qe identity tcb info ");
	CHECK_HAS(quote(TDX, TDXSET, PARTS, BYTES_NONE, 0), "validity ");
}

TEST(sgx_quotes_are_refused_at_every_single_bit_flip)
{
	static char paths[VECTORS_SET][128];
	static struct attest_verdict v;
	static struct attest_seen seen;
	const char *files[VECTORS_SET + 1];
	struct attest_bundle b = { 0 };
	NEED_VECTORS();
	vectors_set(SET, paths, files);
	vectors_bundle(&b, SGX, files);
	struct attest_policy *p = vectors_quote_policy(&b, "");
	struct attest_input in = attest_bundle_input(&b);
	in.now = JUNE_2025;
	in.seen = &seen;
	/* What fails without any flip is the status alone. */
	CHECK(attest_verify(&in, p, &v, NULL));
	CHECK_STR(attest_failed(&v)->name, "tcb status");
	size_t fixed = 48 + 384 + 4 + 128 + 384 + 64 + 40;
	for (size_t bit = 0; bit < 8 * b.evidence.len;) {
		b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(attest_verify(&in, p, &v, NULL));
		const struct attest_check *k = attest_failed(&v);
		CHECK(k && strcmp(k->name, "tcb status") != 0);
		b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		bit += bit / 8 < fixed ? BIT_STEP : vectors_text_step(25);
	}
	attest_policy_free(p);
	attest_bundle_fini(&b);
}

TEST(sgx_quotes_are_refused_at_every_truncation_and_with_more)
{
	static char paths[VECTORS_SET][128];
	static struct attest_verdict v;
	static struct attest_seen seen;
	const char *files[VECTORS_SET + 1];
	struct attest_bundle b = { 0 };
	NEED_VECTORS();
	vectors_set(SET, paths, files);
	vectors_bundle(&b, SGX, files);
	struct attest_policy *p = vectors_quote_policy(&b, "");
	struct attest_input in = attest_bundle_input(&b);
	in.now = JUNE_2025;
	in.seen = &seen;
	CHECK(buf_u8(&b.evidence, 0));
	for (size_t n = 0; n <= b.evidence.len; n++) {
		in.evidence = bytes_of(b.evidence.ptr, n);
		CHECK(attest_verify(&in, p, &v, NULL));
		bool whole = n == b.evidence.len - 1;
		CHECK(!strcmp(attest_failed(&v)->name,
			whole ? "tcb status" : "evidence format"));
	}
	attest_policy_free(p);
	attest_bundle_fini(&b);
}
