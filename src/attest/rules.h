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

struct attest_names {
	char **ptr; /* owned, each too */
	size_t count;
};

enum { ATTEST_SNP_PRODUCTS = 3 }; /* Milan, Genoa, Turin */

/* [snp]; all-zero but for `products` is the default. */
struct attest_snp_rules {
	bool products[ATTEST_SNP_PRODUCTS];
	bool crl_optional;
	bool allow_no_alias_check; /* against BadRAM (CVE-2024-21944) */
	bool refuse_smt, single_socket, ciphertext_hiding;
	uint32_t vmpl, minimum_guest_svn;
	unsigned minimum_abi;			     /* major << 8 | minor */
	uint8_t minimum_tcb[ATTEST_SNP_PRODUCTS][8]; /* as TCB_VERSION */
	struct attest_digests author_keys, id_keys, deny_keys, chip_ids;
	struct attest_digests host_data;
	struct attest_names csp_ids; /* of VLEKs */
};

/* What [sgx] and [tdx] share: statuses accepted beside UpToDate, and the
 * advisories that those may carry. */
struct attest_intel_rules {
	struct attest_names statuses, advisories;
	uint32_t minimum_evaluation;
};

/* [sgx]; all-zero is the default. */
struct attest_sgx_rules {
	struct attest_intel_rules intel;
	struct attest_digests signers;
	bool product_named, allow_provision_key;
	uint16_t product_id, minimum_svn;
};

/* [tdx]; all-zero is the default. */
struct attest_tdx_rules {
	struct attest_intel_rules intel;
	struct attest_digests rtmr[4], mrseam, mrconfigid, mrowner,
		mrownerconfig;
	bool allow_sept_ve, allow_perfmon, allow_service_td;
};

struct attest_policy {
	struct attest_rules rules[ATTEST_TECHS];
	struct attest_snp_rules snp;
	struct attest_sgx_rules sgx;
	struct attest_tdx_rules tdx;
	struct attest_digests roots; /* fingerprints of software roots */
	bool allow_debug;
};

const char *attest_tech_name(enum attest_tech t);
enum attest_tech attest_tech_find(const char *name);
size_t attest_tech_measurement_len(enum attest_tech t);

bool attest_digests_has(const struct attest_digests *d, struct bytes v);
/* Reads an array of hexadecimal digests of len bytes; *release: the word
 * `or_else` was among them ("": no word is allowed). */
struct toml_node;
MUST_USE bool attest_digests_read(struct toml_node *n, size_t len,
	const char *or_else, struct attest_digests *to, bool *release,
	struct err *e);

/* The keys of [snp] beside measurements and deny. */
void attest_policy_snp_init(struct attest_snp_rules *r);
void attest_policy_snp_fini(struct attest_snp_rules *r);
MUST_USE bool attest_policy_snp_read(struct attest_snp_rules *r,
	struct toml_node *table, struct err *e);
/* Reads an array of names, at most 64. */
MUST_USE bool attest_names_read(struct attest_names *to, struct toml_node *n,
	struct err *e);
void attest_names_fini(struct attest_names *n);
/* The keys of [sgx] and [tdx]. */
void attest_policy_intel_fini(struct attest_policy *p);
MUST_USE bool attest_policy_sgx_read(struct attest_sgx_rules *r,
	struct toml_node *table, struct err *e);
MUST_USE bool attest_policy_tdx_read(struct attest_tdx_rules *r,
	struct toml_node *table, struct err *e);

#endif
