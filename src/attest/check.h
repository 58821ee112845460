/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the verifiers in this folder note what they checked.  A check that
 * cannot be made is noted as failed.
 */
#ifndef ATTEST_CHECK_H
#define ATTEST_CHECK_H

#include "attest/attest.h"
#include "attest/rules.h"

/* One evidence under judgement. */
struct attest_case {
	const struct attest_input *in;
	const struct attest_policy *policy;
	struct attest_verdict *out;
};

/* What every technology's evidence says, for attest_check_common. */
struct attest_facts {
	enum attest_tech tech;
	bool debug;
	bool vouched; /* a signer that the policy names is checked */
	struct bytes measurement;
	struct bytes report_data;
	struct bytes owner; /* where the host can't change it; empty: nowhere */
};

/* Notes a check; the caller fills observed and required. */
struct attest_check *attest_check(struct attest_verdict *v, const char *name,
	bool passed);
/* Notes it as failed because it could not be made, and why. */
void attest_check_unmade(struct attest_verdict *v, const char *name,
	const char *why);
/* Notes it as skipped: nobody asked for it, and why. */
void attest_check_skip(struct attest_verdict *v, const char *name,
	const char *why);
/* The verdict holds until then at most. */
void attest_check_expires(struct attest_verdict *v, int64_t at);
/* Hexadecimal, cut to fit; for observed and required. */
void attest_check_hex(char out[136], struct bytes v);
/* "one of: ..."; short digests when there are several. */
void attest_check_list(char out[136], const struct attest_digests *d);

enum attest_root { ATTEST_ROOT_NONE, ATTEST_ROOT_VENDOR, ATTEST_ROOT_SOFTWARE };
/* "vendor root": the root's key is one of the vendor's, or a software root
 * that the policy names.  hash: SHA-256 of it. */
enum attest_root attest_check_root(struct attest_case *c, struct bytes spki,
	const uint8_t (*vendor)[32], size_t count, const char *who,
	uint8_t hash[32]);

/* Only when the policy asks: one of its values; its bits. */
void attest_check_one_of(struct attest_case *c, const char *name,
	struct bytes value, const struct attest_digests *want);
void attest_check_mask(struct attest_case *c, const char *name, uint64_t value,
	const struct attest_mask *want);

/* debug, technology, measurement. */
void attest_check_identity(struct attest_case *c, const struct attest_facts *f);
/* report_data, claims, key binding, nonce, owner. */
MUST_USE bool attest_check_binding(struct attest_case *c,
	const struct attest_facts *f, struct err *e);
/* Notes all that the two above would as unmade. */
void attest_check_common_unmade(struct attest_verdict *v, const char *why);

/* certificate: what carries the evidence, when that is known. */
void attest_check_carrier(struct attest_case *c);

/* The technologies' verifiers. */
bool attest_software_is(struct bytes evidence);
MUST_USE bool attest_software(struct attest_case *c, struct err *e);
bool attest_snp_is(struct bytes evidence);
MUST_USE bool attest_snp(struct attest_case *c, struct err *e);
/* Quotes of SGX and TDX (attest_quote_is). */
MUST_USE bool attest_intel(struct attest_case *c, struct err *e);
bool attest_keystone_is(struct bytes evidence);
MUST_USE bool attest_keystone(struct attest_case *c, struct err *e);
bool attest_sanctum_is(struct bytes evidence);
MUST_USE bool attest_sanctum(struct attest_case *c, struct err *e);
bool attest_pef_is(struct bytes evidence);
MUST_USE bool attest_pef(struct attest_case *c, struct err *e);

#endif
