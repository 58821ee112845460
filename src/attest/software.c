/* SPDX-License-Identifier: Apache-2.0 */
/* Software evidence (docs/protocol.md): what a host says about itself. */
#include <endian.h>

#include "attest/check.h"
#include "base/fmt.h"
#include "base/reader.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "spec/software.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed };

/* SubjectPublicKeyInfo with an uncompressed point (RFC 5480 §2). */
enum { P256_SPKI_BYTES = 91 };

/* enum gate_tee of abi/gate.h: those that have no hardware behind them. */
enum { TEE_PROCESS = 1, TEE_KVM = 2 };

bool attest_software_is(struct bytes evidence)
{
	struct reader r = { .in = evidence };
	return bytes_equal(reader_take(&r, 8), BYTES_LIT(SOFTWARE_MAGIC));
}

static enum attest_tech tech_of(const struct software_evidence *v)
{
	switch (le32toh(v->tee)) {
	case TEE_PROCESS:
		return ATTEST_TECH_PROCESS;
	case TEE_KVM:
		return ATTEST_TECH_KVM;
	default:
		return ATTEST_TECHS;
	}
}

/* False when the fields can't be read at all. */
static bool check_format(struct attest_case *c, struct software_evidence *v)
{
	struct bytes in = c->in->evidence;
	struct attest_check *k = attest_check(c->out, "evidence format", false);
	if (in.len != sizeof *v) {
		fmt(k->observed, TEXT, "%zu bytes", in.len);
		fmt(k->required, TEXT, "%zu bytes", sizeof *v);
		return false;
	}
	memcpy(v, in.ptr, sizeof *v);
	uint64_t flags = le64toh(v->flags);
	fmt(k->observed, TEXT, "version %u, technology %u, flags 0x%llx",
		le32toh(v->version), le32toh(v->tee),
		(unsigned long long)flags);
	fmt(k->required, TEXT,
		"version %u, a known technology and flags, reserved bytes 0",
		SOFTWARE_VERSION);
	bool zeros = !v->reserved_018 &&
		bytes_all_zero(BYTES_ARRAY(v->reserved_0d0));
	if (!zeros)
		fmt(k->observed, TEXT, "reserved bytes are not 0");
	k->passed = le32toh(v->version) == SOFTWARE_VERSION &&
		tech_of(v) != ATTEST_TECHS &&
		!(flags & ~(uint64_t)SOFTWARE_FLAGS_KNOWN) && zeros;
	return true;
}

/* The root's key out of the endorsements, NULL when there is none: P-256,
 * in its one encoding, and nothing else. */
static struct crypto_key *root_key(struct bytes der)
{
	struct crypto_key *key = NULL;
	if (der.len != P256_SPKI_BYTES ||
		!crypto_key_from_spki(der, &key, NULL))
		return NULL;
	return key;
}

static void check_signature(struct attest_case *c, struct crypto_key *key,
	const struct software_evidence *v)
{
	if (!key) {
		attest_check_unmade(c->out, "signature",
			"no key to check with");
		return;
	}
	bool good = crypto_verify(key, bytes_of(v, SOFTWARE_SIGNED_BYTES),
		BYTES_ARRAY(v->signature), NULL);
	struct attest_check *k = attest_check(c->out, "signature", good);
	fmt(k->observed, TEXT, good ? "of that root" : "not of that root");
	fmt(k->required, TEXT, "ECDSA P-256 of the software root");
}

static bool check_root(struct attest_case *c, const struct software_evidence *v,
	struct err *e)
{
	uint8_t hash[CRYPTO_SHA256_BYTES];
	if (!crypto_digest(CRYPTO_SHA256, c->in->endorsements, hash, e))
		return false;
	struct crypto_key *key = root_key(c->in->endorsements);
	bool named = !memcmp(hash, v->root, sizeof hash);
	struct attest_check *k =
		attest_check(c->out, "endorsements", key && named);
	if (key)
		attest_check_hex(k->observed, BYTES_ARRAY(hash));
	else
		fmt(k->observed, TEXT, "%zu bytes that are no P-256 key",
			c->in->endorsements.len);
	attest_check_hex(k->required, BYTES_ARRAY(v->root));

	const struct attest_digests *roots = &c->policy->roots;
	k = attest_check(c->out, "software root",
		attest_digests_has(roots, BYTES_ARRAY(v->root)));
	attest_check_hex(k->observed, BYTES_ARRAY(v->root));
	if (roots->count)
		attest_check_list(k->required, roots);
	else
		fmt(k->required, TEXT,
			"hardware: the policy trusts no software root");
	check_signature(c, key, v);
	crypto_key_free(key);
	return true;
}

bool attest_software(struct attest_case *c, struct err *e)
{
	struct software_evidence v;
	c->out->tee = ATTEST_SOFTWARE;
	if (!check_format(c, &v)) {
		static const char why[] = "evidence of the wrong length";
		attest_check_unmade(c->out, "endorsements", why);
		attest_check_unmade(c->out, "software root", why);
		attest_check_unmade(c->out, "signature", why);
		attest_check_common_unmade(c->out, why);
		return true;
	}
	struct attest_facts f = {
		.tech = tech_of(&v),
		.debug = le64toh(v.flags) & SOFTWARE_FLAG_DEBUG,
		.measurement = BYTES_ARRAY(v.measurement),
		.report_data = BYTES_ARRAY(v.report_data),
		.owner = BYTES_ARRAY(v.owner_key_hash),
	};
	if (!check_root(c, &v, e))
		return false;
	attest_check_identity(c, &f);
	return attest_check_binding(c, &f, e);
}
