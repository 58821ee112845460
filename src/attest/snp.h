/* SPDX-License-Identifier: Apache-2.0 */
/* AMD SEV-SNP, between the files of its verifier and its policy. */
#ifndef ATTEST_SNP_H
#define ATTEST_SNP_H

#include "attest/cert.h"
#include "attest/check.h"
#include "spec/snp.h"

enum attest_snp_product {
	SNP_MILAN,
	SNP_GENOA, /* and Siena, Bergamo */
	SNP_TURIN,
	SNP_PRODUCTS, /* how many; also: none of them */
};

const char *attest_snp_name(enum attest_snp_product p);
/* The value of one part of a TCB_VERSION; 0 when the product has none. */
uint8_t attest_snp_tcb(enum attest_snp_product p, const uint8_t tcb[8],
	enum snp_tcb_part part);
/* Where it stands in a TCB_VERSION; -1 when the product has none. */
int attest_snp_part_at(enum attest_snp_product p, enum snp_tcb_part part);
/* "fmc", "bootloader", ... */
const char *attest_snp_part(enum snp_tcb_part part);

/* leaf, intermediate, root, out of the endorsements. */
struct attest_snp_chain {
	struct attest_cert leaf, mid, root;
	struct bytes crls[4];
	size_t crl_count;
	bool vlek;
	enum attest_snp_product product; /* whose root it is */
	bool software; /* a software root's, which the policy names */
};

/* endorsements, root, chain, validity, revocation.  False when there is no
 * chain to go on with. */
bool attest_snp_check_chain(struct attest_case *c,
	struct attest_snp_chain *out);

#endif
