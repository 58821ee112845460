/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's attestation, between the files of its verifier. */
#ifndef ATTEST_INTEL_H
#define ATTEST_INTEL_H

#include "attest/cert.h"
#include "attest/check.h"
#include "attest/quote.h"
#include "codec/json.h"

enum { INTEL_COMPONENTS = 16 };

/* What a PCK certificate says about its platform. */
struct intel_pck {
	uint8_t fmspc[6], pceid[2];
	uint8_t components[INTEL_COMPONENTS];
	uint16_t pcesvn;
};

MUST_USE bool attest_pck_read(const struct attest_cert *leaf,
	struct intel_pck *out, struct err *e);

/* A chain out of PEM, leaf first, root last; owns its DER. */
struct intel_chain {
	struct buf der[3];
	struct attest_cert cert[3];
	size_t count;
};

/* By what certificates, lists and documents are judged. */
struct intel_terms {
	int64_t now, max_age; /* seconds; max_age 0: as old as it says */
	struct attest_seen *seen;
	uint8_t root[32]; /* SHA-256 of the key that chains must end in */
	int64_t expires;  /* out: the earliest end of what was judged */
};

void attest_chain_fini(struct intel_chain *c);
/* Exactly n certificates and nothing else. */
MUST_USE bool attest_chain_read(struct bytes pem, size_t n,
	struct intel_chain *out, struct err *e);
/* Each signed by the next, the last by itself and of the root's key. */
MUST_USE bool attest_chain_signed(const struct intel_chain *c,
	const struct intel_terms *t, struct err *e);
/* All dates lie around now; *to: the earliest end. */
bool attest_chain_valid(const struct intel_chain *c, int64_t now, int64_t *to);
/* SHA-256 of the key of Intel SGX Root CA. */
extern const uint8_t attest_intel_root[32];

/* Endorsements: CBOR [3, PCK list issuers, root list, PCK list, TCB info
 * chain, TCB info, QE identity chain, QE identity], byte strings in the order
 * of Intel's sgx_ql_qve_collateral_t.  Spans of the input. */
struct intel_collateral {
	struct bytes root_crl, pck_crl;
	struct bytes tcb_chain, tcb_info;
	struct bytes qe_chain, qe_identity;
};

MUST_USE bool attest_collateral_split(struct bytes in,
	struct intel_collateral *out, struct err *e);

/* What is checked in a signed document before anything in it is believed:
 * chain to the pinned root, root list, signature over the exact bytes, dates,
 * id, version.  *out (json_decref) is the signed object. */
struct intel_signed {
	struct bytes chain, document, root_crl;
	const char *member, *id; /* "tcbInfo", "TDX" */
	uint64_t version;
	uint64_t evaluation; /* out: tcbEvaluationDataNumber */
	bool undated;	     /* dates and the root's list are judged later */
};
MUST_USE bool attest_collateral_open(struct intel_signed *s,
	struct intel_terms *t, json_t **out, struct err *e);
MUST_USE bool attest_collateral_crl(struct bytes der,
	const struct attest_cert *issuer, struct intel_terms *t,
	struct attest_crl *out, struct err *e);

enum intel_status {
	INTEL_UP_TO_DATE,
	INTEL_SW_HARDENING,
	INTEL_CONFIGURATION,
	INTEL_CONFIGURATION_SW_HARDENING,
	INTEL_OUT_OF_DATE,
	INTEL_OUT_OF_DATE_CONFIGURATION,
	INTEL_TD_RELAUNCH,
	INTEL_TD_RELAUNCH_CONFIGURATION,
	INTEL_REVOKED,
	INTEL_NOT_SUPPORTED,
	INTEL_STATUSES,
};

const char *attest_status_name(enum intel_status s);
enum intel_status attest_status_find(const char *name);

/* The status of a platform at the levels of its TCB info. */
struct intel_level {
	enum intel_status platform, module, qe, all;
	char advisories[768]; /* with commas between */
	size_t advisory_count, advisories_allowed;
	int64_t date; /* of the platform's level; 0: it says none */
};

/* td: NULL for SGX.  l->qe and advisories of before stay and count. */
MUST_USE bool attest_level_find(const json_t *tcb_info,
	const struct intel_pck *pck, const struct tdx_report *td, bool td15,
	const struct attest_names *allowed, struct intel_level *l,
	struct err *e);
/* The status of the quoting enclave, in *l with its advisories, by its
 * identity, which must be of it. */
MUST_USE bool attest_level_qe(const json_t *identity,
	const struct sgx_report *qe, const struct attest_names *allowed,
	struct intel_level *l, struct err *e);
/* The module that a TD runs under is Intel's, by the TCB info. */
MUST_USE bool attest_level_module(const json_t *tcb_info,
	const struct tdx_report *td, struct err *e);

#endif
