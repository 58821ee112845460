/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes of Intel SGX and TDX: what both have in common. */
#include "attest/intel.h"

#include <endian.h>

#include "attest/enclave.h"
#include "attest/time.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "crypto/key.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };
enum { P256_SPKI_BYTES = 91, ECDSA_BYTES = 64 };

/* One quote under judgement. */
struct intel_case {
	struct attest_case *c;
	struct attest_quote q;
	struct tdx_report td;	  /* zeros behind a TDX 1.0 body */
	struct intel_chain chain; /* of the PCK certificate */
	struct intel_pck pck;
	struct intel_collateral col;
	bool has_col;
	bool software; /* the chain ends in a software root */
	struct intel_terms terms;
	struct intel_level level;
};

/* Notes a check that either holds or has a reason why not. */
static void note(struct attest_case *c, const char *name, bool ok,
	const char *good, const struct err *why, const char *required)
{
	struct attest_check *k = attest_check(c->out, name, ok);
	fmt(k->observed, TEXT, "%s", ok ? good : why->text);
	fmt(k->required, TEXT, "%s", required);
}

static const struct attest_intel_rules *rules(const struct intel_case *i)
{
	return i->q.tdx ? &i->c->policy->tdx.intel : &i->c->policy->sgx.intel;
}

static bool is_pck_ca(struct bytes cn)
{
	return bytes_equal(cn, BYTES_LIT("Intel SGX PCK Platform CA")) ||
		bytes_equal(cn, BYTES_LIT("Intel SGX PCK Processor CA"));
}

/* The chain in the quote: leaf, authority, root, in this order. */
static bool pck_chain_ok(struct intel_case *i, struct err *e)
{
	if (!attest_pck_read(&i->chain.cert[0], &i->pck, e))
		return false;
	if (!is_pck_ca(attest_cert_cn(i->chain.cert[1].subject)))
		return err_fail(e, ERR_DENIED, "authority of another kind");
	if (!bytes_equal(attest_cert_cn(i->chain.cert[0].subject),
		    BYTES_LIT("Intel SGX PCK Certificate")))
		return err_fail(e, ERR_DENIED, "leaf of another kind");
	return attest_chain_signed(&i->chain, &i->terms, e);
}

static void check_chain(struct intel_case *i)
{
	struct err why = { 0 };
	struct attest_case *c = i->c;
	enum attest_root root = attest_check_root(c, i->chain.cert[2].spki,
		&attest_intel_root, 1, "Intel SGX Root CA", i->terms.root);
	i->software = root == ATTEST_ROOT_SOFTWARE;
	note(c, "chain", pck_chain_ok(i, &why), "PCK leaf, PCK CA, root", &why,
		"each signed by the next, the root by itself");
	int64_t to = 0;
	bool ok = attest_chain_valid(&i->chain, c->in->now, &to);
	struct attest_check *k = attest_check(c->out, "validity", ok);
	char now_text[ATTEST_TIME_TEXT], to_text[ATTEST_TIME_TEXT];
	attest_time_print(c->in->now, now_text);
	attest_time_print(to, to_text);
	fmt(k->observed, TEXT, "now is %s", now_text);
	fmt(k->required, TEXT, "all dates around now; the first ends at %s",
		to_text);
	attest_check_expires(c->out, to);
}

static bool not_revoked(struct intel_case *i, struct err *e)
{
	const struct attest_cert *cert = i->chain.cert;
	struct attest_crl root, pck;
	if (!attest_collateral_crl(i->col.root_crl, &cert[2], &i->terms, &root,
		    e))
		return err_wrap(e, "root");
	if (!attest_collateral_crl(i->col.pck_crl, &cert[1], &i->terms, &pck,
		    e))
		return err_wrap(e, "PCK CA");
	if (attest_crl_has(&root, cert[1].serial))
		return err_fail(e, ERR_DENIED, "PCK CA is revoked");
	if (attest_crl_has(&pck, cert[0].serial))
		return err_fail(e, ERR_DENIED, "PCK certificate is revoked");
	return true;
}

/* A signature by a bare point x || y. */
static bool point_signed(struct bytes point, struct bytes message,
	struct bytes sig)
{
	static const uint8_t prefix[27] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07,
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
		0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
		0x04 };
	uint8_t spki[P256_SPKI_BYTES];
	struct crypto_key *k = NULL;
	memcpy(spki, prefix, sizeof prefix);
	memcpy(spki + sizeof prefix, point.ptr, ECDSA_BYTES);
	bool ok = crypto_key_from_spki(BYTES_ARRAY(spki), &k, NULL) &&
		crypto_verify(k, message, sig, NULL);
	crypto_key_free(k);
	return ok;
}

static bool leaf_signed(const struct intel_case *i)
{
	return attest_seen_p256(i->terms.seen, i->chain.cert[0].spki,
		i->q.qe_report, i->q.qe_sig, NULL);
}

