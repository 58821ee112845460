/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "codec/cbor.h"
#include "codec/hex.h"
#include "spec/sanctum.h"
#include "spec/snp.h"

#include "../test.h"
#include "helpers/vectors.h"

#define MS_MILAN "open/snp/ms-milan-v3-reissued-vcek"
#define AZ_MILAN "open/snp/az-milan-v3-a"
#define TURIN	 "open/snp/ms-turin-v5"
#define STEWARD	 "open/snp/steward-milan-v2-authorkey"
#define VLEK	 "open/snp/trustee-milan-v3-vlek-vmpl1"
#define NO_CRL	 "crl = \"optional\"\n"
#define NO_ALIAS "require_alias_check = false\n"

/* Under sanitizers one bit of each byte, in turn, stands for its eight. */
#ifdef __SANITIZE_ADDRESS__
#define BIT_STEP 9
#else
#define BIT_STEP 1
#endif

enum {
	IN_2026 = 1772000000, /* 2026-02-25 */
	IN_2025 = 1740000000, /* 2025-02-19 */
	IN_2022 = 1666000000, /* 2022-10-17, when the Milan list was current */
};

/* A report, its endorsements and a policy that accepts it. */
struct trial {
	struct attest_bundle b;
	struct attest_policy *p;
	int64_t now;
	struct buf failed;
	struct attest_verdict v;
	struct attest_seen seen;
};

static void trial_policy(struct trial *t, const char *more)
{
	attest_policy_free(t->p);
	t->p = vectors_snp_policy(&t->b, more);
}

static bool trial_init(struct trial *t, const char *report, int64_t now,
	const char *const *certs, const char *more)
{
	auto_buf probe = { 0 };
	if (!vectors_read("INDEX.tsv", &probe))
		return false;
	*t = (struct trial){ .now = now };
	vectors_bundle(&t->b, report, certs);
	trial_policy(t, more);
	return true;
}

static void trial_fini(struct trial *t)
{
	attest_policy_free(t->p);
	attest_bundle_fini(&t->b);
	buf_fini(&t->failed);
}

/* The names of what failed. */
static const char *judge(struct trial *t)
{
	struct attest_input in = { .evidence = buf_bytes(&t->b.evidence),
		.endorsements = buf_bytes(&t->b.endorsements),
		.now = t->now,
		.seen = &t->seen,
		.binding = ATTEST_BIND_NOTHING };
	CHECK(attest_verify(&in, t->p, &t->v, NULL));
	vectors_failed(&t->v, &t->failed);
	CHECK(t->v.accepted == (t->failed.len == 0));
	return buf_cstr(&t->failed);
}

static const char *const ms_milan[] = { MS_MILAN ".vcek.der",
	"open/roots/ask_milan.der", "open/roots/ark_milan.der", NULL };
static const char *const turin[] = { TURIN ".vcek.der",
	"open/roots/ask_turin.der", "open/roots/ark_turin.der", NULL };
static const char *const steward[] = { STEWARD ".vcek.der",
	"open/roots/ask_milan.der", "open/roots/ark_milan.der",
	"open/roots/ark_milan.crl.der", NULL };
static const char *const vlek[] = { VLEK ".vlek.der",
	"open/roots/asvk_milan.der", "open/roots/ark_milan.der", NULL };

#define TRIAL(t, name, now, certs, more)                                   \
	static struct trial t;                                             \
	if (!trial_init(&(t), name ".report.bin", (now), (certs), (more))) \
	SKIP_TEST("no vectors: DONJON_SHARED is absent")

TEST(snp_by_default_wants_a_current_revocation_list)
{
	TRIAL(t, STEWARD, IN_2022, steward, NO_ALIAS);
	CHECK_STR(judge(&t), "");
	CHECK(t.v.confidential && t.v.tee == ATTEST_SNP);
	CHECK_STR(t.v.technology, "snp");
	CHECK_INT(t.v.expires, 1683673200); /* the list's, 2023-05-09 */
	t.now = IN_2026;
	CHECK_STR(judge(&t), "revocation ");
	CHECK(!t.v.confidential);
	trial_policy(&t, NO_ALIAS NO_CRL); /* given means looked at */
	CHECK_STR(judge(&t), "revocation ");
	trial_fini(&t);
	TRIAL(u, MS_MILAN, IN_2026, ms_milan, "");
	CHECK_STR(judge(&u), "revocation ");
	trial_fini(&u);
}

