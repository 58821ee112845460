/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy holds, for the verifiers in this folder only.
 */
#ifndef ATTEST_RULES_H
#define ATTEST_RULES_H

#include "attest/policy.h"

struct attest_digest {
	uint8_t value[64];
	size_t len;
};

struct attest_digests {
	struct attest_digest *ptr; /* owned */
	size_t count;
};

/* Of one technology. */
struct attest_rules {
	bool allowed;
	struct attest_digests accept, deny; /* measurements */
};

/* Technologies by the names that evidence, policies and commands use. */
enum attest_tech {
	ATTEST_TECH_PROCESS,
	ATTEST_TECH_KVM,
	ATTEST_TECH_SNP,
	ATTEST_TECH_TDX,
	ATTEST_TECH_SGX,
	ATTEST_TECH_SANCTUM,
	ATTEST_TECHS, /* how many; also: none of them */
};

struct attest_policy {
	struct attest_rules rules[ATTEST_TECHS];
	struct attest_digests roots; /* fingerprints of software roots */
	bool allow_debug;
};

const char *attest_tech_name(enum attest_tech t);
enum attest_tech attest_tech_find(const char *name);
size_t attest_tech_measurement_len(enum attest_tech t);

bool attest_digests_has(const struct attest_digests *d, struct bytes v);

#endif
