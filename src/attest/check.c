/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/check.h"

#include "base/fmt.h"
#include "base/must.h"
#include "codec/hex.h"
#include "crypto/hash.h"

enum { TEXT = sizeof((struct attest_check *)NULL)->observed, SHORT_HEX = 16 };

struct attest_check *attest_check(struct attest_verdict *v, const char *name,
	bool passed)
{
	must(v->count < ATTEST_MAX_CHECKS);
	struct attest_check *c = &v->checks[v->count++];
	*c = (struct attest_check){ .name = name, .passed = passed };
	return c;
}

void attest_check_unmade(struct attest_verdict *v, const char *name,
	const char *why)
{
	struct attest_check *c = attest_check(v, name, false);
	fmt(c->observed, TEXT, "nothing: %s", why);
	fmt(c->required, TEXT, "that it can be checked");
}

void attest_check_skip(struct attest_verdict *v, const char *name,
	const char *why)
{
	struct attest_check *c = attest_check(v, name, false);
	c->skipped = true;
	fmt(c->observed, TEXT, "not checked: %s", why);
}

void attest_check_expires(struct attest_verdict *v, int64_t at)
{
	if (!v->expires || at < v->expires)
		v->expires = at;
}

void attest_check_hex(char out[136], struct bytes v)
{
	v.len = size_min(v.len, (TEXT - 1) / 2);
	hex_encode(v, out);
}

void attest_check_list(char out[136], const struct attest_digests *d)
{
	size_t n = fmt(out, TEXT, d->count ? "one of: " : "none is accepted");
	for (size_t i = 0; i < d->count; i++) {
		char hex[2 * sizeof d->ptr[i].value + 1];
		hex_encode(bytes_of(d->ptr[i].value, d->ptr[i].len), hex);
		if (d->count > 1)
			fmt(hex + SHORT_HEX, sizeof hex - SHORT_HEX, "...");
		n += fmt(out + n, TEXT - n, "%s%s", i ? ", " : "", hex);
	}
}

static void check_measurement(struct attest_case *c,
	const struct attest_facts *f)
{
	if (f->tech == ATTEST_TECHS) {
		attest_check_unmade(c->out, "measurement",
			"unknown technology");
		return;
	}
	const struct attest_rules *r = &c->policy->rules[f->tech];
	bool denied = attest_digests_has(&r->deny, f->measurement);
	bool known = attest_digests_has(&r->accept, f->measurement);
	if (f->vouched && !r->accept.count && !denied) {
		attest_check_skip(c->out, "measurement",
			"the policy names signers and no measurement");
		return;
	}
	struct attest_check *k =
		attest_check(c->out, "measurement", known && !denied);
	attest_check_hex(k->observed, f->measurement);
	if (denied)
		fmt(k->required, TEXT, "one that the policy does not deny");
	else
		attest_check_list(k->required, &r->accept);
}

void attest_check_identity(struct attest_case *c, const struct attest_facts *f)
{
	const struct attest_policy *p = c->policy;
	struct attest_check *k =
		attest_check(c->out, "debug", !f->debug || p->allow_debug);
	fmt(k->observed, TEXT, f->debug ? "debug" : "no debug");
	fmt(k->required, TEXT, p->allow_debug ? "either" : "no debug");
	bool allowed = f->tech < ATTEST_TECHS && p->rules[f->tech].allowed;
	k = attest_check(c->out, "technology", allowed);
	fmt(k->observed, TEXT, "%s", attest_tech_name(f->tech));
	size_t n = fmt(k->required, TEXT, "one of:");
	for (unsigned t = 0; t < ATTEST_TECHS; t++)
		if (p->rules[t].allowed)
			n += fmt(k->required + n, TEXT - n, " %s",
				attest_tech_name((enum attest_tech)t));
	check_measurement(c, f);
	c->out->technology = attest_tech_name(f->tech);
	c->out->measurement_len =
		size_min(f->measurement.len, sizeof c->out->measurement);
	memcpy(c->out->measurement, f->measurement.ptr,
		c->out->measurement_len);
}

void attest_check_one_of(struct attest_case *c, const char *name,
	struct bytes value, const struct attest_digests *want)
{
	if (!want->count)
		return;
	struct attest_check *k =
		attest_check(c->out, name, attest_digests_has(want, value));
	attest_check_hex(k->observed, value);
	attest_check_list(k->required, want);
}

