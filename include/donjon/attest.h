/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libdonjon-attest: judges evidence of AMD SEV-SNP, Intel SGX and TDX,
 * Keystone, Sanctum, PEF and software platforms, offline, by a policy.
 * Stable: what is here stays as it is within one major version.
 *
 *	struct donjon_attest *a = donjon_attest_new(policy_toml, error);
 *	int verdict = donjon_attest_judge(a, &input, &json, error);
 *	...
 *	donjon_attest_string_free(json);
 *	donjon_attest_free(a);
 *
 * Build with `pkg-config --cflags --libs donjon-attest`.  A handle may be used
 * by one thread at a time; different handles share nothing.
 */
#ifndef DONJON_ATTEST_H
#define DONJON_ATTEST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DONJON_ATTEST_VERSION 1
enum { DONJON_ATTEST_ERROR_BYTES = 256 };

enum donjon_attest_result {
	DONJON_ATTEST_ACCEPTED = 0,
	DONJON_ATTEST_REFUSED = 1, /* json says which checks failed */
	DONJON_ATTEST_INPUT = -1,  /* what was given can't be read */
	DONJON_ATTEST_FAILED = -2, /* no memory */
};

struct donjon_attest; /* a policy, and signatures that were good before */

/* policy: TOML, as docs/policy.md has it.  NULL: failed, error says why (at
 * most DONJON_ATTEST_ERROR_BYTES with its NUL; may be NULL). */
struct donjon_attest *donjon_attest_new(const char *policy, char *error);
void donjon_attest_free(struct donjon_attest *a);

struct donjon_attest_bytes {
	const void *ptr;
	size_t len;
};

struct donjon_attest_input {
	/* As `donjon verify FILE` takes it: evidence alone, a certificate, a
	 * request for one, or a Keep's JSON. */
	struct donjon_attest_bytes evidence;
	/* Certificates, lists and signed documents in any order; may be none.
	 */
	const struct donjon_attest_bytes *endorsements;
	size_t endorsement_count;
	int64_t now; /* seconds since 1970 */
	/* 64 bytes that evidence alone must hold; or NULL. */
	const uint8_t *report_data;
	/* 32 bytes that claims must hold; or NULL. */
	const uint8_t *nonce;
	/* SubjectPublicKeyInfo (DER) of the peer, for evidence in a Keep's
	 * JSON without a certificate; else empty. */
	struct donjon_attest_bytes key;
	int padded; /* bytes behind a quote are not looked at */
};

/*
 * *json (may be NULL) becomes the verdict as docs/verify.md has it, to be
 * freed with donjon_attest_string_free; NULL unless a verdict was reached.
 */
int donjon_attest_judge(struct donjon_attest *a,
	const struct donjon_attest_input *input, char **json, char *error);
void donjon_attest_string_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
