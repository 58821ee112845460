/* SPDX-License-Identifier: Apache-2.0 */
/* Technology `snp`: the parts behind snp.c. */
#ifndef HAL_SNP_PRIV_H
#define HAL_SNP_PRIV_H

#include "hal/vm_priv.h"
#include "spec/snp_guest.h"

/* --- the CPUID page (snp_cpuid.c) ------------------------------------------
 */

MUST_USE bool snp_cpuid_fill(const struct kvm_cpuid2 *c,
	struct snp_cpuid_page *out, struct err *e);

/* --- the launch (snp_launch.c) ----------------------------------------------
 */

struct snp_machine {
	struct vm_machine m;
	int sev;   /* /dev/sev */
	int memfd; /* private memory */
	uint32_t c_bit;
};

/* Makes the machine, gives the firmware all of its pages in order, and ends
 * the launch: the processor may start.  Accepts all-zero at _fini. */
MUST_USE bool snp_launch(struct snp_machine *s, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e);
void snp_machine_fini(struct snp_machine *s);

/* --- what a host has (snp_probe.c) -------------------------------------------
 */

/* Why not, and how to mend it; detail: its firmware. */
MUST_USE bool snp_probe_host(struct device *d, char detail[96], struct err *e);

#endif