TEST(snp_revocation_lists_are_of_the_same_root_and_whole)
{
	static const char *const genoa_list[] = { STEWARD ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der",
		"open/roots/ark_genoa.crl.der", NULL };
	TRIAL(t, STEWARD, IN_2022, genoa_list, NO_ALIAS NO_CRL);
	CHECK_STR(judge(&t), "revocation ");
	CHECK_HAS(attest_failed(&t.v)->observed, "no list of this root");
	trial_fini(&t);
	TRIAL(u, STEWARD, IN_2022, steward, NO_ALIAS);
	/* The last byte of the list's signature ends the endorsements. */
	u.b.endorsements.ptr[u.b.endorsements.len - 1] ^= 1;
	CHECK_STR(judge(&u), "revocation ");
	trial_fini(&u);
}

TEST(snp_by_default_wants_memory_checked_for_aliases)
{
	TRIAL(t, STEWARD, IN_2022, steward, "");
	CHECK_STR(judge(&t), "platform ");
	CHECK_HAS(attest_failed(&t.v)->observed, "aliases");
	trial_fini(&t);
}

TEST(snp_certificates_are_judged_at_the_time_given)
{
	TRIAL(t, MS_MILAN, IN_2026, ms_milan, NO_CRL);
	CHECK_STR(judge(&t), "");
	t.now = IN_2022;
	CHECK_STR(judge(&t), "validity ");
	t.now = (int64_t)IN_2026 + 10LL * 365 * 86400;
	CHECK_STR(judge(&t), "validity ");
	trial_fini(&t);
}

