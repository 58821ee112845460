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
	ATTEST_TECH_KEYSTONE,
	ATTEST_TECH_PEF,
	ATTEST_TECHS, /* how many; also: none of them */
};

struct attest_names {
	char **ptr; /* owned, each too */
	size_t count;
};

enum { ATTEST_SNP_PRODUCTS = 3 }; /* Milan, Genoa, Turin */

/* Bits that must have a value; mask 0: none. */
struct attest_mask {
	uint64_t mask, value;
};

/* Of which TCB_VERSION a report holds. */
enum attest_snp_tcb_kind {
	ATTEST_TCB_REPORTED,
	ATTEST_TCB_COMMITTED,
	ATTEST_TCB_LAUNCH,
	ATTEST_TCB_KINDS,
};

/* [snp]; all-zero but for `products` is the default. */
struct attest_snp_rules {
	bool products[ATTEST_SNP_PRODUCTS];
	bool crl_optional;
	bool allow_no_alias_check; /* against BadRAM (CVE-2024-21944) */
	bool refuse_smt, single_socket, ciphertext_hiding;
	bool allow_masked_chip; /* a report may not say which chip made it */
	uint32_t vmpl, minimum_guest_svn;
	unsigned minimum_abi;	   /* major << 8 | minor */
	unsigned minimum_firmware; /* major << 16 | minor << 8 | build */
	uint64_t mitigations;	   /* bits that the launch must have had */
	struct attest_mask policy, platform;
	/* as TCB_VERSION */
	uint8_t minimum_tcb[ATTEST_TCB_KINDS][ATTEST_SNP_PRODUCTS][8];
	struct attest_digests author_keys, id_keys, deny_keys, chip_ids;
	struct attest_digests host_data, family_ids, image_ids;
	struct attest_digests deny_chip_ids;
	struct attest_names csp_ids; /* of VLEKs */
};

/* What [sgx] and [tdx] share: statuses accepted beside UpToDate, and the
 * advisories that those may carry. */
struct attest_intel_rules {
	struct attest_names statuses, advisories;
	struct attest_digests fmspcs;
	uint32_t minimum_evaluation;
	int64_t minimum_tcb_date; /* seconds since 1970; 0: any */
};

/* [sgx]; all-zero is the default. */
struct attest_sgx_rules {
	struct attest_intel_rules intel;
	struct attest_digests signers, deny_signers;
	struct attest_digests config_ids, extended_product_ids, family_ids;
	struct attest_mask attributes, xfrm, miscselect;
	uint16_t minimum_config_svn;
	bool product_named, allow_provision_key;
	uint16_t product_id, minimum_svn;
};

/* [tdx]; all-zero is the default. */
struct attest_tdx_rules {
	struct attest_intel_rules intel;
	struct attest_digests rtmr[4], mrseam, mrconfigid, mrowner,
		mrownerconfig, mrservicetd;
	struct attest_mask attributes, xfam;
	uint8_t minimum_tcb_svn[16];
	bool allow_sept_ve, allow_perfmon, allow_service_td;
};

/* [keystone], [sanctum]: keys (32 bytes) and monitors' hashes (64) */
struct attest_riscv_rules {
	struct attest_digests manufacturers, devices, monitor_keys, monitors;
	bool allow_guessable_keys; /* Keystone: of boot code with a known bug */
};

struct attest_policy {
	struct attest_rules rules[ATTEST_TECHS];
	struct attest_snp_rules snp;
	struct attest_sgx_rules sgx;
	struct attest_tdx_rules tdx;
	struct attest_riscv_rules keystone, sanctum;
	struct attest_digests pef_keys; /* SHA-256 of owners' sealed keys */
	struct attest_digests roots;	/* fingerprints of software roots */
	struct attest_digests owners;	/* key hashes; none: anybody's */
	int64_t max_collateral_age;	/* seconds; 0: as old as it says */
	bool allow_debug;
};

const char *attest_tech_name(enum attest_tech t);
enum attest_tech attest_tech_find(const char *name);
size_t attest_tech_measurement_len(enum attest_tech t);

/* Accepts nothing yet but by the defaults of each technology. */
MUST_USE bool attest_policy_new(struct attest_policy **out, struct err *e);
bool attest_digests_has(const struct attest_digests *d, struct bytes v);
MUST_USE bool attest_digests_add(struct attest_digests *d, struct bytes v,
	struct err *e);
/* Reads an array of hexadecimal digests of len bytes; *release: the word
 * `or_else` was among them ("": no word is allowed). */
struct toml_node;
MUST_USE bool attest_digests_read(struct toml_node *n, size_t len,
	const char *or_else, struct attest_digests *to, bool *release,
	struct err *e);

/* Those of a table's keys that are there, each an array of digests. */
struct attest_list {
	const char *key;
	size_t len; /* of each digest, bytes */
	struct attest_digests *to;
};
MUST_USE bool attest_lists_read(const struct attest_list *lists, size_t count,
	struct toml_node *table, struct err *e);

/* { mask = 0x.., value = 0x.. }: integers, or hexadecimal strings. */
MUST_USE bool attest_mask_read(struct attest_mask *m, struct toml_node *n,
	struct err *e);
/* A number of 64 bits: an integer, or a string "0x...". */
MUST_USE bool attest_u64_read(uint64_t *out, struct toml_node *n,
	struct err *e);

/* The keys of [snp] beside measurements and deny. */
MUST_USE bool attest_policy_snp_read(struct attest_snp_rules *r,
	struct toml_node *table, struct err *e);
/* Reads an array of names, at most 64. */
MUST_USE bool attest_names_read(struct attest_names *to, struct toml_node *n,
	struct err *e);
/* The keys of [sgx] and [tdx]. */
MUST_USE bool attest_policy_sgx_read(struct attest_sgx_rules *r,
	struct toml_node *table, struct err *e);
MUST_USE bool attest_policy_tdx_read(struct attest_tdx_rules *r,
	struct toml_node *table, struct err *e);

/* The keys of [keystone], [sanctum] and [pef]. */
MUST_USE bool attest_policy_keystone_read(struct attest_riscv_rules *r,
	struct toml_node *table, struct err *e);
MUST_USE bool attest_policy_sanctum_read(struct attest_riscv_rules *r,
	struct toml_node *table, struct err *e);
MUST_USE bool attest_policy_pef_read(struct attest_digests *keys,
	struct toml_node *table, struct err *e);

#endif
