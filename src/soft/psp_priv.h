/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOFT_PSP_PRIV_H
#define SOFT_PSP_PRIV_H

#include "crypto/key.h"
#include "soft/certs.h"
#include "soft/psp.h"

enum { PSP_BUILD = 29 };

enum psp_state { PSP_INIT, PSP_LAUNCHING, PSP_RUNNING };

struct psp {
	enum psp_state state;
	struct soft_chip chip;
	struct crypto_key *vcek;
	struct buf endorsements;
	psp_cpuid *cpuid;
	void *cpuid_ctx;
	/* The guest. */
	uint64_t policy;
	uint8_t gosvw[16];
	uint8_t digest[48];
	uint8_t host_data[32];
	uint8_t report_id[32];
	uint8_t vmpck[4][32];
	uint64_t sequence[4];
	struct snp_id_block id;
	bool has_id, has_author;
	uint8_t id_key_digest[48], author_key_digest[48];
	uint32_t report_version;
	uint64_t mitigations; /* since version 5 */
};

/* psp_report.c: a signed ATTESTATION_REPORT. */
MUST_USE bool psp_report(const struct psp *p, const uint8_t report_data[64],
	uint32_t vmpl, struct snp_report *out, struct err *e);
/* A key as the firmware has it; and what a signature of its was made over. */
MUST_USE bool psp_check_signature(const struct snp_public_key *key,
	struct bytes message, const uint8_t signature[512]);

#endif