TEST(snp_refuses_the_chain_of_another_chip)
{
	static const char *const other[] = { AZ_MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_milan.der", NULL };
	TRIAL(t, MS_MILAN, IN_2026, other, NO_CRL);
	CHECK_STR(judge(&t), "chip signature ");
	trial_fini(&t);
}

TEST(snp_refuses_the_chain_of_another_product)
{
	static const char *const genoa[] = { "open/snp/ms-genoa-v3.vcek.der",
		"open/roots/ask_genoa.der", "open/roots/ark_genoa.der", NULL };
	TRIAL(t, MS_MILAN, IN_2026, genoa, NO_CRL);
	CHECK_STR(judge(&t), "product certified tcb chip signature ");
	trial_fini(&t);
	TRIAL(u, MS_MILAN, IN_2026, turin, NO_CRL);
	CHECK_HAS(judge(&u), "product certified tcb chip signature ");
	trial_fini(&u);
}

TEST(snp_refuses_a_swapped_intermediate_or_root)
{
	static const char *const asvk[] = { MS_MILAN ".vcek.der",
		"open/roots/asvk_milan.der", "open/roots/ark_milan.der", NULL };
	static const char *const mixed[] = { MS_MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/ark_genoa.der", NULL };
	TRIAL(t, MS_MILAN, IN_2026, asvk, NO_CRL);
	CHECK_STR(judge(&t), "chain ");
	trial_fini(&t);
	TRIAL(u, MS_MILAN, IN_2026, mixed, NO_CRL);
	CHECK_HAS(judge(&u), "chain product ");
	trial_fini(&u);
}

TEST(snp_refuses_a_root_that_is_not_pinned)
{
	/* Authority, self-signed, of the right shape: Intel's. */
	static const char *const intel[] = { MS_MILAN ".vcek.der",
		"open/roots/ask_milan.der", "open/roots/intel_sgx_root_ca.der",
		NULL };
	TRIAL(t, MS_MILAN, IN_2026, intel, NO_CRL);
	CHECK_HAS(judge(&t), "vendor root chain ");
	trial_fini(&t);
}

TEST(snp_accepts_turins_byte_map)
{
	TRIAL(t, TURIN, IN_2026, turin, NO_CRL);
	CHECK_STR(judge(&t), "");
	trial_policy(&t,
		NO_CRL "minimum_tcb = { turin = { fmc = 1, bootloader = 1, "
		       "tee = 1, snp = 4, microcode = 81 } }");
	CHECK_STR(judge(&t), "");
	trial_policy(&t, NO_CRL "minimum_tcb = { turin = { microcode = 82 } }");
	CHECK_STR(judge(&t), "minimum tcb ");
	CHECK_HAS(attest_failed(&t.v)->observed, "snp 4, microcode 81");
	trial_policy(&t, NO_CRL "minimum_tcb = { milan = { snp = 255 } }");
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(snp_policies_narrow_products_and_chips)
{
	TRIAL(t, TURIN, IN_2026, turin, NO_CRL "products = [\"milan\"]");
	CHECK_STR(judge(&t), "product ");
	trial_policy(&t,
		NO_CRL "products = [\"turin\"]\n"
		       "chip_ids = [\"59790fb1c39f35c1\"]");
	CHECK_STR(judge(&t), "");
	trial_policy(&t, NO_CRL "chip_ids = [\"59790fb1c39f35c2\"]");
	CHECK_STR(judge(&t), "chip ");
	trial_fini(&t);
}

TEST(snp_vleks_are_accepted_of_named_providers_only)
{
	TRIAL(t, VLEK, IN_2025, vlek, NO_CRL "vmpl = 1");
	CHECK_STR(judge(&t), "chip ");
	CHECK_HAS(attest_failed(&t.v)->observed, "CN=cc-us-east-2.amazonaws");
	trial_policy(&t, NO_CRL "vmpl = 1\ncsp_ids = [\"CN=other\"]");
	CHECK_STR(judge(&t), "chip ");
	trial_policy(&t,
		NO_CRL "vmpl = 1\n"
		       "csp_ids = [\"CN=cc-us-east-2.amazonaws.com\"]");
	CHECK_STR(judge(&t), "");
	trial_policy(&t,
		NO_CRL "csp_ids = "
		       "[\"CN=cc-us-east-2.amazonaws.com\"]");
	CHECK_STR(judge(&t), "vmpl ");
	trial_fini(&t);
}

TEST(snp_policies_ask_for_the_guests_policy)
{
	TRIAL(t, MS_MILAN, IN_2026, ms_milan, NO_CRL "allow_smt = false");
	CHECK_STR(judge(&t), "guest policy platform ");
	trial_policy(&t, NO_CRL "require_single_socket = true");
	CHECK_STR(judge(&t), "guest policy ");
	trial_policy(&t, NO_CRL "require_ciphertext_hiding = true");
	CHECK_STR(judge(&t), "platform ");
	trial_policy(&t, NO_CRL "minimum_abi = \"0.32\"");
	CHECK_STR(judge(&t), "guest policy ");
	trial_policy(&t, NO_CRL "minimum_abi = \"0.31\"");
	CHECK_STR(judge(&t), "");
	trial_policy(&t, NO_CRL "minimum_guest_svn = 3");
	CHECK_STR(judge(&t), "guest svn ");
	trial_policy(&t, NO_CRL "minimum_guest_svn = 2");
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(snp_policies_name_signers)
{
	static const char author[] =
		"author_keys = [\"7dc22240a8344fce6ba5f22ffbedabc52d4123ae0ba1"
		"c59796e521b953916b503f223b15c4429e7d8c5489ad71f1e193\"]\n";
	static const char id_key[] =
		"id_keys = [\"d71a4d1da440d515cd69fbb1314acf4221726e82768a8bf6"
		"e4a4063ed542ac78349c8145b4666a4242a91a374387b473\"]\n";
	static const char denied[] =
		"deny_keys = [\"7dc22240a8344fce6ba5f22ffbedabc52d4123ae0ba1"
		"c59796e521b953916b503f223b15c4429e7d8c5489ad71f1e193\"]\n";
	auto_buf text = { 0 };
	TRIAL(t, STEWARD, IN_2022, steward, NO_ALIAS);
	CHECK(buf_fmt(&text, "%s%s", NO_ALIAS, author));
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "");
	buf_clear(&text);
	CHECK(buf_fmt(&text, "%s%s", NO_ALIAS, id_key));
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "");
	buf_clear(&text);
	CHECK(buf_fmt(&text, "%s%s%s", NO_ALIAS, id_key, denied));
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "signer ");
	trial_fini(&t);
	/* A report without signer, where one is asked for. */
	buf_clear(&text);
	CHECK(buf_fmt(&text, "%s%s", NO_CRL, author));
	TRIAL(u, MS_MILAN, IN_2026, ms_milan, buf_cstr(&text));
	CHECK_STR(judge(&u), "signer ");
	trial_fini(&u);
}

TEST(snp_report_data_and_host_data_are_compared_when_asked_for)
{
	TRIAL(t, MS_MILAN, IN_2026, ms_milan, NO_CRL);
	uint8_t want[64];
	memcpy(want, t.b.evidence.ptr + 0x50, 64);
	struct attest_input in = { .evidence = buf_bytes(&t.b.evidence),
		.endorsements = buf_bytes(&t.b.endorsements),
		.now = t.now,
		.binding = ATTEST_BIND_NOTHING,
		.report_data = BYTES_ARRAY(want) };
	CHECK(attest_verify(&in, t.p, &t.v, NULL));
	CHECK(t.v.accepted);
	want[63] ^= 1;
	CHECK(attest_verify(&in, t.p, &t.v, NULL));
	CHECK_STR(attest_failed(&t.v)->name, "report_data");
	/* As a Keep's evidence it binds nothing. */
	in.binding = ATTEST_BIND_KEEP;
	CHECK(attest_verify(&in, t.p, &t.v, NULL));
	CHECK_STR(attest_failed(&t.v)->name, "report_data");
	char hex[65];
	auto_buf text = { 0 };
	hex_encode(bytes_of(t.b.evidence.ptr + 0xc0, 32), hex);
	CHECK(buf_fmt(&text, "%shost_data = [\"%s\"]", NO_CRL, hex));
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "");
	text.ptr[text.len - 3] ^= 1;
	trial_policy(&t, buf_cstr(&text));
	CHECK_STR(judge(&t), "host data ");
	trial_fini(&t);
}

