/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verify.h"

#include <stdlib.h>
#include <time.h>

#include "attest/bundle.h"
#include "attest/measure.h"
#include "base/fmt.h"
#include "client/paths.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "repository/repository.h"

enum { MAX_POLICY = 1 << 20 };

/* The technologies whose images this release has; the first is never left
 * out. */
static const char *const release_tees[CLIENT_RELEASE_TEES] = { "process",
	"kvm" };

static bool references(struct client_verifier *v, const char *images,
	struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	if (!client_path_images(images, dir, e))
		return false;
	for (size_t i = 0; i < CLIENT_RELEASE_TEES; i++) {
		struct attest_reference *r = &v->reference[v->reference_count];
		*r = (struct attest_reference){ .technology = release_tees[i] };
		if (attest_measure(r->technology, dir, r->measurement, &r->len,
			    i ? NULL : e))
			v->reference_count++;
		else if (i == 0)
			return false;
	}
	return true;
}

bool client_verifier_init(struct client_verifier *v, const char *images,
	const char *policy_file, struct err *e)
{
	*v = (struct client_verifier){ 0 };
	if (!policy_file)
		return references(v, images, e) &&
			attest_policy_default(v->reference, v->reference_count,
				&v->policy, e);
	/* A policy may name every measurement itself; if it says "release"
	 * and there are no images, its parser complains. */
	if (!references(v, images, NULL))
		v->reference_count = 0;
	auto_buf text = { 0 };
	return repository_read_file(policy_file, MAX_POLICY, &text, e) &&
		attest_policy_parse(buf_bytes(&text), policy_file, v->reference,
			v->reference_count, &v->policy, e);
}

void client_verifier_fini(struct client_verifier *v)
{
	attest_policy_free(v->policy);
	*v = (struct client_verifier){ 0 };
}

/* A check of our own, behind the verifier's. */
static void note(struct attest_verdict *v, const char *name, bool passed,
	const char *observed, const char *required)
{
	if (v->count == ATTEST_MAX_CHECKS) {
		v->accepted = false;
		return;
	}
	struct attest_check *c = &v->checks[v->count++];
	*c = (struct attest_check){ .name = name, .passed = passed };
	fmt(c->observed, sizeof c->observed, "%s", observed);
	fmt(c->required, sizeof c->required, "%s", required);
	v->accepted = v->accepted && passed;
}

/* The certificate's two extensions against the answer's parts. */
static bool same_inside(const struct client_keep *k, char why[96])
{
	struct attest_bundle b = { 0 };
	struct err e = { 0 };
	const char *differs = NULL;
	if (!attest_bundle_read(buf_bytes(&k->certificate), &b, &e)) {
		fmt(why, 96, "%s", e.text);
		return false;
	}
	if (!bytes_equal(buf_bytes(&b.claims), buf_bytes(&k->claims)))
		differs = "claims";
	else if (!bytes_equal(buf_bytes(&b.evidence), buf_bytes(&k->evidence)))
		differs = "evidence";
	else if (!bytes_equal(buf_bytes(&b.endorsements),
			 buf_bytes(&k->endorsements)))
		differs = "endorsements";
	fmt(why, 96, "%s%s", differs ? "it carries other " : "the same",
		differs ? differs : "");
	attest_bundle_fini(&b);
	return !differs;
}

