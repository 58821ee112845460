/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's KVM, as far as it is newer than Debian 12's <linux/kvm.h>:
 * guest_memfd and attributes of memory (6.8), SEV-SNP (6.11), its
 * certificates (6.20).  Documentation/virt/kvm/api.rst and
 * x86/amd-memory-encryption.rst.  Names as there, prefixed by us where a later
 * header will have them: nothing here clashes with it.
 */
#ifndef SPEC_KVM_H
#define SPEC_KVM_H

#include <linux/kvm.h>

#include "base/base.h"

/* KVM_CREATE_VM */
#define SPEC_KVM_SNP_VM 4u

/* KVM_CHECK_EXTENSION */
#define SPEC_KVM_CAP_MEMORY_ATTRIBUTES 233
#define SPEC_KVM_CAP_GUEST_MEMFD       234
#define SPEC_KVM_CAP_VM_TYPES	       235

/* KVM_GET_DEVICE_ATTR of /dev/kvm itself */
#define SPEC_KVM_GRP_SEV	   1u
#define SPEC_KVM_SEV_VMSA_FEATURES 0u /* what SEV_INIT2 may ask for */

/* KVM_EXIT_... */
#define SPEC_KVM_EXIT_MEMORY_FAULT  39u
#define SPEC_KVM_EXIT_SNP_REQ_CERTS 40u

/* hypercall.args[2] of KVM_HC_MAP_GPA_RANGE */
#define SPEC_KVM_MAP_ENCRYPTED (1ull << 4)
#define SPEC_KVM_MAP_2M	       1ull

#define SPEC_KVM_MEM_GUEST_MEMFD (1u << 2)

struct spec_kvm_region2 {
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
LAYOUT(struct spec_kvm_region2, guest_memfd, 0x28);
LAYOUT_SIZE(struct spec_kvm_region2, 0xa0);
#define SPEC_KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct spec_kvm_region2)

#define SPEC_KVM_ATTRIBUTE_PRIVATE (1ull << 3)

struct spec_kvm_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};
#define SPEC_KVM_SET_MEMORY_ATTRIBUTES \
	_IOW(KVMIO, 0xd2, struct spec_kvm_attributes)

struct spec_kvm_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved_10[6];
};
#define SPEC_KVM_CREATE_GUEST_MEMFD \
	_IOWR(KVMIO, 0xd4, struct spec_kvm_guest_memfd)

/* In place of struct kvm_run's union, from offset 0x20 on. */
#define SPEC_KVM_RUN_UNION 0x20u
_Static_assert(offsetof(struct kvm_run, io) == SPEC_KVM_RUN_UNION, "kvm_run");

#define SPEC_KVM_FAULT_PRIVATE (1ull << 3)

struct spec_kvm_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

struct spec_kvm_certs {
	uint64_t gpa;
	uint64_t npages; /* in: room; out, with ENOSPC: what is needed */
	uint64_t ret;	 /* errno, positive */
};

/* --- KVM_MEMORY_ENCRYPT_OP --------------------------------------------------
 */

enum spec_kvm_sev {
	SPEC_KVM_SEV_INIT2 = 22,
	SPEC_KVM_SNP_START = 100,
	SPEC_KVM_SNP_UPDATE,
	SPEC_KVM_SNP_FINISH,
	SPEC_KVM_SNP_ENABLE_CERTS,
};

struct spec_kvm_sev_cmd {
	uint32_t id;
	uint32_t reserved_04;
	uint64_t data;
	uint32_t error; /* the firmware's: enum snp_status */
	uint32_t sev_fd;
};
LAYOUT_SIZE(struct spec_kvm_sev_cmd, 0x18);

struct spec_kvm_sev_init {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t reserved_0e;
	uint32_t reserved_10[8];
};
LAYOUT_SIZE(struct spec_kvm_sev_init, 0x30);

struct spec_kvm_snp_start {
	uint64_t policy;
	uint8_t gosvw[16];
	uint16_t flags;
	uint8_t reserved_1a[6];
	uint64_t reserved_20[4];
};
LAYOUT_SIZE(struct spec_kvm_snp_start, 0x40);

struct spec_kvm_snp_update {
	uint64_t gfn_start;
	uint64_t uaddr;
	uint64_t len;
	uint8_t type; /* enum snp_page_type */
	uint8_t reserved_19;
	uint16_t flags;
	uint32_t reserved_1c;
	uint64_t reserved_20[4];
};
LAYOUT(struct spec_kvm_snp_update, type, 0x18);
LAYOUT_SIZE(struct spec_kvm_snp_update, 0x40);

struct spec_kvm_snp_finish {
	uint64_t id_block_uaddr;
	uint64_t id_auth_uaddr;
	uint8_t id_block_en;
	uint8_t auth_key_en;
	uint8_t vcek_disabled;
	uint8_t host_data[32];
	uint8_t reserved_33[3];
	uint16_t flags;
	uint64_t reserved_38[4];
};
LAYOUT(struct spec_kvm_snp_finish, host_data, 0x13);
LAYOUT(struct spec_kvm_snp_finish, flags, 0x36);
LAYOUT_SIZE(struct spec_kvm_snp_finish, 0x58);

#endif