TEST(snp_reports_are_refused_at_every_truncation_and_with_more)
{
	TRIAL(t, MS_MILAN, IN_2026, ms_milan, NO_CRL);
	size_t whole = t.b.evidence.len;
	for (size_t n = 0; n < whole; n++) {
		t.b.evidence.len = n;
		/* Of two lengths it could be a Sanctum monitor's. */
		CHECK_HAS(judge(&t),
			n == SANCTUM_SHORT_BYTES || n == SANCTUM_LONG_BYTES ?
				"vendor root chain " :
				"evidence format ");
	}
	t.b.evidence.len = whole;
	CHECK(buf_u8(&t.b.evidence, 0));
	CHECK_HAS(judge(&t), "evidence format ");
	trial_fini(&t);
}

TEST(snp_reports_are_refused_at_every_single_bit_flip)
{
	TRIAL(t, TURIN, IN_2026, turin, NO_CRL);
	for (size_t bit = 0; bit < 8 * SNP_REPORT_BYTES; bit += BIT_STEP) {
		t.b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		const char *failed = judge(&t);
		CHECK(strstr(failed, "signature ") ||
			strstr(failed, "evidence format "));
		t.b.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK_STR(judge(&t), "");
	trial_fini(&t);
}

TEST(snp_endorsements_are_refused_when_changed_or_cut)
{
	TRIAL(t, STEWARD, IN_2022, steward, NO_ALIAS);
	struct buf *ends = &t.b.endorsements;
	for (size_t i = 0; i < ends->len; i += 5) {
		ends->ptr[i] ^= (uint8_t)(1u << i % 8);
		CHECK(*judge(&t));
		ends->ptr[i] ^= (uint8_t)(1u << i % 8);
	}
	size_t whole = ends->len;
	for (size_t n = 0; n < whole; n++) {
		ends->len = n;
		CHECK_HAS(judge(&t), "endorsements ");
	}
	ends->len = whole;
	CHECK_STR(judge(&t), "");
	CHECK(buf_u8(ends, 0));
	CHECK_HAS(judge(&t), "endorsements ");
	trial_fini(&t);
}
