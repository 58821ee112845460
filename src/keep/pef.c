/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/pef.h"

#include <endian.h>

#include "crypto/hash.h"
#include "crypto/key.h"
#include "spec/pef.h"

static bool sign(const struct crypto_key *k, const uint8_t report_data[64],
	struct buf *out, struct err *e)
{
	struct pef_evidence v = { .version = htole32(PEF_VERSION) };
	auto_buf sig = { .len = 0 };
	memcpy(v.magic, PEF_MAGIC, sizeof v.magic);
	memcpy(v.report_data, report_data, sizeof v.report_data);
	if (!crypto_key_fingerprint(k, v.key, e) ||
		!crypto_sign(k, bytes_of(&v, PEF_SIGNED_BYTES), &sig, e))
		return false;
	memcpy(v.signature, sig.ptr, sizeof v.signature);
	if (!buf_put(out, bytes_of(&v, sizeof v)))
		return err_fail(e, ERR_LIMIT, "evidence: no memory");
	return crypto_key_spki(k, out, e);
}

bool keep_pef_sign(const struct gate_shim *s, const uint8_t report_data[64],
	struct buf *out, struct err *e)
{
	struct crypto_key *k;
	_Static_assert(sizeof s->key == CRYPTO_SCALAR_BYTES, "the key");
	if (bytes_all_zero(BYTES_ARRAY(s->key)))
		return err_fail(e, ERR_HOST,
			"evidence: the ultravisor gave no key of the owner's");
	if (!crypto_key_from_scalar(s->key, &k, e))
		return err_wrap(e, "evidence: the owner's key");
	bool ok = sign(k, report_data, out, e);
	crypto_key_free(k);
	return ok;
}

bool keep_pef_check(struct bytes made, struct bytes evidence,
	struct bytes endorsements, struct err *e)
{
	struct bytes spki = bytes_from(made, PEF_BYTES);
	if (!bytes_equal(bytes_of(made.ptr, PEF_BYTES), evidence))
		return err_fail(e, ERR_HOST, "evidence: of another Keep");
	return (endorsements.len >= spki.len &&
		       !memcmp(endorsements.ptr, spki.ptr, spki.len)) ||
		err_fail(e, ERR_HOST, "endorsements: of another key");
}
