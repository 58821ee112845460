/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's collateral: signed documents about TCBs and quoting enclaves. */
#include "attest/intel.h"
#include "attest/time.h"
#include "codec/cbor.h"
#include "codec/hex.h"

enum { PARTS = 8, VERSION = 3, MAX_JSON = 1 << 20, ECDSA_BYTES = 64 };

bool attest_collateral_split(struct bytes in, struct intel_collateral *out,
	struct err *e)
{
	struct reader r = { .in = in };
	struct bytes part[PARTS - 1];
	bool ok = cbor_head(&r, CBOR_ARRAY) == PARTS &&
		cbor_head(&r, CBOR_UINT) == VERSION;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		part[i] = cbor_bytes(&r);
	if (!ok || !reader_done(&r))
		return err_fail(e, ERR_INPUT,
			"%zu bytes that are no collateral", in.len);
	*out = (struct intel_collateral){ .root_crl = part[1],
		.pck_crl = part[2],
		.tcb_chain = part[3],
		.tcb_info = part[4],
		.qe_chain = part[5],
		.qe_identity = part[6] };
	return true;
}

static bool fresh(int64_t from, const struct intel_terms *t, struct err *e)
{
	if (!t->max_age || t->now - from <= t->max_age)
		return true;
	return err_fail(e, ERR_DENIED, "%lld days old, at most %lld",
		(long long)((t->now - from) / 86400),
		(long long)(t->max_age / 86400));
}

static bool dates(const json_t *o, struct intel_terms *t, struct err *e)
{
	const char *from_text, *to_text;
	int64_t from, to;
	if (!json_member_str(o, "issueDate", 32, &from_text, e) ||
		!json_member_str(o, "nextUpdate", 32, &to_text, e))
		return false;
	if (!attest_time_parse(from_text, &from) ||
		!attest_time_parse(to_text, &to))
		return err_fail(e, ERR_INPUT, "dates are none");
	if (t->now < from || t->now > to)
		return attest_time_outside("document", from, to, t->now, e);
	if (to < t->expires)
		t->expires = to;
	return fresh(from, t, e);
}

bool attest_collateral_crl(struct bytes der, const struct attest_cert *issuer,
	struct intel_terms *t, struct attest_crl *out, struct err *e)
{
	if (!der.len)
		return err_fail(e, ERR_DENIED, "no revocation list");
	if (!attest_crl_parse(der, out, e) ||
		!attest_crl_signed_by(out, issuer, t->seen, e))
		return err_wrap(e, "revocation list");
	if (t->now < out->from || t->now > out->to)
		return attest_time_outside("revocation list", out->from,
			out->to, t->now, e);
	if (out->to < t->expires)
		t->expires = out->to;
	return fresh(out->from, t, e) || err_wrap(e, "revocation list");
}

/* The key that signs documents: chain, dates, not revoked, that very job. */
static bool check_signer(const struct intel_chain *c,
	const struct intel_signed *s, struct intel_terms *t, struct err *e)
{
	struct attest_crl crl;
	int64_t to;
	if (!attest_chain_signed(c, t, e))
		return err_wrap(e, "signer");
	if (!bytes_equal(attest_cert_cn(c->cert[0].subject),
		    BYTES_LIT("Intel SGX TCB Signing")))
		return err_fail(e, ERR_DENIED, "signer of another kind");
	if (s->undated)
		return true;
	if (!attest_chain_valid(c, t->now, &to))
		return err_fail(e, ERR_DENIED, "signer is out of date");
	if (!attest_collateral_crl(s->root_crl, &c->cert[1], t, &crl, e))
		return false;
	if (attest_crl_has(&crl, c->cert[0].serial))
		return err_fail(e, ERR_DENIED, "signer is revoked");
	if (to < t->expires)
		t->expires = to;
	return true;
}

/* The signature covers the bytes of the object as they were served. */
static bool check_document(const struct attest_cert *signer,
	struct intel_signed *s, struct intel_terms *t, struct bytes *object,
	struct err *e)
{
	static const char *const known[] = { NULL, "signature", NULL };
	const char *members[3];
	uint8_t sig[ECDSA_BYTES];
	json_t *all;
	memcpy(members, known, sizeof members);
	members[0] = s->member;
	if (!json_parse(s->document, MAX_JSON, &all, e))
		return false;
	bool ok = json_no_more(all, members, e) &&
		json_member_hex(all, "signature", sig, sizeof sig, e);
	json_decref(all);
	if (!ok)
		return false;
	if (!json_span(s->document, s->member, object))
		return err_fail(e, ERR_INPUT, "no %s", s->member);
	return attest_seen_p256(t->seen, signer->spki, *object,
		       BYTES_ARRAY(sig), e) ||
		err_wrap(e, "document");
}

static bool check_object(const json_t *o, struct intel_signed *s,
	struct intel_terms *t, struct err *e)
{
	const char *id;
	uint64_t version;
	if (!json_member_str(o, "id", 16, &id, e) ||
		!json_member_u64(o, "version", 0, 99, &version, e) ||
		!json_member_u64(o, "tcbEvaluationDataNumber", 0, UINT32_MAX,
			&s->evaluation, e))
		return false;
	if (strcmp(id, s->id) != 0)
		return err_fail(e, ERR_DENIED, "id is not %s", s->id);
	if (version != s->version)
		return err_fail(e, ERR_DENIED, "version is not %llu",
			(unsigned long long)s->version);
	return s->undated || dates(o, t, e);
}

bool attest_collateral_open(struct intel_signed *s, struct intel_terms *t,
	json_t **out, struct err *e)
{
	struct intel_chain chain;
	struct bytes object;
	json_t *o;
	if (!attest_chain_read(s->chain, 2, &chain, e))
		return err_wrap(e, "signer");
	bool ok = check_signer(&chain, s, t, e) &&
		check_document(&chain.cert[0], s, t, &object, e);
	attest_chain_fini(&chain);
	if (!ok || !json_parse(object, MAX_JSON, &o, e))
		return false;
	if (!check_object(o, s, t, e)) {
		json_decref(o);
		return false;
	}
	*out = o;
	return true;
}
