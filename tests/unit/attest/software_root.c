/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware's formats under a software root: right in every byte, accepted
 * where a policy names that root, and never confidential. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "attest/attest.h"
#include "attest/intel.h"
#include "codec/cbor.h"
#include "codec/hex.h"
#include "codec/pem.h"
#include "soft/certs.h"
#include "soft/quoting.h"
#include "soft/x509.h"
#include "spec/snp.h"

#include "../test.h"
#include "helpers/evidence.h"
#include "helpers/vectors.h"

enum { NOW = 1790000000 };

struct trial {
	struct sample s; /* for its root alone */
	struct buf evidence, endorsements, failed;
	struct attest_verdict v;
};

static struct trial *trial_new(void)
{
	struct trial *t = calloc(1, sizeof *t);
	CHECK(t != NULL);
	sample_init(&t->s);
	return t;
}

static void trial_free(struct trial *t)
{
	sample_fini(&t->s);
	buf_fini(&t->evidence);
	buf_fini(&t->endorsements);
	buf_fini(&t->failed);
	free(t);
}

/* measures: two hexadecimal digits for each of n bytes. */
static const char *judge(struct trial *t, bool trusted, const char *table,
	const char *digits, size_t n, const char *more)
{
	char root[65];
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf toml = { 0 };
	hex_encode(BYTES_ARRAY(t->s.fingerprint), root);
	if (trusted)
		buf_fmt(&toml, "software = [\"%s\"]\n", root);
	buf_fmt(&toml, "[%s]\n%s\nmeasurements = [\"", table, more);
	for (size_t i = 0; i < n; i++)
		buf_str(&toml, digits);
	CHECK(buf_str(&toml, "\"]\n"));
	if (!attest_policy_parse(buf_bytes(&toml), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	struct attest_input in = { .evidence = buf_bytes(&t->evidence),
		.endorsements = buf_bytes(&t->endorsements),
		.now = NOW,
		.binding = ATTEST_BIND_NOTHING };
	CHECK(attest_verify(&in, p, &t->v, NULL));
	vectors_failed(&t->v, &t->failed);
	attest_policy_free(p);
	CHECK(!t->v.confidential);
	return buf_cstr(&t->failed);
}

static struct soft_quoting *quoting(struct trial *t)
{
	struct soft_quoting *q = NULL;
	struct err e = { 0 };
	if (!soft_quoting_open(t->s.root, NOW, &q, &e))
		fail_msg("%s", e.text);
	return q;
}

TEST(software_quotes_of_enclaves_are_accepted_by_the_roots_name_only)
{
	struct trial *t = trial_new();
	struct soft_quoting *q = quoting(t);
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	struct err e = { 0 };
	memset(r.mrenclave, 0xab, sizeof r.mrenclave);
	CHECK(soft_quoting_sgx(q, &r, &t->evidence, &e));
	CHECK(soft_quoting_endorsements(q, false, &t->endorsements, &e));
	CHECK_STR(judge(t, true, "sgx", "ab", 32, ""), "");
	CHECK(t->v.accepted && t->v.tee == ATTEST_SGX);
	CHECK_STR(t->v.tcb_status, "UpToDate");
	CHECK_HAS(judge(t, false, "sgx", "ab", 32, ""), "vendor root ");
	CHECK_HAS(judge(t, true, "sgx", "ac", 32, ""), "measurement ");
	/* Enclaves' collateral is none of TDs'. */
	buf_clear(&t->endorsements);
	CHECK(soft_quoting_endorsements(q, true, &t->endorsements, &e));
	CHECK_STR(judge(t, true, "sgx", "ab", 32, ""),
		"qe identity tcb info tcb status ");
	soft_quoting_close(q);
	trial_free(t);
}

TEST(software_quotes_of_trust_domains_are_accepted_by_the_roots_name_only)
{
	struct trial *t = trial_new();
	struct soft_quoting *q = quoting(t);
	struct tdx_report r = { .td_attributes =
					htole64(TDX_ATTR_SEPT_VE_OFF) };
	struct err e = { 0 };
	memset(r.mrtd, 0xcd, sizeof r.mrtd);
	CHECK(soft_quoting_endorsements(q, true, &t->endorsements, &e));
	for (unsigned td15 = 0; td15 < 2; td15++) {
		buf_clear(&t->evidence);
		CHECK(soft_quoting_tdx(q, &r, td15, &t->evidence, &e));
		CHECK_STR(judge(t, true, "tdx", "cd", 48, ""), "");
		CHECK(t->v.tee == ATTEST_TDX);
		CHECK_HAS(judge(t, false, "tdx", "cd", 48, ""), "vendor root ");
	}
	soft_quoting_close(q);
	trial_free(t);
}

TEST(software_collateral_of_one_root_serves_no_quote_of_another)
{
	struct trial *t = trial_new(), *u = trial_new();
	struct soft_quoting *q = quoting(t), *other = quoting(u);
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	struct err e = { 0 };
	memset(r.mrenclave, 0xab, sizeof r.mrenclave);
	CHECK(soft_quoting_sgx(q, &r, &t->evidence, &e));
	CHECK(soft_quoting_endorsements(other, false, &t->endorsements, &e));
	CHECK_STR(judge(t, true, "sgx", "ab", 32, ""),
		"revocation qe identity tcb info tcb status ");
	soft_quoting_close(q);
	soft_quoting_close(other);
	trial_free(t);
	trial_free(u);
}

/* A report and its endorsements; masked: it does not name the chip. */
static void snp_report(struct trial *t, bool masked)
{
	const struct soft_chip chip = { .id = { 9 },
		.tcb = { 4, 0, 0, 0, 0, 0, 24, 219 } };
	struct snp_report v = {
		.version = htole32(3),
		.policy = htole64(SNP_POLICY_ONE),
		.signature_algo = htole32(SNP_ALGO_P384_SHA384),
		.platform_info = htole64(SNP_PLATFORM_ALIAS_CHECK),
		.cpuid_family = 0x19,
		.cpuid_model = 1,
		.current_major = 1,
	};
	struct crypto_key *vcek = NULL;
	struct err e = { 0 };
	auto_buf sig = { 0 };
	memcpy(v.current_tcb, chip.tcb, 8);
	memcpy(v.reported_tcb, chip.tcb, 8);
	memcpy(v.committed_tcb, chip.tcb, 8);
	memcpy(v.launch_tcb, chip.tcb, 8);
	if (!masked)
		memcpy(v.chip_id, chip.id, 64);
	memset(v.measurement, 0x5a, sizeof v.measurement);
	memset(v.report_id_ma, 0xff, sizeof v.report_id_ma);
	CHECK(crypto_key_generate(CRYPTO_P384, &vcek, &e));
	CHECK(crypto_sign(vcek, bytes_of(&v, SNP_SIGNED_BYTES), &sig, &e));
	for (size_t i = 0; i < 48; i++) {
		v.signature.r[i] = sig.ptr[47 - i];
		v.signature.s[i] = sig.ptr[95 - i];
	}
	CHECK(buf_put(&t->evidence, bytes_of(&v, sizeof v)));
	CHECK(soft_certs_make(t->s.root, &chip, vcek, NOW, &t->endorsements,
		&e));
	crypto_key_free(vcek);
}

TEST(software_reports_of_snp_are_accepted_by_the_roots_name_only)
{
	struct trial *t = trial_new();
	snp_report(t, false);
	CHECK_STR(judge(t, true, "snp", "5a", 48, ""), "");
	CHECK(t->v.accepted && t->v.tee == ATTEST_SNP);
	CHECK_HAS(judge(t, false, "snp", "5a", 48, ""), "vendor root ");
	t->evidence.ptr[0x50] ^= 1;
	CHECK_STR(judge(t, true, "snp", "5a", 48, ""), "signature ");
	trial_free(t);
}

TEST(software_reports_of_masked_chips_need_the_policy_to_say_so)
{
	struct trial *t = trial_new();
	char more[256];
	snp_report(t, true);
	CHECK_STR(judge(t, true, "snp", "5a", 48, ""), "chip ");
	CHECK_STR(judge(t, true, "snp", "5a", 48, "allow_masked_chip = true"),
		"");
	/* Which chip it was the certificate tells. */
	int n = snprintf(more, sizeof more,
		"allow_masked_chip = true\ndeny_chip_ids = [\"09%0126d\"]", 0);
	CHECK(n > 0 && (size_t)n < sizeof more);
	CHECK_STR(judge(t, true, "snp", "5a", 48, more), "chip ");
	trial_free(t);
}

/* The serial number of certificate `n` of a chain in PEM. */
static void serial_of(struct bytes pem, size_t n, struct buf *out)
{
	struct reader r = { .in = pem };
	struct attest_cert c;
	auto_buf der = { 0 };
	for (size_t i = 0; i <= n; i++) {
		buf_clear(&der);
		CHECK(pem_next(&r, "CERTIFICATE", &der, NULL));
	}
	CHECK(attest_cert_parse(buf_bytes(&der), &c, NULL));
	CHECK(buf_put(out, c.serial));
}

/* Which of whose is on the lists: the leaf, its authority, the signer. */
TEST(revoked_certificates_of_platforms_and_signers_are_refused)
{
	static const struct {
		bool signer;
		size_t at;
		const char *want, *observed;
	} c[] = {
		{ false, 0, "revocation ", "PCK certificate is revoked" },
		{ false, 1, "revocation ", "PCK CA is revoked" },
		{ true, 0, "qe identity tcb info tcb status ",
			"signer is revoked" },
	};
	struct trial *t = trial_new();
	struct soft_quoting *q = quoting(t);
	struct attest_quote quote;
	struct intel_collateral col;
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	memset(r.mrenclave, 0xab, sizeof r.mrenclave);
	CHECK(soft_quoting_sgx(q, &r, &t->evidence, NULL));
	CHECK(attest_quote_parse(buf_bytes(&t->evidence), &quote, NULL));
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		auto_buf serial = { 0 };
		buf_clear(&t->endorsements);
		CHECK(soft_quoting_revoke(q, BYTES_NONE, NULL));
		CHECK(soft_quoting_endorsements(q, false, &t->endorsements,
			NULL));
		CHECK_STR(judge(t, true, "sgx", "ab", 32, ""), "");
		CHECK(attest_collateral_split(buf_bytes(&t->endorsements), &col,
			NULL));
		serial_of(c[i].signer ? col.tcb_chain : quote.pck_chain,
			c[i].at, &serial);
		CHECK(soft_quoting_revoke(q, buf_bytes(&serial), NULL));
		buf_clear(&t->endorsements);
		CHECK(soft_quoting_endorsements(q, false, &t->endorsements,
			NULL));
		CHECK_STR(judge(t, true, "sgx", "ab", 32, ""), c[i].want);
		CHECK_HAS(attest_failed(&t->v)->observed, c[i].observed);
	}
	soft_quoting_close(q);
	trial_free(t);
}

TEST(revoked_intermediates_of_chips_are_refused)
{
	struct trial *t = trial_new();
	const struct soft_signer ark = { .root = t->s.root,
		.name = "ARK-Milan" };
	struct attest_cert mid;
	auto_buf crl = { 0 }, out = { 0 };
	snp_report(t, false);
	struct reader r = { .in = buf_bytes(&t->endorsements) };
	CHECK_INT(cbor_head(&r, CBOR_ARRAY), 2);
	CHECK_INT(cbor_head(&r, CBOR_ARRAY), 3);
	cbor_bytes(&r);
	CHECK(attest_cert_parse(cbor_bytes(&r), &mid, NULL));
	cbor_bytes(&r);
	CHECK(!r.failed);
	CHECK(soft_x509_crl(&ark, mid.serial, NOW, &crl, NULL));
	buf_put(&out, bytes_of(t->endorsements.ptr, r.at));
	cbor_put_head(&out, CBOR_ARRAY, 1);
	CHECK(cbor_put_bytes(&out, buf_bytes(&crl)));
	CHECK_STR(judge(t, true, "snp", "5a", 48, ""), "");
	buf_clear(&t->endorsements);
	CHECK(buf_put(&t->endorsements, buf_bytes(&out)));
	CHECK_STR(judge(t, true, "snp", "5a", 48, ""), "revocation ");
	CHECK_HAS(attest_failed(&t->v)->observed, "intermediate is revoked");
	trial_free(t);
}

/* The first place of `from` in b gets `to`, of the same length. */
static void put_over(struct bytes b, const char *from, const char *to)
{
	size_t n = strlen(from), at = 0;
	while (at + n <= b.len && memcmp(b.ptr + at, from, n) != 0)
		at++;
	CHECK(at + n <= b.len);
	memcpy((uint8_t *)(uintptr_t)(b.ptr + at), to, n);
}

static const char *chain_says(const struct trial *t)
{
	for (size_t i = 0; i < t->v.count; i++)
		if (!strcmp(t->v.checks[i].name, "chain"))
			return t->v.checks[i].observed;
	return "";
}

TEST(leaves_of_another_name_are_refused_by_it)
{
	struct trial *t = trial_new();
	struct soft_quoting *q = quoting(t);
	struct sgx_report r = {
		.attributes = { SGX_FLAG_INIT | SGX_FLAG_MODE64BIT },
	};
	struct attest_quote quote;
	auto_buf leaf = { 0 }, pem = { 0 };
	snp_report(t, false);
	put_over(buf_bytes(&t->endorsements), "SEV-VCEK", "SEV-VCEX");
	CHECK_HAS(judge(t, true, "snp", "5a", 48, ""), "chain ");
	CHECK_STR(chain_says(t), "leaf of another kind");
	buf_clear(&t->evidence);
	buf_clear(&t->endorsements);
	CHECK(soft_quoting_sgx(q, &r, &t->evidence, NULL));
	CHECK(soft_quoting_endorsements(q, false, &t->endorsements, NULL));
	CHECK(attest_quote_parse(buf_bytes(&t->evidence), &quote, NULL));
	struct reader in = { .in = quote.pck_chain };
	CHECK(pem_next(&in, "CERTIFICATE", &leaf, NULL));
	put_over(buf_bytes(&leaf), "PCK Certificate", "PCK Certificatf");
	CHECK(pem_put(&pem, "CERTIFICATE", buf_bytes(&leaf)));
	CHECK(pem.len <= quote.pck_chain.len);
	memcpy((uint8_t *)(uintptr_t)quote.pck_chain.ptr, pem.ptr, pem.len);
	CHECK_HAS(judge(t, true, "sgx", "00", 32, ""), "chain ");
	CHECK_STR(chain_says(t), "leaf of another kind");
	soft_quoting_close(q);
	trial_free(t);
}
