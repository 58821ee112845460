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
/* Ours too, as no registry has them: Keystone, Sanctum, PEF. */
#define ATTEST_TAG_KEYSTONE 0x444a4b53u
#define ATTEST_TAG_SANCTUM  0x444a5343u
#define ATTEST_TAG_PEF	    0x444a5046u
/* How others carry evidence: Gramine's old extension, also as it once wrote
 * it (the whole encoding taken for its contents), and Enarx's requests. */
#define ATTEST_OID_GRAMINE     "1.2.840.113741.1337.6"
#define ATTEST_OID_GRAMINE_OLD "0.6.9.42.840.113741.1337.6"
#define ATTEST_OID_ENARX_SGX   "1.3.6.1.4.1.58270.1.2"
#define ATTEST_OID_ENARX_SNP   "1.3.6.1.4.1.58270.1.3"

struct attest_claims {
	uint8_t spki_hash[32];
	uint8_t nonce[32];
	uint8_t owner[32];
};

bool attest_claims_encode(const struct attest_claims *c, struct buf *out);
MUST_USE bool attest_claims_parse(struct bytes in, struct attest_claims *out,
	struct err *e);
/*
 * Claims of anybody's interoperable RA-TLS: a map in which "pubkey-hash" is
 * [alg, hash of the SPKI] with SHA-256, SHA-384 or SHA-512, and "nonce", when
 * it is there, a byte string; other members may be anything.
 */
struct attest_foreign_claims {
	unsigned alg;	   /* as in the claims: 1, 7, 8 */
	struct bytes hash; /* borrowed, as the nonce */
	struct bytes nonce;
};
MUST_USE bool attest_claims_foreign(struct bytes in,
	struct attest_foreign_claims *out, struct err *e);
/* The hash that such claims must hold; *len its length. */
MUST_USE bool attest_claims_hash(unsigned alg, struct bytes spki,
	uint8_t out[64], size_t *len, struct err *e);
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