/* The quoting enclave says whose the attestation key is. */
static bool key_bound(const struct attest_quote *q, const struct sgx_report *qe)
{
	uint8_t want[64] = { 0 };
	auto_buf both = { 0 };
	return buf_put(&both, q->key) && buf_put(&both, q->qe_auth) &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&both), want, NULL) &&
		!memcmp(want, qe->report_data, sizeof want);
}

static void check_signatures(struct intel_case *i, const struct sgx_report *qe)
{
	struct attest_case *c = i->c;
	const struct err not = { .text = "not of that key" };
	if (i->chain.count)
		note(c, "qe signature", leaf_signed(i), "of that key", &not,
			"ECDSA P-256 of the PCK certificate's key");
	else
		attest_check_unmade(c->out, "qe signature", "no chain");
	note(c, "attestation key", key_bound(&i->q, qe), "bound",
		&(struct err){ .text = "not bound by the quoting enclave" },
		"its SHA-256 in the quoting enclave's report");
	note(c, "signature", point_signed(i->q.key, i->q.signed_part, i->q.sig),
		"of that key", &not, "ECDSA P-256 of the attestation key");
}

static bool evaluation_ok(const struct intel_case *i,
	const struct intel_signed *s, struct err *e)
{
	if (s->evaluation >= rules(i)->minimum_evaluation)
		return true;
	return err_fail(e, ERR_DENIED, "evaluation number %llu below %u",
		(unsigned long long)s->evaluation,
		rules(i)->minimum_evaluation);
}

static bool qe_identity_ok(struct intel_case *i, const struct sgx_report *qe,
	struct err *e)
{
	struct intel_signed s = { .chain = i->col.qe_chain,
		.document = i->col.qe_identity,
		.root_crl = i->col.root_crl,
		.member = "enclaveIdentity",
		.id = i->q.tdx ? "TD_QE" : "QE",
		.version = 2 };
	json_t *o;
	if (!attest_collateral_open(&s, &i->terms, &o, e))
		return false;
	bool ok = evaluation_ok(i, &s, e) &&
		attest_level_qe(o, qe, &rules(i)->advisories, &i->level, e);
	json_decref(o);
	return ok;
}

/* That TCB info speaks of this very platform. */
static bool platform_ok(const struct intel_case *i, const json_t *o,
	struct err *e)
{
	uint8_t fmspc[6], pceid[2];
	if (!json_member_hex(o, "fmspc", fmspc, sizeof fmspc, e) ||
		!json_member_hex(o, "pceId", pceid, sizeof pceid, e))
		return false;
	if (memcmp(fmspc, i->pck.fmspc, sizeof fmspc) != 0)
		return err_fail(e, ERR_DENIED, "of another FMSPC");
	if (memcmp(pceid, i->pck.pceid, sizeof pceid) != 0)
		return err_fail(e, ERR_DENIED, "of another PCE");
	return true;
}

static bool tcb_info_ok(struct intel_case *i, json_t **out, struct err *e)
{
	struct intel_signed s = { .chain = i->col.tcb_chain,
		.document = i->col.tcb_info,
		.root_crl = i->col.root_crl,
		.member = "tcbInfo",
		.id = i->q.tdx ? "TDX" : "SGX",
		.version = 3 };
	json_t *o;
	if (!attest_collateral_open(&s, &i->terms, &o, e))
		return false;
	if (!evaluation_ok(i, &s, e) || !platform_ok(i, o, e)) {
		json_decref(o);
		return false;
	}
	*out = o;
	return true;
}

static bool accepts(const struct attest_names *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->ptr[i], name) == 0)
			return true;
	return false;
}

static void check_status(struct intel_case *i, const json_t *info, bool qe_ok)
{
	const struct attest_intel_rules *r = rules(i);
	struct attest_verdict *v = i->c->out;
	struct intel_level *l = &i->level;
	struct err why = { 0 };
	bool td15 = i->q.body.len == sizeof i->td;
	if (!qe_ok)
		l->qe = INTEL_UP_TO_DATE; /* that check has failed already */
	if (!info) {
		attest_check_unmade(v, "tcb status", "no TCB info");
		return;
	}
	if (!attest_level_find(info, &i->pck, i->q.tdx ? &i->td : NULL, td15,
		    &r->advisories, l, &why)) {
		note(i->c, "tcb status", false, "", &why, "a level");
		return;
	}
	const char *name = attest_status_name(l->all);
	bool ok = l->all == INTEL_UP_TO_DATE ||
		(l->all < INTEL_REVOKED && accepts(&r->statuses, name) &&
			l->advisories_allowed == l->advisory_count);
	struct attest_check *k = attest_check(v, "tcb status", ok);
	fmt(k->observed, TEXT, "%s%s%s", name, l->advisory_count ? " " : "",
		l->advisories);
	fmt(k->required, TEXT,
		r->statuses.count ?
			"UpToDate, or a status and advisories that the policy names" :
			"UpToDate");
	fmt(v->tcb_status, sizeof v->tcb_status, "%s", name);
	fmt(v->advisories, sizeof v->advisories, "%s", l->advisories);
}

