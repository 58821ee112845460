/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's collateral: signed documents about TCBs and quoting enclaves. */
#include "attest/intel.h"
#include "codec/cbor.h"
#include "codec/der.h"
#include "codec/hex.h"
#include "crypto/key.h"

enum { PARTS = 8, VERSION = 3, MAX_JSON = 1 << 20, ECDSA_BYTES = 64 };
enum { P256_SPKI_BYTES = 91 };

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

/* As DER has it, but for the punctuation. */
bool attest_collateral_time(const char *text, int64_t *out)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	uint8_t der[17] = { DER_TIME, 15 };
	size_t n = 2;
	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		if (form[i] == '0' || form[i] == 'Z')
			der[n++] = (uint8_t)text[i];
		else if (text[i] != form[i])
			return false;
	}
	struct reader r = { .in = BYTES_ARRAY(der) };
	*out = der_time(&r);
	return reader_done(&r);
}

static bool dates(const json_t *o, struct intel_signed *s, struct err *e)
{
	const char *from_text, *to_text;
	int64_t from, to;
	if (!json_member_str(o, "issueDate", 32, &from_text, e) ||
		!json_member_str(o, "nextUpdate", 32, &to_text, e))
		return false;
	if (!attest_collateral_time(from_text, &from) ||
		!attest_collateral_time(to_text, &to))
		return err_fail(e, ERR_INPUT, "dates are none");
	if (s->now < from || s->now > to)
		return err_fail(e, ERR_DENIED, "of %s to %s, now is %lld",
			from_text, to_text, (long long)s->now);
	if (to < s->expires)
		s->expires = to;
	return true;
}

bool attest_collateral_crl(struct bytes der, const struct attest_cert *issuer,
	int64_t now, int64_t *expires, struct attest_crl *out, struct err *e)
{
	if (!der.len)
		return err_fail(e, ERR_DENIED, "no revocation list");
	if (!attest_crl_parse(der, out, e) ||
		!attest_crl_signed_by(out, issuer, e))
		return err_wrap(e, "revocation list");
	if (now < out->from || now > out->to)
		return err_fail(e, ERR_DENIED,
			"revocation list of %lld to %lld, now is %lld",
			(long long)out->from, (long long)out->to,
			(long long)now);
	if (out->to < *expires)
		*expires = out->to;
	return true;
}

/* The key that signs documents: chain, dates, not revoked, that very job. */
static bool check_signer(const struct intel_chain *c, struct intel_signed *s,
	struct err *e)
{
	struct attest_crl crl;
	int64_t to;
	if (!attest_chain_signed(c, e))
		return err_wrap(e, "signer");
	if (!bytes_equal(attest_cert_cn(c->cert[0].subject),
		    BYTES_LIT("Intel SGX TCB Signing")))
		return err_fail(e, ERR_DENIED, "signer of another kind");
	if (!attest_chain_valid(c, s->now, &to))
		return err_fail(e, ERR_DENIED, "signer is out of date");
	if (!attest_collateral_crl(s->root_crl, &c->cert[1], s->now,
		    &s->expires, &crl, e))
		return false;
	if (attest_crl_has(&crl, c->cert[0].serial))
		return err_fail(e, ERR_DENIED, "signer is revoked");
	if (to < s->expires)
		s->expires = to;
	return true;
}

/* The signature covers the bytes of the object as they were served. */
static bool check_document(const struct attest_cert *signer,
	struct intel_signed *s, struct bytes *object, struct err *e)
{
	static const char *const known[] = { NULL, "signature", NULL };
	const char *members[3];
	uint8_t sig[ECDSA_BYTES];
	struct crypto_key *k;
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
	if (signer->spki.len != P256_SPKI_BYTES ||
		!crypto_key_from_spki(signer->spki, &k, e))
		return false;
	ok = crypto_verify(k, *object, BYTES_ARRAY(sig), e);
	crypto_key_free(k);
	return ok || err_wrap(e, "document");
}

static bool check_object(const json_t *o, struct intel_signed *s, struct err *e)
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
	return dates(o, s, e);
}

bool attest_collateral_open(struct intel_signed *s, json_t **out, struct err *e)
{
	struct intel_chain chain;
	struct bytes object;
	json_t *o;
	if (!attest_chain_read(s->chain, 2, &chain, e))
		return err_wrap(e, "signer");
	bool ok = check_signer(&chain, s, e) &&
		check_document(&chain.cert[0], s, &object, e);
	attest_chain_fini(&chain);
	if (!ok || !json_parse(object, MAX_JSON, &o, e))
		return false;
	if (!check_object(o, s, e)) {
		json_decref(o);
		return false;
	}
	*out = o;
	return true;
}
