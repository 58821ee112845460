/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of packages, key-based and in cosign's format: a payload of JSON
 * ("simple signing") that names a manifest's digest, signed with ECDSA P-256
 * and SHA-256, in a layer of a manifest of its own, which has the tag
 * sha256-HEX.sig or refers to what was signed (OCI referrers).
 *
 * For plain files the signature is FILE.sig: base64 of the same kind over the
 * file's bytes, as `cosign sign-blob` writes it.
 */
#ifndef REPOSITORY_SIGN_H
#define REPOSITORY_SIGN_H

#include "crypto/key.h"
#include "repository/registry.h"

enum {
	REPOSITORY_MAX_PAYLOAD = 64 << 10,
	REPOSITORY_MAX_SIGNATURE = 1 << 10, /* of base64 */
	REPOSITORY_MAX_KEYS = 16,
	REPOSITORY_MAX_RULES = 64,
};

/* What a payload says. */
struct repository_payload {
	char identity[513]; /* "host/name" of the signer's view */
	uint8_t digest[32];
};

MUST_USE bool repository_payload_parse(struct bytes in,
	struct repository_payload *out, struct err *e);
/* annotations: "key=value"; appended. */
MUST_USE bool repository_payload_make(const char *identity,
	const uint8_t digest[32], const char *const *annotations,
	size_t annotation_count, struct buf *out, struct err *e);

/* ECDSA signatures: base64 of DER (RFC 3279 §2.2.3) and back to r || s. */
MUST_USE bool repository_signature_encode(struct bytes raw, struct buf *out,
	struct err *e);
MUST_USE bool repository_signature_decode(struct bytes text, struct buf *raw,
	struct err *e);

/* A public key, PEM. */
MUST_USE bool repository_key_parse(struct bytes pem, struct crypto_key **out,
	struct err *e);

/* --- what a tenant insists on --------------------------------------------- */

struct repository_rule {
	char name[256];	    /* pattern: "registry.example/payroll/?*" */
	char identity[256]; /* pattern of the payload's; "": the reference's */
	struct crypto_key *keys[REPOSITORY_MAX_KEYS]; /* any of them will do */
	size_t key_count;
	bool unsigned_; /* signatures are not asked for */
};

struct repository_trust {
	struct repository_rule *rules; /* the first whose name fits decides */
	size_t count;
};

/* The [[signatures]] of a policy; without any, `out` is empty and everything
 * is welcome.  file: keys are looked for beside it. */
MUST_USE bool repository_trust_parse(struct bytes toml, const char *file,
	struct repository_trust *out, struct err *e);
/* Puts a rule before all others: everything must be signed by that key. */
MUST_USE bool repository_trust_key(struct repository_trust *t,
	const char *key_file, const char *identity, struct err *e);
void repository_trust_fini(struct repository_trust *t);
/* The rule for a name; NULL with *refused when there are rules and none fits.
 */
const struct repository_rule *repository_trust_find(
	const struct repository_trust *t, const char *name, bool *refused);

/* --- in registries ----------------------------------------------------------
 */

/* Is one of the digests signed as the rule for it wants?  ERR_DENIED names
 * why not.  signer: fingerprint of the key that did, when one was wanted. */
MUST_USE bool repository_trust_check(const struct repository_trust *t,
	struct repository_registry *g, const struct repository_reference *ref,
	const uint8_t (*digests)[32], size_t digest_count, uint8_t signer[32],
	bool *is_signed, struct err *e);
/* The same for a file: its contents, and where its .sig would be. */
MUST_USE bool repository_trust_check_file(const struct repository_trust *t,
	struct repository *r, const struct repository_reference *ref, int fd,
	uint64_t size, struct err *e);
/* What cannot be signed (a folder) is refused unless a rule says otherwise. */
MUST_USE bool repository_trust_check_unsigned(const struct repository_trust *t,
	const struct repository_reference *ref, struct err *e);

/* Adds a signature unless the key's is there already (*added). */
MUST_USE bool repository_sign(struct repository *r, const char *reference,
	const char *key_file, const char *const *annotations,
	size_t annotation_count, uint8_t digest[32], bool *added,
	struct err *e);
/* Is it signed as `t` wants it? */
MUST_USE bool repository_verify(struct repository *r, const char *reference,
	const struct repository_trust *t, uint8_t digest[32],
	uint8_t signer[32], struct err *e);
/* A new key at `path` and its public half at `path`.pub. */
MUST_USE bool repository_keygen(const char *path, struct err *e);

#endif
