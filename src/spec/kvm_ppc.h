/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's KVM on POWER, as far as headers of other architectures lack it
 * (arch/powerpc/include/uapi/asm/kvm.h, include/uapi/linux/kvm.h of
 * Linux 5.13). Numbers of requests are encoded as the machine does that this is
 * built for.
 */
#ifndef SPEC_KVM_PPC_H
#define SPEC_KVM_PPC_H

#include <linux/kvm.h>

#include "base/base.h"

#define SPEC_KVM_VM_PPC_HV	      1u /* type of a virtual machine */
#define SPEC_KVM_CAP_PPC_PAPR	      68u
#define SPEC_KVM_CAP_PPC_MMU_RADIX    134u
#define SPEC_KVM_CAP_PPC_SECURE_GUEST 181u

struct spec_kvm_ppc_regs {
	uint64_t pc, cr, ctr, lr, xer, msr, srr0, srr1, pid;
	uint64_t sprg[8];
	uint64_t gpr[32];
};
LAYOUT(struct spec_kvm_ppc_regs, msr, 0x28);
LAYOUT(struct spec_kvm_ppc_regs, gpr, 0x88);
LAYOUT_SIZE(struct spec_kvm_ppc_regs, 0x188);
#define SPEC_KVM_PPC_SET_REGS _IOW(KVMIO, 0x82, struct spec_kvm_ppc_regs)

struct spec_kvm_ppc_mmuv3_cfg {
	uint64_t flags;
	uint64_t process_table; /* as the second word of a partition's entry */
};
LAYOUT_SIZE(struct spec_kvm_ppc_mmuv3_cfg, 0x10);
#define SPEC_KVM_PPC_MMUV3_RADIX 1u
#define SPEC_KVM_PPC_MMUV3_GTSE	 2u
#define SPEC_KVM_PPC_CONFIGURE_V3_MMU \
	_IOW(KVMIO, 0xaf, struct spec_kvm_ppc_mmuv3_cfg)

/* A processor's LPCR, for KVM_SET_ONE_REG, and its bit for interrupts in
 * little-endian mode. */
#define SPEC_KVM_REG_PPC_LPCR_64 0x10300000000000b5ull
#define SPEC_LPCR_ILE		 (1ull << 25)

/* KVM_EXIT_PAPR_HCALL, in kvm_run's union. */
struct spec_kvm_hcall {
	uint64_t nr;
	uint64_t ret;
	uint64_t args[9]; /* r4 to r12 */
};
LAYOUT_SIZE(struct spec_kvm_hcall, 0x58);

#endif
