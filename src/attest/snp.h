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
/* By CPUID, which reports have since version 3. */
enum attest_snp_product attest_snp_product_of(const struct snp_report *v);
/* "fmc", "bootloader", ... */
const char *attest_snp_part(enum snp_tcb_part part);

/* Is a leaf of this chip, and made for this TCB?  Looks at nothing else. */
void attest_snp_leaf_fits(const struct attest_cert *leaf,
	const struct snp_report *v, bool *chip, bool *tcb);

/* leaf, intermediate, root, out of the endorsements. */
struct attest_snp_chain {
	struct attest_cert leaf, mid, root;
	struct bytes crls[4];
	size_t crl_count;
	bool vlek, software; /* software: the root is none of AMD's */
	enum attest_snp_product product; /* whose root it is */
};

/* endorsements, root, chain, validity, revocation.  False when there is no
 * chain to go on with. */
bool attest_snp_check_chain(struct attest_case *c,
	struct attest_snp_chain *out);

#endif
