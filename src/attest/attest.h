/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier (RFC 9334): evidence, endorsements, policy and time in, a
 * verdict out that names every check with what was observed and what was
 * required.  Works offline, fails closed: a check that cannot be made fails.
 */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

#include "attest/claims.h"
#include "attest/policy.h"
#include "base/buf.h"
#include "base/err.h"

enum attest_tee {
	ATTEST_UNKNOWN,
	ATTEST_SOFTWARE, /* spec/software.h, whatever technology it names */
	ATTEST_SNP,
	ATTEST_SGX,
	ATTEST_TDX,
	ATTEST_SANCTUM,
	ATTEST_PEF,
};

/* What is to be judged.  All spans borrowed for the call. */
struct attest_input {
	struct bytes evidence;
	struct bytes endorsements;
	struct bytes claims; /* what report_data must be the digest of */
	struct bytes spki;   /* the peer's key in TLS; empty: not checked yet */
	const uint8_t *nonce; /* 32 bytes that the claims must hold; or NULL */
	const uint8_t *owner; /* 32 bytes: owner key hash required; or NULL */
	int64_t now;	      /* seconds since 1970 */
	/* Evidence alone, which speaks for no Keep: claims, spki, nonce and
	 * owner are not looked at, the checks of them are skipped. */
	bool bare;
	bool padded; /* a quote may have bytes behind its signature */
	const uint8_t *report_data; /* bare: 64 bytes required; or NULL */
};

enum { ATTEST_MAX_CHECKS = 64 };

struct attest_check {
	const char *name; /* static, e.g. "measurement": docs/verify.md */
	bool passed;
	bool skipped; /* nobody asked for it: neither passed nor failed */
	char observed[136];
	char required[136];
};

/* Large (18 KB): not for the stack. */
struct attest_verdict {
	bool accepted;
	enum attest_tee tee;
	const char *technology; /* "process", "snp", ...; "unknown" */
	bool confidential;	/* false: software root, or debug */
	uint8_t measurement[64];
	size_t measurement_len;
	char tcb_status[48];  /* as the vendor names it; "" */
	char advisories[256]; /* with commas between */
	int64_t expires; /* when an endorsement ends, since 1970; 0: never */
	size_t count;
	struct attest_check checks[ATTEST_MAX_CHECKS];
};

/*
 * Judges.  True when a verdict was reached, which may be a refusal: look at
 * out->accepted.  False only when we failed (no memory).
 */
MUST_USE bool attest_verify(const struct attest_input *in,
	const struct attest_policy *policy, struct attest_verdict *out,
	struct err *e);

/* The first failed check, or NULL. */
const struct attest_check *attest_failed(const struct attest_verdict *v);
/* ERR_DENIED naming the first failed check: `measurement: observed 12ab...,
 * required one of: ...`.  True when accepted. */
MUST_USE bool attest_accepted(const struct attest_verdict *v, struct err *e);

/* For people (one line a check) and for machines (one JSON object). */
bool attest_print_text(const struct attest_verdict *v, struct buf *out);
bool attest_print_json(const struct attest_verdict *v, struct buf *out);

#endif
