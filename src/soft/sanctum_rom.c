/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/random.h>

#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "soft/sanctum.h"
#include "spec/sanctum.h"

enum { KEY = CRYPTO_ED25519_KEY };

struct pair {
	uint8_t seed[KEY], public[KEY];
};

static bool pair_make(struct pair *p, struct err *e)
{
	if (getrandom(p->seed, sizeof p->seed, 0) != (ssize_t)sizeof p->seed)
		return err_fail(e, ERR_HOST, "boot ROM: no random bytes");
	return crypto_ed25519_public(p->seed, p->public, e);
}

/* Another monitor, or another device, is another key. */
static bool monitor_key(const struct pair *device, struct sanctum_record *r,
	struct err *e)
{
	uint8_t in[KEY + sizeof r->sm_measurement], digest[CRYPTO_SHA512_BYTES];
	memcpy(in, device->seed, KEY);
	memcpy(in + KEY, r->sm_measurement, sizeof r->sm_measurement);
	bool ok = crypto_digest(CRYPTO_SHA512, BYTES_ARRAY(in), digest, e);
	memcpy(r->sm_seed, digest, sizeof r->sm_seed);
	explicit_bzero(in, sizeof in);
	explicit_bzero(digest, sizeof digest);
	return ok && crypto_ed25519_public(r->sm_seed, r->sm_pk, e);
}

static bool endorse(const struct soft_root *root,
	const struct sanctum_record *r, struct buf *out, struct err *e)
{
	enum { LABEL = sizeof SANCTUM_MAKER_LABEL - 1 };
	uint8_t message[LABEL + KEY];
	struct sanctum_endorsements v;
	auto_buf sig = { .len = 0 };
	struct bytes spki = soft_root_spki(root);
	memcpy(message, SANCTUM_MAKER_LABEL, LABEL);
	memcpy(message + LABEL, r->manufacturer_pk, KEY);
	if (!soft_root_sign_raw(root, BYTES_ARRAY(message), &sig, e))
		return false;
	if (sig.len != sizeof v.signature || spki.len != sizeof v.root)
		return err_fail(e, ERR_HOST, "software root: not a P-256 key");
	memcpy(v.root, spki.ptr, spki.len);
	memcpy(v.signature, sig.ptr, sig.len);
	return buf_put(out, bytes_of(&v, sizeof v)) ||
		err_fail(e, ERR_LIMIT, "endorsements: no memory");
}

static bool sign_all(const struct pair *maker, const struct pair *device,
	struct sanctum_record *r, struct err *e)
{
	uint8_t message[sizeof r->sm_measurement + KEY];
	memcpy(r->manufacturer_pk, maker->public, KEY);
	memcpy(r->device_pk, device->public, KEY);
	memcpy(message, r->sm_measurement, sizeof r->sm_measurement);
	memcpy(message + sizeof r->sm_measurement, r->sm_pk, KEY);
	return crypto_ed25519_sign(maker->seed, BYTES_ARRAY(r->device_pk),
		       r->device_signature, e) &&
		crypto_ed25519_sign(device->seed, BYTES_ARRAY(message),
			r->sm_signature, e);
}

bool soft_sanctum_rom(const struct soft_root *root, struct bytes monitor,
	struct sanctum_record *record, struct buf *endorsements, struct err *e)
{
	struct pair maker = { 0 }, device = { 0 };
	struct sanctum_record r = { .magic = SANCTUM_RECORD_MAGIC,
		.version = SANCTUM_RECORD_VERSION };
	bool ok = pair_make(&maker, e) && pair_make(&device, e) &&
		crypto_digest(CRYPTO_SHA512, monitor, r.sm_measurement, e) &&
		monitor_key(&device, &r, e) &&
		sign_all(&maker, &device, &r, e) &&
		endorse(root, &r, endorsements, e);
	explicit_bzero(&maker, sizeof maker);
	explicit_bzero(&device, sizeof device);
	if (ok)
		*record = r;
	explicit_bzero(&r, sizeof r);
	return ok || err_wrap(e, "boot ROM");
}
