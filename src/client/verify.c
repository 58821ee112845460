/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verify.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "attest/bundle.h"
#include "base/fmt.h"
#include "client/paths.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "repository/repository.h"

enum { MAX_POLICY = 1 << 20 };

const char *const client_tees[CLIENT_TEES] = { "process", "kvm", "snp", "tdx",
	"sgx", "sanctum", "pef" };

static void add_references(struct client_verifier *v, const char *tee,
	const struct attest_measured *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct attest_reference *r =
			&v->reference[v->reference_count++];
		*r = (struct attest_reference){ .technology = tee,
			.len = m[i].len,
			.has_monitor = m[i].has_monitor };
		memcpy(r->measurement, m[i].value, m[i].len);
		memcpy(r->monitor, m[i].monitor, sizeof r->monitor);
	}
}

static bool references(struct client_verifier *v, const char *tee,
	const char *images, struct err *e)
{
	char dir[CLIENT_PATH_MAX];
	struct attest_measured m[ATTEST_VARIANTS];
	size_t count;
	bool any = !strcmp(tee, "auto");
	if (!client_path_images(images, dir, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(client_tees); i++) {
		if (!any && strcmp(tee, client_tees[i]) != 0)
			continue;
		bool needed = !any || i == 0;
		if (attest_measure_all(client_tees[i], dir, m, &count,
			    needed ? e : NULL))
			add_references(v, client_tees[i], m, count);
		else if (needed)
			return false;
	}
	return true;
}

bool client_verifier_init(struct client_verifier *v, const char *tee,
	const char *images, const char *policy_file, struct err *e)
{
	*v = (struct client_verifier){ 0 };
	if (!policy_file)
		return references(v, tee, images, e) &&
			attest_policy_default(v->reference, v->reference_count,
				&v->policy, e);
	/* A policy may name every measurement itself; if it says "release"
	 * and there are no images, its parser complains. */
	if (!references(v, tee, images, NULL))
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
	/* A host that says that it plays a technology is believed in that: an
	 * owner's key that she sealed to it says nothing of it. */
	out->confidential = out->confidential && !k->software;
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

bool client_policy_syntax(const char *file, struct err *e)
{
	/* What "release" stands for is not looked at yet. */
	struct attest_reference r[ARRAY_LEN(client_tees)];
	for (size_t i = 0; i < ARRAY_LEN(client_tees); i++)
		r[i] = (struct attest_reference){
			.technology = client_tees[i],
			.len = attest_measurement_len(client_tees[i]),
		};
	struct attest_policy *p = NULL;
	auto_buf text = { 0 };
	bool ok = repository_read_file(file, MAX_POLICY, &text, e) &&
		attest_policy_parse(buf_bytes(&text), file, r,
			ARRAY_LEN(client_tees), &p, e);
	attest_policy_free(p);
	return ok;
}

bool client_policy_check(const char *file, const char *images, struct err *e)
{
	struct client_verifier v;
	bool ok = client_verifier_init(&v, "auto", images, file, e);
	client_verifier_fini(&v);
	return ok;
}

bool client_policy_explain(const char *file, const char *images,
	struct buf *out, struct err *e)
{
	struct client_verifier v;
	bool ok = client_verifier_init(&v, "auto", images, file, e);
	if (ok && !attest_policy_explain(v.policy, out))
		ok = err_fail(e, ERR_LIMIT, "no memory");
	client_verifier_fini(&v);
	return ok;
}

/* Judged by nothing: only what it says of itself is of use. */
static bool look_at(const char *file, struct attest_verdict *v, struct err *e)
{
	struct attest_bundle b;
	struct attest_policy *p = NULL;
	auto_buf text = { 0 };
	if (!repository_read_file(file, ATTEST_BUNDLE_MAX, &text, e) ||
		!attest_bundle_read(buf_bytes(&text), &b, e))
		return err_wrap(e, "%s", file);
	struct attest_input in = attest_bundle_input(&b);
	bool ok = attest_policy_default(NULL, 0, &p, e) &&
		attest_verify(&in, p, v, e);
	attest_policy_free(p);
	attest_bundle_fini(&b);
	if (ok && !v->measurement_len)
		return err_fail(e, ERR_INPUT, "%s: no measurement", file);
	return ok;
}

bool client_policy_template(const char *evidence, struct buf *out,
	struct err *e)
{
	struct attest_verdict *v = calloc(1, sizeof *v);
	bool ok = v || err_fail(e, ERR_LIMIT, "no memory");
	ok = ok && (!evidence || look_at(evidence, v, e));
	if (ok && !attest_policy_template(evidence ? v : NULL, out))
		ok = err_fail(e, ERR_LIMIT, "no memory");
	free(v);
	return ok;
}

bool client_measure_has(const char *tee, const char *images)
{
	char dir[CLIENT_PATH_MAX], path[CLIENT_PATH_MAX + 32];
	if (!client_path_images(images, dir, NULL))
		return true;
	fmt(path, sizeof path, "%s/%s/exec", dir, tee);
	return access(path, F_OK) == 0;
}

bool client_measure(const char *tee, const char *images, struct buf *pages,
	void (*one)(void *ctx, const char *variant, const char *hex), void *ctx,
	struct err *e)
{
	char dir[CLIENT_PATH_MAX], hex[129];
	struct attest_measured m[ATTEST_VARIANTS];
	size_t count;
	if (!client_path_images(images, dir, e) ||
		!attest_measure_all(tee, dir, m, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (pages && !attest_measure_pages(tee, dir, i, pages, e))
			return false;
		hex_encode(bytes_of(m[i].value, m[i].len), hex);
		one(ctx, m[i].variant, hex);
		if (!m[i].has_monitor)
			continue;
		hex_encode(BYTES_ARRAY(m[i].monitor), hex);
		one(ctx, "monitor", hex);
	}
	return true;
}
