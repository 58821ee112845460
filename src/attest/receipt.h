/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: what a Keep says it ran and how that ended, signed with the key
 * that its evidence attests.  A statement is a deterministic CBOR map
 * (docs/protocol.md, "Receipts"); the signature is over the context below
 * and the statement, so that it is good for nothing else.
 */
#ifndef ATTEST_RECEIPT_H
#define ATTEST_RECEIPT_H

#include "base/buf.h"
#include "base/err.h"

#define ATTEST_RECEIPT_VERSION 1
#define ATTEST_RECEIPT_CONTEXT "donjon receipt 1" /* and its NUL */

struct attest_receipt {
	uint32_t end, status;	       /* as in EXIT */
	uint64_t started_ns, ended_ns; /* since 1970, by the tenant's clock */
	uint64_t stdin_bytes, stdout_bytes, stderr_bytes;
	/* SHA-256 each, computed in the Keep. */
	uint8_t claims[32];   /* of the claims: which Keep */
	uint8_t module[32];   /* of the module */
	uint8_t settings[32]; /* of CONFIG's payload: arguments and so on */
	uint8_t files[32];    /* of the payloads of all FILE frames */
	/* Of the package's manifest, of its Donjon.toml, of the tenant's
	 * policy, as far as they were sent. */
	uint8_t package[32], toml[32], policy[32];
	bool has_package, has_toml, has_policy;
};

bool attest_receipt_encode(const struct attest_receipt *r, struct buf *out);
MUST_USE bool attest_receipt_parse(struct bytes in, struct attest_receipt *out,
	struct err *e);

struct crypto_key;
MUST_USE bool attest_receipt_sign(const struct crypto_key *k,
	struct bytes statement, struct buf *sig, struct err *e);
/* ERR_DENIED when it is not of that key. */
MUST_USE bool attest_receipt_verify(const struct crypto_key *k,
	struct bytes statement, struct bytes sig, struct err *e);

#endif
