/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's KVM, as far as it is newer than Debian 12's <linux/kvm.h>:
 * guest_memfd and attributes of memory (6.8), SEV-SNP (6.11), TDX (6.16), SNP's
 * certificates (6.20).  Documentation/virt/kvm/api.rst,
 * x86/amd-memory-encryption.rst and x86/intel-tdx.rst.  Names as there,
 * prefixed by us where a later header will have them: nothing here clashes with
 * it.
 */
#ifndef SPEC_KVM_H
#define SPEC_KVM_H

#include <linux/kvm.h>

#include "base/base.h"

/* KVM_CREATE_VM */
#define SPEC_KVM_SNP_VM 4u
#define SPEC_KVM_TDX_VM 5u

/* KVM_CHECK_EXTENSION */
#define SPEC_KVM_CAP_MEMORY_ATTRIBUTES 233
#define SPEC_KVM_CAP_GUEST_MEMFD       234
#define SPEC_KVM_CAP_VM_TYPES	       235

/* KVM_GET_DEVICE_ATTR of /dev/kvm itself */
#define SPEC_KVM_GRP_SEV	   1u
#define SPEC_KVM_SEV_VMSA_FEATURES 0u /* what SEV_INIT2 may ask for */

/* KVM_EXIT_... */
#define SPEC_KVM_EXIT_MEMORY_FAULT  39u
#define SPEC_KVM_EXIT_TDX	    40u
#define SPEC_KVM_EXIT_SNP_REQ_CERTS 43u

/* system_event.type */
#define SPEC_KVM_SYSTEM_EVENT_TDX_FATAL 7u

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

/* --- the same, of a TDX machine or its processor ---------------------------
 */

enum spec_kvm_tdx {
	SPEC_KVM_TDX_CAPABILITIES, /* of the machine */
	SPEC_KVM_TDX_INIT_VM,
	SPEC_KVM_TDX_INIT_VCPU, /* of the processor; data: its RCX */
	SPEC_KVM_TDX_INIT_MEM_REGION,
	SPEC_KVM_TDX_FINALIZE_VM, /* of the machine */
	SPEC_KVM_TDX_GET_CPUID,	  /* of the processor */
};

/* INIT_MEM_REGION's flag: the pages' contents are measured, too. */
#define SPEC_KVM_TDX_MEASURE 1u

struct spec_kvm_tdx_cmd {
	uint32_t id;
	uint32_t flags;
	uint64_t data;
	uint64_t hw_error; /* in: 0; out: the TDX module's status */
};
LAYOUT_SIZE(struct spec_kvm_tdx_cmd, 0x18);

/* cpuid: what can be chosen.  As long as its nent says. */
struct spec_kvm_tdx_capabilities {
	uint64_t supported_attrs;
	uint64_t supported_xfam;
	uint64_t kernel_calls_r11, user_calls_r11;
	uint64_t kernel_calls_r12, user_calls_r12;
	uint64_t reserved_030[250];
	struct kvm_cpuid2 cpuid;
};
LAYOUT(struct spec_kvm_tdx_capabilities, cpuid, 0x800);

struct spec_kvm_tdx_init {
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint64_t reserved_0a0[12];
	struct kvm_cpuid2 cpuid;
};
LAYOUT(struct spec_kvm_tdx_init, mrconfigid, 0x10);
LAYOUT(struct spec_kvm_tdx_init, cpuid, 0x100);

struct spec_kvm_tdx_region {
	uint64_t source_addr;
	uint64_t gpa;
	uint64_t nr_pages;
};
LAYOUT_SIZE(struct spec_kvm_tdx_region, 0x18);

/* KVM_EXIT_TDX, in struct kvm_run's union: nr is an enum tdx_call. */
struct spec_kvm_tdx_exit {
	uint64_t flags;
	uint64_t nr;
	uint64_t ret; /* a status of the call; set before by the kernel */
	union {
		struct {
			uint64_t gpa, size;
		} get_quote;
		struct {
			uint64_t leaf, r11, r12, r13, r14;
		} info;
		struct {
			uint64_t vector;
		} event_notify;
	};
};
LAYOUT(struct spec_kvm_tdx_exit, ret, 0x10);
LAYOUT(struct spec_kvm_tdx_exit, get_quote, 0x18);
LAYOUT_SIZE(struct spec_kvm_tdx_exit, 0x40);

#endif
