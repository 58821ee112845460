/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: what a Keep binds to its evidence.  Deterministic CBOR map
 * {"nonce": bstr 32, "owner": bstr 32, "pubkey-hash": bstr of CBOR
 * [alg, hash(SPKI)]} (interoperable RA-TLS; keys in the order of RFC 8949
 * §4.2.1); report_data = SHA-256(claims) || 32 zeros.  alg: 1 SHA-256.
 * Also the certificate that carries both: X.509 extension 2.23.133.5.4.9,
 * tagged CBOR [evidence, claims]; endorsements in 2.23.133.5.4.2.
 */
#ifndef ATTEST_CLAIMS_H
#define ATTEST_CLAIMS_H

#include "base/buf.h"
#include "base/err.h"

#define ATTEST_REPORT_DATA_BYTES 64
#define ATTEST_OID_EVIDENCE	 "2.23.133.5.4.9"
#define ATTEST_OID_ENDORSEMENTS	 "2.23.133.5.4.2"
/* CBOR tag of our software evidence, from the first-come private range. */
#define ATTEST_TAG_SOFTWARE 0x444a5357u
/* Of SEV-SNP reports, as librats has it. */
#define ATTEST_TAG_SNP 0x1a7504u
/* Of quotes of Intel SGX and TDX (interoperable RA-TLS). */
#define ATTEST_TAG_INTEL 60000u

struct attest_claims {
	uint8_t spki_hash[32];
	uint8_t nonce[32];
	uint8_t owner[32];
};

bool attest_claims_encode(const struct attest_claims *c, struct buf *out);
MUST_USE bool attest_claims_parse(struct bytes in, struct attest_claims *out,
	struct err *e);
/* SHA-256(claims) || 32 zeros. */
MUST_USE bool attest_report_data(struct bytes claims,
	uint8_t out[ATTEST_REPORT_DATA_BYTES], struct err *e);

/* The value of extension 2.23.133.5.4.9: tag([evidence, claims]). */
bool attest_tagged_encode(uint32_t tag, struct bytes evidence,
	struct bytes claims, struct buf *out);
/* Spans borrow from `in`. */
MUST_USE bool attest_tagged_parse(struct bytes in, uint32_t *tag,
	struct bytes *evidence, struct bytes *claims, struct err *e);

#endif
