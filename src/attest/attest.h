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
#include "attest/seen.h"
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
	ATTEST_KEYSTONE,
};

/* Whom evidence speaks for: what its report data must be. */
enum attest_binding {
	ATTEST_BIND_KEEP,    /* SHA-256 of our claims, whole (claims.h) */
	ATTEST_BIND_CLAIMS,  /* of anybody's claims that name the key */
	ATTEST_BIND_SHA256,  /* SHA-256 of the key, then zeros */
	ATTEST_BIND_SHA384,  /* SHA-384 of the key, then zeros */
	ATTEST_BIND_NOTHING, /* evidence alone: nobody is known */
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
	enum attest_binding binding;
	bool padded; /* a quote may have bytes behind its signature */
	/* What the evidence must hold, whatever it binds; empty: not asked. */
	struct bytes report_data;
	/* What carries the evidence, to be judged too: a certificate, or a
	 * request for one (PKCS#10); DER; empty: nothing. */
	struct bytes certificate;
	bool request;
	struct attest_seen *seen; /* signatures known to be good; or NULL */
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
	char advisories[768]; /* with commas between */
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

/* A policy to begin with, with comments; `seen`: evidence whose measurement
 * it accepts, or NULL.  Appended. */
bool attest_policy_template(const struct attest_verdict *seen, struct buf *out);

/* For people (one line a check) and for machines (one JSON object). */
bool attest_print_text(const struct attest_verdict *v, struct buf *out);
bool attest_print_json(const struct attest_verdict *v, struct buf *out);

#endif
