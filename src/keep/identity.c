/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/identity.h"

#include "attest/claims.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "keep/evidence.h"

/* The Keep has no clock yet, and freshness is the nonce's business: from
 * 1970 to RFC 5280 §4.1.2.5's "no well-defined expiration date". */
#define CERT_FROM 0
#define CERT_TO	  253402300799

static bool make_claims(const struct crypto_key *key, const struct gate_boot *b,
	struct buf *out, struct err *e)
{
	struct attest_claims c;
	memcpy(c.nonce, b->nonce, sizeof c.nonce);
	memcpy(c.owner, b->owner_key_hash, sizeof c.owner);
	if (!crypto_key_fingerprint(key, c.spki_hash, e))
		return false;
	if (!attest_claims_encode(&c, out))
		return err_fail(e, ERR_LIMIT, "claims: no memory");
	return true;
}

static bool make_cert(const struct crypto_key *key, uint32_t tag,
	struct bytes claims, struct bytes evidence, struct bytes endorsements,
	struct buf *der, struct err *e)
{
	auto_buf tagged = { .len = 0 };
	if (!attest_tagged_encode(tag, evidence, claims, &tagged))
		return err_fail(e, ERR_LIMIT, "evidence: no memory");
	const struct crypto_ext exts[] = {
		{ ATTEST_OID_EVIDENCE, buf_bytes(&tagged) },
		{ ATTEST_OID_ENDORSEMENTS, endorsements },
	};
	return crypto_cert_make(key, "donjon Keep", CERT_FROM, CERT_TO, exts,
		ARRAY_LEN(exts), der, e);
}

static bool make(struct keep_identity *id, struct keep_gate *g, struct err *e)
{
	uint8_t request[ATTEST_REPORT_DATA_BYTES];
	auto_buf claims = { .len = 0 }, evidence = { .len = 0 };
	auto_buf endorsements = { .len = 0 };
	struct buf *der = &id->cert;
	uint32_t tag;

	memcpy(id->owner, g->boot.owner_key_hash, sizeof id->owner);
	if (!crypto_key_generate(CRYPTO_P256, &id->key, e) ||
		!make_claims(id->key, &g->boot, &claims, e) ||
		!attest_report_data(buf_bytes(&claims), request, e) ||
		!crypto_digest(CRYPTO_SHA256, buf_bytes(&claims), id->claims,
			e) ||
		!keep_evidence(g, keep_shim(), request, &evidence,
			&endorsements, &tag, e) ||
		!make_cert(id->key, tag, buf_bytes(&claims),
			buf_bytes(&evidence), buf_bytes(&endorsements), der,
			e) ||
		!channel_identity_new(id->key, buf_bytes(der), &id->tls, e))
		return false;
	const struct bytes face[4] = { buf_bytes(&claims), buf_bytes(&evidence),
		buf_bytes(&endorsements), buf_bytes(der) };
	return keep_gate_publish(g, face, e);
}

bool keep_identity_init(struct keep_identity *id, struct keep_gate *g,
	struct err *e)
{
	*id = (struct keep_identity){ .key = NULL };
	if (make(id, g, e))
		return true;
	keep_identity_fini(id);
	return err_wrap(e, "identity");
}

void keep_identity_fini(struct keep_identity *id)
{
	channel_identity_free(id->tls);
	crypto_key_free(id->key);
	buf_fini(&id->cert);
	*id = (struct keep_identity){ .key = NULL };
}