/* What only some policies ask for. */
static void check_platform(struct intel_case *i, bool status)
{
	const struct attest_intel_rules *r = rules(i);
	char have[ATTEST_TIME_TEXT], want[ATTEST_TIME_TEXT];
	attest_check_one_of(i->c, "fmspc", BYTES_ARRAY(i->pck.fmspc),
		&r->fmspcs);
	if (!r->minimum_tcb_date)
		return;
	struct attest_check *k = attest_check(i->c->out, "tcb date",
		status && i->level.date >= r->minimum_tcb_date);
	attest_time_print(i->level.date, have);
	attest_time_print(r->minimum_tcb_date, want);
	fmt(k->observed, TEXT, "%s", have);
	fmt(k->required, TEXT, "at least %s", want);
}

static void check_collateral(struct intel_case *i, const struct sgx_report *qe)
{
	static const char *const names[] = { "revocation", "qe identity",
		"tcb info", "tdx module", "tcb status" };
	struct attest_case *c = i->c;
	struct err why = { 0 };
	json_t *info = NULL;
	if (!i->has_col || !i->chain.count) {
		for (size_t n = 0; n < ARRAY_LEN(names); n++)
			if (n != 3 || i->q.tdx)
				attest_check_unmade(c->out, names[n],
					"no collateral");
		return;
	}
	note(c, "revocation", not_revoked(i, &why), "not revoked", &why,
		"current lists of root and PCK CA without any of the chain");
	bool qe_ok = qe_identity_ok(i, qe, &why);
	note(c, "qe identity", qe_ok, "Intel's quoting enclave", &why,
		"the enclave of a current identity signed by Intel");
	note(c, "tcb info", tcb_info_ok(i, &info, &why), "of this platform",
		&why, "current, signed by Intel, of this platform");
	if (i->q.tdx && info)
		note(c, "tdx module", attest_level_module(info, &i->td, &why),
			"Intel's", &why, "a module that the TCB info names");
	else if (i->q.tdx)
		attest_check_unmade(c->out, "tdx module", "no TCB info");
	check_status(i, info, qe_ok);
	check_platform(i, info != NULL);
	json_decref(info);
	if (i->terms.expires != INT64_MAX)
		attest_check_expires(c->out, i->terms.expires);
}

static void check_format(struct intel_case *i)
{
	struct attest_case *c = i->c;
	size_t trailing = i->q.trailing;
	struct attest_check *k = attest_check(c->out, "evidence format",
		!trailing || c->in->padded);
	fmt(k->observed, TEXT, "%s quote, version %u, %zu bytes behind it",
		i->q.tdx ? "TDX" : "SGX", i->q.version, trailing);
	fmt(k->required, TEXT, "a quote%s",
		c->in->padded ? "" : " and nothing behind it");
}

static void read_endorsements(struct intel_case *i)
{
	struct err why = { 0 };
	bool ok = attest_chain_read(i->q.pck_chain, 3, &i->chain, &why);
	if (ok)
		ok = i->has_col =
			attest_collateral_split(i->c->in->endorsements, &i->col,
				&why);
	note(i->c, "endorsements", ok, "a chain and collateral", &why,
		"PCK leaf, PCK CA, root, and Intel's collateral");
}

static bool judge(struct intel_case *i, struct err *e)
{
	static const char *const names[] = { "vendor root", "chain",
		"validity" };
	struct sgx_report qe;
	memcpy(&qe, i->q.qe_report.ptr, sizeof qe);
	memcpy(&i->td, i->q.body.ptr, size_min(i->q.body.len, sizeof i->td));
	check_format(i);
	read_endorsements(i);
	if (i->chain.count)
		check_chain(i);
	for (size_t n = 0; n < ARRAY_LEN(names) && !i->chain.count; n++)
		attest_check_unmade(i->c->out, names[n], "no chain");
	check_signatures(i, &qe);
	check_collateral(i, &qe);
	if (i->q.tdx)
		return attest_enclave_tdx(i->c, &i->td, e);
	struct sgx_report body;
	memcpy(&body, i->q.body.ptr, sizeof body);
	return attest_enclave_sgx(i->c, &body, e);
}

bool attest_intel(struct attest_case *c, struct err *e)
{
	/* Chains meet: what was good once is not computed twice. */
	struct attest_seen own = { 0 };
	struct intel_case i = { .c = c,
		.terms = { .now = c->in->now,
			.max_age = c->policy->max_collateral_age,
			.seen = c->in->seen ? c->in->seen : &own,
			.expires = INT64_MAX } };
	struct err why = { 0 };
	if (!attest_quote_parse(c->in->evidence, &i.q, &why)) {
		note(c, "evidence format", false, "", &why,
			"a quote of SGX or TDX, version 3 to 5");
		attest_check_common_unmade(c->out, "no quote");
		return true;
	}
	c->out->tee = i.q.tdx ? ATTEST_TDX : ATTEST_SGX;
	bool ok = judge(&i, e);
	c->out->confidential = c->out->confidential && !i.software;
	attest_chain_fini(&i.chain);
	return ok;
}
