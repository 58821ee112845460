/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUID page of an SNP launch, out of what KVM supports. */
#include <linux/kvm.h>

#include "hal/snp_priv.h"

enum { LEAF_XSAVE = 0xd, XSAVE_BASE = 0x240 };
#define LEAF_HYPERVISOR	    0x40000000u
#define LEAF_HYPERVISOR_END 0x4fffffffu

/* The firmware compares with the processor for XCR0 = 1: of the extended
 * state, the shim adds up the sizes itself. */
static void fill(struct snp_cpuid_entry *to, const struct kvm_cpuid_entry2 *x)
{
	*to = (struct snp_cpuid_entry){
		.eax_in = x->function,
		.ecx_in = x->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX ?
			x->index :
			0,
		.eax = x->eax,
		.ebx = x->ebx,
		.ecx = x->ecx,
		.edx = x->edx,
	};
	if (to->eax_in == LEAF_XSAVE && to->ecx_in <= 1) {
		to->ebx = XSAVE_BASE;
		to->xcr0_in = 1;
	}
}

bool snp_cpuid_fill(const struct kvm_cpuid2 *c, struct snp_cpuid_page *out,
	struct err *e)
{
	*out = (struct snp_cpuid_page){ 0 };
	for (uint32_t i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *x = &c->entries[i];
		bool zero = !(x->eax | x->ebx | x->ecx | x->edx);
		/* What is not there is zero; KVM's own leaves are of no use. */
		if (zero ||
			(x->function >= LEAF_HYPERVISOR &&
				x->function <= LEAF_HYPERVISOR_END))
			continue;
		if (out->count == SNP_CPUID_ENTRIES)
			return err_fail(e, ERR_HOST,
				"the processor has more CPUID leaves than the "
				"firmware takes");
		fill(&out->entries[out->count++], x);
	}
	return true;
}