void attest_check_mask(struct attest_case *c, const char *name, uint64_t value,
	const struct attest_mask *want)
{
	if (!want->mask)
		return;
	struct attest_check *k =
		attest_check(c->out, name, (value & want->mask) == want->value);
	fmt(k->observed, TEXT, "0x%llx", (unsigned long long)value);
	fmt(k->required, TEXT, "0x%llx under the mask 0x%llx",
		(unsigned long long)want->value,
		(unsigned long long)want->mask);
}

enum attest_root attest_check_root(struct attest_case *c, struct bytes spki,
	const uint8_t (*vendor)[32], size_t count, const char *who,
	uint8_t hash[32])
{
	enum attest_root found = ATTEST_ROOT_NONE;
	memset(hash, 0, 32);
	if (!crypto_digest(CRYPTO_SHA256, spki, hash, NULL))
		count = 0;
	else if (attest_digests_has(&c->policy->roots, bytes_of(hash, 32)))
		found = ATTEST_ROOT_SOFTWARE;
	for (size_t i = 0; i < count; i++)
		if (!memcmp(vendor[i], hash, 32))
			found = ATTEST_ROOT_VENDOR;
	struct attest_check *k =
		attest_check(c->out, "vendor root", found != ATTEST_ROOT_NONE);
	attest_check_hex(k->observed, bytes_of(hash, 32));
	if (found == ATTEST_ROOT_SOFTWARE)
		fmt(k->required, TEXT, "a software root that the policy names");
	else
		fmt(k->required, TEXT, "%s", who);
	return found;
}

/* One value against one required. */
static void check_equal(struct attest_verdict *v, const char *name,
	struct bytes observed, struct bytes required)
{
	struct attest_check *k =
		attest_check(v, name, bytes_equal(observed, required));
	attest_check_hex(k->observed, observed);
	attest_check_hex(k->required, required);
}

static bool check_key(struct attest_case *c, const struct attest_claims *claims,
	struct err *e)
{
	uint8_t hash[CRYPTO_SHA256_BYTES];
	if (!c->in->spki.len) {
		attest_check_skip(c->out, "key binding", "no key was given");
		return true;
	}
	if (!crypto_digest(CRYPTO_SHA256, c->in->spki, hash, e))
		return false;
	check_equal(c->out, "key binding", BYTES_ARRAY(hash),
		BYTES_ARRAY(claims->spki_hash));
	return true;
}

/* The owner stands in the claims and, where the technology can hold it, in
 * the evidence itself; both must name the one who asks. */
static void check_owner(struct attest_case *c, const struct attest_facts *f,
	const struct attest_claims *claims)
{
	struct bytes said = BYTES_ARRAY(claims->owner);
	struct bytes want = said;
	if (c->in->owner)
		want = bytes_of(c->in->owner, sizeof claims->owner);
	else if (!f->owner.len && !c->policy->owners.count) {
		attest_check_skip(c->out, "owner", "no owner was given");
		return;
	}
	bool held = !f->owner.len || bytes_equal(f->owner, want);
	bool named = !c->policy->owners.count ||
		attest_digests_has(&c->policy->owners, said);
	struct attest_check *k = attest_check(c->out, "owner",
		held && named && bytes_equal(said, want));
	attest_check_hex(k->observed, held ? said : f->owner);
	if (!named)
		attest_check_list(k->required, &c->policy->owners);
	else if (c->in->owner)
		attest_check_hex(k->required, want);
	else
		fmt(k->required, TEXT, "the same in claims and evidence");
}

/* Report data that somebody asked for stands before all else. */
static void check_wanted(struct attest_case *c, const struct attest_facts *f)
{
	if (c->in->report_data.len && f->report_data.len)
		check_equal(c->out, "report_data", f->report_data,
			c->in->report_data);
	else if (c->in->report_data.len)
		attest_check_unmade(c->out, "report_data",
			"this evidence holds none");
	else
		attest_check_skip(c->out, "report_data", "evidence alone");
}

static void skip_all(struct attest_verdict *v, const char *const *names,
	size_t n, const char *why)
{
	for (size_t i = 0; i < n; i++)
		attest_check_skip(v, names[i], why);
}

