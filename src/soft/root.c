/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/root.h"

#include <endian.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "spec/software.h"

/* The length of a P-256 SubjectPublicKeyInfo with an uncompressed point
 * (RFC 5480 §2): all that evidence can be signed with. */
enum { P256_SPKI_BYTES = 91 };

struct soft_root {
	struct crypto_key *key;
	struct buf spki;
	uint8_t fingerprint[CRYPTO_SHA256_BYTES];
};

static bool root_load(struct soft_root *r, const char *path, struct err *e)
{
	if (!crypto_key_file(path, true, &r->key, e) ||
		!crypto_key_spki(r->key, &r->spki, e))
		return false;
	if (r->spki.len != P256_SPKI_BYTES)
		return err_fail(e, ERR_INPUT, "%s: not a P-256 key", path);
	return crypto_digest(CRYPTO_SHA256, buf_bytes(&r->spki), r->fingerprint,
		e);
}

bool soft_root_open(const char *path, struct soft_root **out, struct err *e)
{
	struct soft_root *r = calloc(1, sizeof *r);
	if (!r)
		return err_fail(e, ERR_LIMIT, "software root: out of memory");
	if (!root_load(r, path, e)) {
		soft_root_close(r);
		return err_wrap(e, "software root");
	}
	*out = r;
	return true;
}

void soft_root_close(struct soft_root *r)
{
	if (!r)
		return;
	crypto_key_free(r->key);
	buf_fini(&r->spki);
	free(r);
}

void soft_root_fingerprint(const struct soft_root *r, uint8_t out[32])
{
	memcpy(out, r->fingerprint, sizeof r->fingerprint);
}

bool soft_root_sign_raw(const struct soft_root *r, struct bytes message,
	struct buf *sig, struct err *e)
{
	return crypto_sign(r->key, message, sig, e) || err_wrap(e, "root");
}

struct bytes soft_root_spki(const struct soft_root *r)
{
	return buf_bytes(&r->spki);
}

bool soft_root_sign(const struct soft_root *r, const struct soft_facts *f,
	struct buf *evidence, struct err *e)
{
	struct software_evidence v = {
		.version = htole32(SOFTWARE_VERSION),
		.tee = htole32(f->tee),
		.flags = htole64(f->debug ? SOFTWARE_FLAG_DEBUG : 0),
	};
	memcpy(v.magic, SOFTWARE_MAGIC, sizeof v.magic);
	memcpy(v.report_data, f->report_data, sizeof v.report_data);
	memcpy(v.measurement, f->measurement, sizeof v.measurement);
	memcpy(v.owner_key_hash, f->owner_key_hash, sizeof v.owner_key_hash);
	memcpy(v.root, r->fingerprint, sizeof v.root);
	auto_buf sig = { 0 };
	if (!crypto_sign(r->key, bytes_of(&v, SOFTWARE_SIGNED_BYTES), &sig, e))
		return err_wrap(e, "software root");
	if (sig.len != sizeof v.signature)
		return err_fail(e, ERR_HOST,
			"software root: a signature of %zu bytes", sig.len);
	memcpy(v.signature, sig.ptr, sizeof v.signature);
	if (!buf_put(evidence, bytes_of(&v, sizeof v)))
		return err_fail(e, ERR_LIMIT,
			"software root: no room for evidence");
	return true;
}

bool soft_root_evidence(const struct soft_root *r, const struct soft_facts *f,
	struct bytes report_data, struct buf *evidence,
	struct buf *endorsements, struct err *e)
{
	struct soft_facts facts = *f;
	if (report_data.len != sizeof facts.report_data)
		return err_fail(e, ERR_INPUT, "evidence: report data of %zu",
			report_data.len);
	memcpy(facts.report_data, report_data.ptr, report_data.len);
	if (!soft_root_sign(r, &facts, evidence, e))
		return err_wrap(e, "evidence");
	if (!buf_put(endorsements, soft_root_spki(r)))
		return err_fail(e, ERR_LIMIT, "endorsements: no memory");
	return true;
}
