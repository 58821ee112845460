/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant accepts (docs/policy.md).  Without a file: the Keep images
 * of this very release, on genuine, up-to-date, non-debug hardware.  A file
 * (TOML; unknown keys are errors) narrows or widens it:
 *
 *	technologies = ["snp", "process"]
 *	software = ["<sha-256 of a software root's SPKI, hex>"]
 *	allow_debug = false
 *	[process]
 *	measurements = ["<hex>", "release"]
 *	deny = ["<hex>"]
 *
 * A technology without `measurements` accepts this release's.
 */
#ifndef ATTEST_POLICY_H
#define ATTEST_POLICY_H

#include "base/buf.h"
#include "base/err.h"

struct attest_policy;

/* Reference values of this release, which the caller computed from its own
 * installed images ("release" in a policy stands for them). */
struct attest_reference {
	const char *technology; /* "process", ... */
	uint8_t measurement[64];
	size_t len; /* 48 for process */
	/* sanctum: of the monitor below, which goes with it. */
	bool has_monitor;
	uint8_t monitor[64];
};

/* The default policy: no software root is trusted. */
MUST_USE bool attest_policy_default(const struct attest_reference *refs,
	size_t count, struct attest_policy **out, struct err *e);
/* From a file's text; `file` is used in messages. */
MUST_USE bool attest_policy_parse(struct bytes toml, const char *file,
	const struct attest_reference *refs, size_t count,
	struct attest_policy **out, struct err *e);
/* Of a technology's measurements; 0: there is no such. */
size_t attest_measurement_len(const char *technology);
void attest_policy_free(struct attest_policy *p);

/* Trust a software root too (donjon run does, for its own machine). */
MUST_USE bool attest_policy_trust_root(struct attest_policy *p,
	const uint8_t fingerprint[32], struct err *e);
/* Narrows to one technology (--tee NAME); ERR_INPUT when it is unknown. */
MUST_USE bool attest_policy_only(struct attest_policy *p,
	const char *technology, struct err *e);
/* What it accepts, in sentences for people; appended. */
bool attest_policy_explain(const struct attest_policy *p, struct buf *out);

#endif
