/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secure processor's firmware, for one SNP guest (AMD 56860): launch
 * digest, ID block, secrets and CPUID pages, guest messages, attestation
 * reports.  Refuses what the real one refuses, with its status.
 */
#ifndef SOFT_PSP_H
#define SOFT_PSP_H

#include "base/buf.h"
#include "base/err.h"
#include "spec/psp.h"
#include "spec/snp.h"
#include "spec/snp_guest.h"

struct psp;

/* Its chip's key is made and certified by the software root at root_path. */
MUST_USE bool psp_new(const char *root_path, struct psp **out, struct err *e);
void psp_free(struct psp *p);
/* Certificates and revocation list, as verifiers read them; borrowed. */
struct bytes psp_endorsements(const struct psp *p);

/* Its reports are of version 3, or of 5, as of firmware 1.58 on: with a vector
 * of mitigations. */
void psp_set_report(struct psp *p, uint32_t version, uint64_t mitigations);

/* --- launch: start, update..., finish, in that order -------------------- */

enum snp_status psp_start(struct psp *p, uint64_t policy,
	const uint8_t gosvw[16]);
/*
 * One page, measured.  SNP_PAGE_SECRETS fills *page in; SNP_PAGE_CPUID checks
 * it, and on SNP_INVALID_PARAM has put in what it would accept.
 */
enum snp_status psp_update(struct psp *p, enum snp_page_type type, uint64_t gpa,
	uint8_t page[PAGE_BYTES]);
/* id and auth: NULL, or both. */
enum snp_status psp_finish(struct psp *p, const struct snp_id_block *id,
	const struct snp_id_auth *auth, bool has_author,
	const uint8_t host_data[32]);

/* What CPUID really says; the CPUID page is checked against it. */
typedef bool psp_cpuid(void *ctx, const struct snp_cpuid_entry *ask,
	uint32_t out[4]);
void psp_set_cpuid(struct psp *p, psp_cpuid *f, void *ctx);

/* Its version and its chip's TCB, into the status that it gives. */
void psp_version(struct spec_psp_snp_status *s);

/* --- afterwards --------------------------------------------------------- */

/* SNP_GUEST_REQUEST.  response is written whole, when the status is SNP_OK. */
enum snp_status psp_request(struct psp *p, const uint8_t request[PAGE_BYTES],
	uint8_t response[PAGE_BYTES]);

#endif
