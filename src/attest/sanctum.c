/* SPDX-License-Identifier: Apache-2.0 */
/* Sanctum's certificates, up to the report data of an enclave of ours. */
#include "spec/sanctum.h"
#include "attest/check.h"
#include "base/fmt.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/key.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };
enum { LABEL = sizeof SANCTUM_REPORT_LABEL - 1 };

bool attest_sanctum_is(struct bytes evidence)
{
	return evidence.len == SANCTUM_SHORT_BYTES ||
		evidence.len == SANCTUM_LONG_BYTES;
}

static void note(struct attest_case *c, const char *name, bool ok,
	const char *observed, const char *required)
{
	struct attest_check *k = attest_check(c->out, name, ok);
	fmt(k->observed, TEXT, "%s", observed);
	fmt(k->required, TEXT, "%s", required);
}

/* The software platform's manufacturer, whose key one of the policy's software
 * roots vouches for. */
static bool vouched_for(const struct attest_case *c, const uint8_t key[32],
	uint8_t hash[CRYPTO_SHA256_BYTES])
{
	enum { MAKER = sizeof SANCTUM_MAKER_LABEL - 1 };
	struct sanctum_endorsements v;
	uint8_t message[MAKER + 32];
	struct crypto_key *root;
	if (c->in->endorsements.len != sizeof v)
		return false;
	memcpy(&v, c->in->endorsements.ptr, sizeof v);
	if (!crypto_digest(CRYPTO_SHA256, BYTES_ARRAY(v.root), hash, NULL) ||
		!attest_digests_has(&c->policy->roots,
			bytes_of(hash, CRYPTO_SHA256_BYTES)) ||
		!crypto_key_from_spki(BYTES_ARRAY(v.root), &root, NULL))
		return false;
	memcpy(message, SANCTUM_MAKER_LABEL, MAKER);
	memcpy(message + MAKER, key, 32);
	bool ok = crypto_verify(root, BYTES_ARRAY(message),
		BYTES_ARRAY(v.signature), NULL);
	crypto_key_free(root);
	return ok;
}

/* From whom the chain is trusted downwards. */
enum anchor { NOBODY, MANUFACTURER, DEVICE, MONITOR };

/* hash: what the policy names it by. */
static bool is_root(const struct attest_case *c, const uint8_t key[32],
	uint8_t hash[CRYPTO_SHA256_BYTES])
{
	return crypto_digest(CRYPTO_SHA256, bytes_of(key, 32), hash, NULL) &&
		attest_digests_has(&c->policy->roots,
			bytes_of(hash, CRYPTO_SHA256_BYTES));
}

/* The highest key of the evidence that the policy names.  The short form has
 * no signatures above the monitor's key. */
static enum anchor find_anchor(const struct attest_case *c,
	const struct sanctum_evidence *v, bool whole, bool *software,
	uint8_t root[CRYPTO_SHA256_BYTES])
{
	const struct attest_riscv_rules *r = &c->policy->sanctum;
	const struct {
		enum anchor who;
		const uint8_t *key;
		const struct attest_digests *want;
	} t[] = {
		{ MANUFACTURER, v->manufacturer_pk, &r->manufacturers },
		{ DEVICE, v->device_pk, &r->devices },
		{ MONITOR, v->sm_pk, &r->monitor_keys },
	};
	for (size_t i = whole ? 0 : 2; i < ARRAY_LEN(t); i++) {
		*software = is_root(c, t[i].key, root) ||
			(t[i].who == MANUFACTURER &&
				vouched_for(c, t[i].key, root));
		if (*software ||
			attest_digests_has(t[i].want, bytes_of(t[i].key, 32)))
			return t[i].who;
	}
	*software = false;
	return NOBODY;
}

static bool check_root(struct attest_case *c, const struct sanctum_evidence *v,
	bool whole, enum anchor *anchor)
{
	static const char *const names[] = { "no key that the policy names",
		"manufacturer", "device", "monitor" };
	bool software;
	uint8_t root[CRYPTO_SHA256_BYTES];
	*anchor = find_anchor(c, v, whole, &software, root);
	note(c, "vendor root", *anchor != NOBODY, names[*anchor],
		software ? "a software root that the policy names" :
			whole ?
			   "a manufacturer, device or monitor that the policy "
			   "names" :
			   "a monitor's key that the policy names");
	if (software)
		attest_check_hex(c->out->checks[c->out->count - 1].observed,
			BYTES_ARRAY(root));
	return !software;
}

