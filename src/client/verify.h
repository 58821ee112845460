/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relying party: what a tenant accepts, applied to a Keep's evidence
 * before anything is sent to it.
 */
#ifndef CLIENT_VERIFY_H
#define CLIENT_VERIFY_H

#include "attest/attest.h"
#include "attest/measure.h"
#include "client/api.h"

/* Technologies whose images a release has, the first never left out; and
 * reference values of all of them. */
#define CLIENT_TEES 6u
extern const char *const client_tees[CLIENT_TEES];
#define CLIENT_REFERENCES (CLIENT_TEES * ATTEST_VARIANTS)

/* Policy and the reference values of the tenant's own installed images. */
struct client_verifier {
	struct attest_policy *policy;
	struct attest_reference reference[CLIENT_REFERENCES];
	size_t reference_count; /* 0: no images here */
	bool hardware_only;	/* refuse whatever is not confidential */
};

/* tee: of which technology a Keep can be; "auto": of any.  policy_file: NULL
 * for the default policy, which needs the images. */
MUST_USE bool client_verifier_init(struct client_verifier *v, const char *tee,
	const char *images, const char *policy_file, struct err *e);
void client_verifier_fini(struct client_verifier *v);

/*
 * Judges the answer to an ask: evidence (attest/attest.h), and that the
 * certificate, whose key the channel will insist on, carries the same claims,
 * evidence and endorsements.  spki_hash: of the certificate's key.
 * A refusal is a verdict, not a failure: attest_accepted tells.
 */
MUST_USE bool client_verifier_judge(const struct client_verifier *v,
	const struct client_keep *k, const uint8_t nonce[32],
	const uint8_t owner[32], struct attest_verdict *out,
	uint8_t spki_hash[32], struct err *e);

/* Whether a policy file can be used at all, before it is needed; quick. */
MUST_USE bool client_policy_syntax(const char *file, struct err *e);
/* "policy check FILE". */
MUST_USE bool client_policy_check(const char *file, const char *images,
	struct err *e);
/* "policy explain [FILE]": NULL: the default policy.  Appended. */
MUST_USE bool client_policy_explain(const char *file, const char *images,
	struct buf *out, struct err *e);
/* "policy init": with the measurement of the evidence in a file, or NULL. */
MUST_USE bool client_policy_template(const char *evidence, struct buf *out,
	struct err *e);
/* Its images are installed; some are built only where their compilers are. */
bool client_measure_has(const char *tee, const char *images);
/* "measure": a call for each variant of `tee`, with its measurement in
 * hexadecimal.  pages: gets a line for each page before that; or NULL. */
MUST_USE bool client_measure(const char *tee, const char *images,
	struct buf *pages,
	void (*one)(void *ctx, const char *variant, const char *hex), void *ctx,
	struct err *e);

#endif