bool client_verifier_judge(const struct client_verifier *v,
	const struct client_keep *k, const uint8_t nonce[32],
	const uint8_t owner[32], struct attest_verdict *out,
	uint8_t spki_hash[32], struct err *e)
{
	char why[96];
	auto_buf spki = { 0 };
	if (!crypto_cert_spki(buf_bytes(&k->certificate), &spki, e)) {
		if (e)
			e->kind = ERR_DENIED;
		return err_wrap(e, "certificate");
	}
	if (!crypto_digest(CRYPTO_SHA256, buf_bytes(&spki), spki_hash, e))
		return false;
	const struct attest_input in = {
		.evidence = buf_bytes(&k->evidence),
		.endorsements = buf_bytes(&k->endorsements),
		.claims = buf_bytes(&k->claims),
		.spki = buf_bytes(&spki),
		.nonce = nonce,
		.owner = owner,
		.now = (int64_t)time(NULL),
	};
	if (!attest_verify(&in, v->policy, out, e))
		return false;
	bool same = same_inside(k, why);
	note(out, "certificate", same, why,
		"the claims, evidence and endorsements of the answer");
	if (v->hardware_only)
		note(out, "platform", out->confidential,
			out->confidential ? "hardware" : "software",
			"hardware, as asked for");
	return true;
}

/* --- commands ----------------------------------------------------------- */

static bool judge_bundle(const struct client_verifier *v,
	const struct attest_bundle *b, struct attest_verdict *out,
	struct err *e)
{
	const struct attest_input in = {
		.evidence = buf_bytes(&b->evidence),
		.endorsements = buf_bytes(&b->endorsements),
		.claims = buf_bytes(&b->claims),
		.spki = buf_bytes(&b->spki),
		.now = (int64_t)time(NULL),
	};
	return attest_verify(&in, v->policy, out, e);
}

static bool verify_bundle(const struct attest_bundle *b,
	const char *policy_file, const char *images, bool json, struct buf *out,
	bool *accepted, struct err *e)
{
	struct client_verifier v;
	struct attest_verdict *verdict = calloc(1, sizeof *verdict);
	bool ok = verdict != NULL || err_fail(e, ERR_LIMIT, "no memory");
	ok = ok && client_verifier_init(&v, images, policy_file, e);
	if (ok) {
		ok = judge_bundle(&v, b, verdict, e);
		if (ok &&
			!(json ? attest_print_json(verdict, out) :
				 attest_print_text(verdict, out)))
			ok = err_fail(e, ERR_LIMIT, "no memory");
		*accepted = verdict->accepted;
		client_verifier_fini(&v);
	}
	free(verdict);
	return ok;
}

bool client_verify_file(const char *file, const char *policy_file,
	const char *images, bool json, struct buf *out, bool *accepted,
	struct err *e)
{
	struct attest_bundle b;
	auto_buf text = { 0 };
	if (!repository_read_file(file, ATTEST_BUNDLE_MAX, &text, e))
		return false;
	if (!attest_bundle_read(buf_bytes(&text), &b, e))
		return err_wrap(e, "%s", file);
	bool ok =
		verify_bundle(&b, policy_file, images, json, out, accepted, e);
	attest_bundle_fini(&b);
	return ok;
}

bool client_policy_syntax(const char *file, struct err *e)
{
	/* What "release" stands for is not looked at yet. */
	struct attest_reference r[CLIENT_RELEASE_TEES];
	for (size_t i = 0; i < CLIENT_RELEASE_TEES; i++)
		r[i] = (struct attest_reference){ release_tees[i], { 0 }, 48 };
	struct attest_policy *p = NULL;
	auto_buf text = { 0 };
	bool ok = repository_read_file(file, MAX_POLICY, &text, e) &&
		attest_policy_parse(buf_bytes(&text), file, r,
			CLIENT_RELEASE_TEES, &p, e);
	attest_policy_free(p);
	return ok;
}

bool client_policy_check(const char *file, const char *images, struct err *e)
{
	struct client_verifier v;
	bool ok = client_verifier_init(&v, images, file, e);
	client_verifier_fini(&v);
	return ok;
}

bool client_measure(const char *tee, const char *images, char out[129],
	struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	uint8_t raw[64];
	size_t len;
	if (!client_path_images(images, dir, e) ||
		!attest_measure(tee, dir, raw, &len, e))
		return false;
	hex_encode(bytes_of(raw, len), out);
	return true;
}