static bool monitor_signed(const struct sanctum_evidence *v)
{
	uint8_t message[96];
	memcpy(message, v->sm_measurement, 64);
	memcpy(message + 64, v->sm_pk, 32);
	return crypto_ed25519_verify(v->device_pk, BYTES_ARRAY(message),
		v->sm_signature, NULL);
}

static void check_chain(struct attest_case *c, const struct sanctum_evidence *v,
	bool whole, enum anchor anchor)
{
	const char *why = NULL;
	if (!whole && anchor != MONITOR)
		why = "nothing signs the monitor's key";
	else if (whole && anchor == MANUFACTURER &&
		!crypto_ed25519_verify(v->manufacturer_pk,
			BYTES_ARRAY(v->device_pk), v->device_signature, NULL))
		why = "device is not of the manufacturer";
	else if (whole && anchor != MONITOR && !monitor_signed(v))
		why = "monitor is not of the device";
	note(c, "chain", !why, why ? why : "down to the monitor",
		"each key signed by the one above, from one that the policy "
		"names");
	const struct attest_digests *want = &c->policy->sanctum.monitors;
	struct bytes hash = BYTES_ARRAY(v->sm_measurement);
	struct attest_check *k =
		attest_check(c->out, "monitor", attest_digests_has(want, hash));
	attest_check_hex(k->observed, hash);
	attest_check_list(k->required, want);
}

static bool enclave_signed(const struct sanctum_evidence *v)
{
	uint8_t message[96], hash[CRYPTO_SHA512_BYTES];
	memcpy(message, v->enclave_measurement, 64);
	memcpy(message + 64, v->enclave_pk, 32);
	return crypto_digest(CRYPTO_SHA512, BYTES_ARRAY(message), hash, NULL) &&
		crypto_ed25519_verify(v->sm_pk, BYTES_ARRAY(hash),
			v->enclave_attestation, NULL);
}

static bool report_signed(const struct sanctum_evidence *v)
{
	uint8_t message[LABEL + sizeof v->report_data];
	memcpy(message, SANCTUM_REPORT_LABEL, LABEL);
	memcpy(message + LABEL, v->report_data, sizeof v->report_data);
	return crypto_ed25519_verify(v->enclave_pk, BYTES_ARRAY(message),
		v->report_signature, NULL);
}

static void check_signatures(struct attest_case *c,
	const struct sanctum_evidence *v, bool whole)
{
	bool ok = enclave_signed(v);
	note(c, "signature", ok, ok ? "of the monitor" : "not of the monitor",
		"Ed25519 of the monitor's key over the enclave's");
	if (!whole) {
		attest_check_skip(c->out, "report signature",
			"no report data in this form");
		return;
	}
	ok = report_signed(v);
	note(c, "report signature", ok,
		ok ? "of the enclave" : "not of the enclave",
		"Ed25519 of the enclave's key over report data");
}

bool attest_sanctum(struct attest_case *c, struct err *e)
{
	struct sanctum_evidence v = { 0 };
	bool whole = c->in->evidence.len == sizeof v;
	enum anchor anchor;
	memcpy(&v, c->in->evidence.ptr, c->in->evidence.len);
	c->out->tee = ATTEST_SANCTUM;
	note(c, "evidence format", true,
		whole ? "keys, chain and report data" : "keys alone",
		"320 or 576 bytes");
	struct attest_facts f = {
		.tech = ATTEST_TECH_SANCTUM,
		.measurement = BYTES_ARRAY(v.enclave_measurement),
		.report_data = whole ? BYTES_ARRAY(v.report_data) : BYTES_NONE,
	};
	bool hardware = check_root(c, &v, whole, &anchor);
	check_chain(c, &v, whole, anchor);
	check_signatures(c, &v, whole);
	attest_check_identity(c, &f);
	c->out->confidential = hardware;
	return attest_check_binding(c, &f, e);
}