/* The key itself, hashed, with zeros behind. */
static bool check_key_hash(struct attest_case *c, const struct attest_facts *f,
	enum crypto_alg alg, struct err *e)
{
	static const char *const rest[] = { "claims", "key binding", "nonce",
		"owner" };
	uint8_t want[ATTEST_REPORT_DATA_BYTES] = { 0 };
	if (!c->in->spki.len)
		attest_check_unmade(c->out, "report_data", "no key was given");
	else if (!crypto_digest(alg, c->in->spki, want, e))
		return false;
	else
		check_equal(c->out, "report_data", f->report_data,
			BYTES_ARRAY(want));
	skip_all(c->out, rest, ARRAY_LEN(rest),
		"the key itself is bound, without claims");
	return true;
}

static bool check_foreign(struct attest_case *c, struct err *e)
{
	struct attest_foreign_claims claims;
	struct err why = { 0 };
	uint8_t hash[64];
	size_t len;
	bool parsed = attest_claims_foreign(c->in->claims, &claims, &why);
	struct attest_check *k = attest_check(c->out, "claims", parsed);
	fmt(k->observed, TEXT, "%s", parsed ? "well formed" : why.text);
	fmt(k->required, TEXT, "pubkey-hash and perhaps more, in CBOR");
	if (!parsed || !c->in->spki.len) {
		attest_check_unmade(c->out, "key binding",
			parsed ? "no key was given" : "no claims");
	} else {
		if (!attest_claims_hash(claims.alg, c->in->spki, hash, &len, e))
			return false;
		check_equal(c->out, "key binding", bytes_of(hash, len),
			claims.hash);
	}
	if (c->in->nonce)
		check_equal(c->out, "nonce", parsed ? claims.nonce : BYTES_NONE,
			bytes_of(c->in->nonce, 32));
	else
		attest_check_skip(c->out, "nonce", "no nonce was given");
	if (c->in->owner)
		attest_check_unmade(c->out, "owner", "no Keep of ours");
	else
		attest_check_skip(c->out, "owner", "no Keep of ours");
	return true;
}

static bool check_ours(struct attest_case *c, const struct attest_facts *f,
	struct err *e)
{
	struct attest_claims claims;
	struct err why = { 0 };
	bool parsed = attest_claims_parse(c->in->claims, &claims, &why);
	struct attest_check *k = attest_check(c->out, "claims", parsed);
	fmt(k->observed, TEXT, "%s", parsed ? "well formed" : why.text);
	fmt(k->required, TEXT, "nonce, owner and pubkey-hash in CBOR");
	if (!parsed) {
		attest_check_unmade(c->out, "key binding", "no claims");
		attest_check_unmade(c->out, "nonce", "no claims");
		attest_check_unmade(c->out, "owner", "no claims");
		return true;
	}
	if (!check_key(c, &claims, e))
		return false;
	if (c->in->nonce)
		check_equal(c->out, "nonce", BYTES_ARRAY(claims.nonce),
			bytes_of(c->in->nonce, sizeof claims.nonce));
	else
		attest_check_skip(c->out, "nonce", "no nonce was given");
	check_owner(c, f, &claims);
	return true;
}

bool attest_check_binding(struct attest_case *c, const struct attest_facts *f,
	struct err *e)
{
	static const char *const rest[] = { "claims", "key binding", "nonce",
		"owner" };
	uint8_t want[ATTEST_REPORT_DATA_BYTES];
	switch (c->in->binding) {
	case ATTEST_BIND_NOTHING:
		check_wanted(c, f);
		skip_all(c->out, rest, ARRAY_LEN(rest), "evidence alone");
		return true;
	case ATTEST_BIND_SHA256:
		return check_key_hash(c, f, CRYPTO_SHA256, e);
	case ATTEST_BIND_SHA384:
		return check_key_hash(c, f, CRYPTO_SHA384, e);
	case ATTEST_BIND_KEEP:
	case ATTEST_BIND_CLAIMS:
		break;
	}
	if (!attest_report_data(c->in->claims, want, e))
		return false;
	check_equal(c->out, "report_data", f->report_data, BYTES_ARRAY(want));
	return c->in->binding == ATTEST_BIND_KEEP ? check_ours(c, f, e) :
						    check_foreign(c, e);
}

void attest_check_common_unmade(struct attest_verdict *v, const char *why)
{
	static const char *const names[] = { "debug", "technology",
		"measurement", "report_data", "claims", "key binding", "nonce",
		"owner" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		attest_check_unmade(v, names[i], why);
}
