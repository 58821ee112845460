/* SPDX-License-Identifier: Apache-2.0 */
/* Keystone's reports. */
#include <endian.h>

#include "attest/check.h"
#include "base/fmt.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "spec/keystone.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed, GUESSES = 256 };

bool attest_keystone_is(struct bytes evidence)
{
	return evidence.len == KEYSTONE_REPORT_BYTES;
}

static void note(struct attest_case *c, const char *name, bool ok,
	const char *observed, const char *required)
{
	struct attest_check *k = attest_check(c->out, name, ok);
	fmt(k->observed, TEXT, "%s", observed);
	fmt(k->required, TEXT, "%s", required);
}

/* A device whose key the policy has; a software root is its hash. */
static bool check_device(struct attest_case *c, const struct keystone_report *v)
{
	const struct attest_digests *want = &c->policy->keystone.devices;
	struct bytes key = BYTES_ARRAY(v->dev_public_key);
	uint8_t hash[CRYPTO_SHA256_BYTES] = { 0 };
	bool software = crypto_digest(CRYPTO_SHA256, key, hash, NULL) &&
		attest_digests_has(&c->policy->roots, BYTES_ARRAY(hash));
	struct attest_check *k = attest_check(c->out, "vendor root",
		software || attest_digests_has(want, key));
	attest_check_hex(k->observed, key);
	if (software)
		fmt(k->required, TEXT, "a software root that the policy names");
	else
		attest_check_list(k->required, want);
	return !software;
}

static bool chain_ok(const struct keystone_report *v)
{
	uint8_t message[sizeof v->sm_hash + sizeof v->sm_public_key];
	memcpy(message, v->sm_hash, sizeof v->sm_hash);
	memcpy(message + sizeof v->sm_hash, v->sm_public_key,
		sizeof v->sm_public_key);
	return crypto_ed25519_verify(v->dev_public_key, BYTES_ARRAY(message),
		v->sm_signature, NULL);
}

/*
 * Boot code that takes the size of a pointer's target for that of a key makes
 * the monitor's key out of one byte of the device's secret and one of the
 * monitor's hash (keystone, bootrom/bootloader.c): anybody can find it.
 */
static bool guessable(const struct keystone_report *v)
{
	for (unsigned i = 0; i < GUESSES; i++) {
		uint8_t in[2] = { (uint8_t)i, v->sm_hash[0] };
		uint8_t seed[CRYPTO_SHA512_BYTES], key[CRYPTO_ED25519_KEY];
		/* What can't be computed may be one. */
		if (!crypto_digest(CRYPTO_SHA3_512, BYTES_ARRAY(in), seed,
			    NULL) ||
			!crypto_ed25519_public(seed, key, NULL) ||
			!memcmp(key, v->sm_public_key, sizeof key))
			return true;
	}
	return false;
}

static void check_monitor(struct attest_case *c,
	const struct keystone_report *v)
{
	const struct attest_riscv_rules *r = &c->policy->keystone;
	struct bytes hash = BYTES_ARRAY(v->sm_hash);
	struct attest_check *k = attest_check(c->out, "monitor",
		attest_digests_has(&r->monitors, hash));
	attest_check_hex(k->observed, hash);
	attest_check_list(k->required, &r->monitors);
	if (r->allow_guessable_keys) {
		attest_check_skip(c->out, "monitor key",
			"the policy accepts one that can be guessed");
		return;
	}
	bool bad = guessable(v);
	note(c, "monitor key", !bad,
		bad ? "one of 256 that anybody can make" : "none of those",
		"one that can't be guessed");
}

static bool signed_by_monitor(const struct keystone_report *v)
{
	/* Hash, length and data lie one behind the other. */
	return crypto_ed25519_verify(v->sm_public_key,
		bytes_of(v, 72 + (size_t)le64toh(v->data_len)),
		v->enclave_signature, NULL);
}

static void unmade(struct attest_case *c)
{
	static const char *const names[] = { "vendor root", "chain", "monitor",
		"monitor key", "signature" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		attest_check_unmade(c->out, names[i], "no report");
	attest_check_common_unmade(c->out, "no report");
}

bool attest_keystone(struct attest_case *c, struct err *e)
{
	struct keystone_report v;
	memcpy(&v, c->in->evidence.ptr, sizeof v);
	uint64_t n = le64toh(v.data_len);
	c->out->tee = ATTEST_KEYSTONE;
	struct attest_check *k =
		attest_check(c->out, "evidence format", n <= KEYSTONE_DATA_MAX);
	fmt(k->observed, TEXT, "%llu bytes of data", (unsigned long long)n);
	fmt(k->required, TEXT, "at most %u", KEYSTONE_DATA_MAX);
	if (n > KEYSTONE_DATA_MAX) {
		unmade(c);
		return true;
	}
	struct attest_facts f = {
		.tech = ATTEST_TECH_KEYSTONE,
		.measurement = BYTES_ARRAY(v.enclave_hash),
		.report_data = bytes_of(v.data, (size_t)n),
	};
	bool hardware = check_device(c, &v);
	bool ok = chain_ok(&v);
	note(c, "chain", ok, ok ? "of the device" : "not of the device",
		"the device signed the monitor's hash and key");
	check_monitor(c, &v);
	ok = signed_by_monitor(&v);
	note(c, "signature", ok, ok ? "of the monitor" : "not of the monitor",
		"Ed25519 of the monitor's key");
	attest_check_identity(c, &f);
	c->out->confidential = hardware;
	return attest_check_binding(c, &f, e);
}
