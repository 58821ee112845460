/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's interface to SEV-SNP guests, from 6.11 on (include/uapi/linux/kvm.h,
 * arch/x86/include/uapi/asm/kvm.h, Documentation/virt/kvm/api.rst), which is
 * newer than the headers that we build with.
 */
#ifndef SPEC_KVM_SNP_H
#define SPEC_KVM_SNP_H

#include <linux/kvm.h>

#include "base/base.h"

#define KVM_SNP_CAP_EXIT_HYPERCALL    201
#define KVM_SNP_CAP_MEMORY_ATTRIBUTES 233
#define KVM_SNP_CAP_GUEST_MEMFD	      234
#define KVM_SNP_CAP_VM_TYPES	      235

#define KVM_SNP_VM_TYPE 4 /* KVM_X86_SNP_VM */

/* --- memory ------------------------------------------------------------- */

struct kvm_snp_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved_10[6];
};
LAYOUT_SIZE(struct kvm_snp_guest_memfd, 0x40);

struct kvm_snp_region {
	uint32_t slot;
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size;
	uint64_t userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t reserved_2c;
	uint64_t reserved_30[14];
};
LAYOUT(struct kvm_snp_region, guest_memfd, 0x28);
LAYOUT_SIZE(struct kvm_snp_region, 0xa0);

struct kvm_snp_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};
LAYOUT_SIZE(struct kvm_snp_attributes, 0x20);

#define KVM_SNP_CREATE_GUEST_MEMFD \
	_IOWR(KVMIO, 0xd4, struct kvm_snp_guest_memfd)
#define KVM_SNP_SET_REGION     _IOW(KVMIO, 0x49, struct kvm_snp_region)
#define KVM_SNP_SET_ATTRIBUTES _IOW(KVMIO, 0xd2, struct kvm_snp_attributes)
#define KVM_SNP_REGION_MEMFD   (1u << 2)
#define KVM_SNP_PRIVATE	       (1ull << 3)

/* --- commands (KVM_MEMORY_ENCRYPT_OP of the machine) -------------------- */

enum kvm_snp_command {
	KVM_SNP_INIT2 = 22,
	KVM_SNP_LAUNCH_START = 100,
	KVM_SNP_LAUNCH_UPDATE = 101,
	KVM_SNP_LAUNCH_FINISH = 102,
	KVM_SNP_ENABLE_CERTS = 103, /* 6.20 */
};

struct kvm_snp_init {
	uint64_t vmsa_features; /* without the bit that says SNP */
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t reserved_0e;
	uint32_t reserved_10[8];
};
LAYOUT_SIZE(struct kvm_snp_init, 0x30);

struct kvm_snp_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t reserved_1a[6];
	uint64_t reserved_20[4];
};
LAYOUT_SIZE(struct kvm_snp_start, 0x40);

/* -EAGAIN: go on with what is left of it. */
struct kvm_snp_update {
	uint64_t gfn;
	uint64_t uaddr;
	uint64_t len;
	uint8_t type; /* enum snp_page_type */
	uint8_t reserved_19;
	uint16_t flags;
	uint32_t reserved_1c;
	uint64_t reserved_20[4];
};
LAYOUT_SIZE(struct kvm_snp_update, 0x40);

struct kvm_snp_finish {
	uint64_t id_block;
	uint64_t id_auth;
	uint8_t id_block_en;
	uint8_t auth_key_en;
	uint8_t vcek_disabled;
	uint8_t host_data[32];
	uint8_t reserved_33[3];
	uint16_t flags;
	uint64_t reserved_38[4];
};
LAYOUT(struct kvm_snp_finish, host_data, 0x13);
LAYOUT(struct kvm_snp_finish, flags, 0x36);
LAYOUT_SIZE(struct kvm_snp_finish, 0x58);

/* --- exits -------------------------------------------------------------- */

#define KVM_SNP_HC_MAP_GPA_RANGE  12u
#define KVM_SNP_EXIT_MEMORY_FAULT 39u
#define KVM_SNP_EXIT_CERTS	  40u

/* hypercall.args[2] of KVM_HC_MAP_GPA_RANGE */
#define KVM_SNP_MAP_ENCRYPTED (1ull << 4)
#define KVM_SNP_MAP_2M	      1ull

/* In place of struct kvm_run's union. */
#define KVM_SNP_RUN_UNION 0x20u
_Static_assert(offsetof(struct kvm_run, io) == KVM_SNP_RUN_UNION, "kvm_run");

/* MEMORY_FAULT; flags: KVM_SNP_PRIVATE. */
struct kvm_snp_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

struct kvm_snp_certs {
	uint64_t gpa;
	uint64_t npages; /* room; with ENOSPC: what is needed */
	uint64_t ret;	 /* errno, positive */
};

#endif
