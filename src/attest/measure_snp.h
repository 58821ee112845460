/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch digest of SEV-SNP before launch (SEV-SNP Firmware ABI, AMD
 * 56860, "Page info" and LAUNCH_UPDATE): pages in the order in which the
 * firmware gets them, the vCPUs' VMSA pages last.
 */
#ifndef ATTEST_MEASURE_SNP_H
#define ATTEST_MEASURE_SNP_H

#include "base/buf.h"
#include "base/err.h"

enum attest_snp_page {
	ATTEST_SNP_NORMAL = 1,
	ATTEST_SNP_VMSA,
	ATTEST_SNP_ZERO,
	ATTEST_SNP_UNMEASURED,
	ATTEST_SNP_SECRETS,
	ATTEST_SNP_CPUID,
};

/* "normal", "vmsa", ...; 0 when it is none. */
enum attest_snp_page attest_snp_page_find(const char *name);
const char *attest_snp_page_name(enum attest_snp_page type);

#define ATTEST_SNP_VMSA_GPA 0xfffffffff000ull

/* One page, and the digest with it. */
typedef void attest_snp_told(void *ctx, enum attest_snp_page type, uint64_t gpa,
	const uint8_t digest[48]);
/* It tells a line of text, appended to the buffer that is ctx. */
attest_snp_told attest_snp_tell;

/* All-zero begins a launch; `seed` it with a known digest to go on from. */
struct attest_snp_launch {
	uint8_t digest[48];
	attest_snp_told *page; /* NULL: nobody is told */
	void *ctx;
};

/* One page; contents (4096 bytes) of normal and VMSA pages only. */
MUST_USE bool attest_snp_launch_page(struct attest_snp_launch *l,
	enum attest_snp_page type, uint64_t gpa, struct bytes contents,
	struct err *e);
/* Whole pages from gpa on; the last one is filled with zeros. */
MUST_USE bool attest_snp_launch_range(struct attest_snp_launch *l,
	enum attest_snp_page type, uint64_t gpa, uint64_t size,
	struct bytes contents, struct err *e);

/* Registers of a vCPU as its VMSA holds them; the rest is 0. */
struct attest_snp_segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};
enum { SNP_ES, SNP_CS, SNP_SS, SNP_DS, SNP_FS, SNP_GS, SNP_GDTR, SNP_LDTR };
enum { SNP_IDTR = SNP_LDTR + 1, SNP_TR, SNP_SEGMENTS };
struct attest_snp_vcpu {
	struct attest_snp_segment segment[SNP_SEGMENTS];
	uint8_t vmpl;
	uint64_t efer, xss, cr4, cr3, cr0, dr7, dr6, rflags, rip, rsp, rax;
	uint64_t g_pat, rcx, rdx, rbx, rbp, rsi, rdi, r[8]; /* r8 to r15 */
	uint64_t sev_features, xcr0;
	uint32_t mxcsr;
	uint16_t x87_fcw;
};
void attest_snp_vmsa(const struct attest_snp_vcpu *v, uint8_t page[4096]);

/* A processor after reset, as a hypervisor gives it to the firmware. */
enum attest_snp_vmm { ATTEST_VMM_QEMU, ATTEST_VMM_EC2, ATTEST_VMM_GCE };
struct attest_snp_vcpu attest_snp_vcpu_reset(enum attest_snp_vmm vmm,
	uint32_t eip, uint32_t cpu_signature, uint64_t sev_features);

/* The vCPUs of a launch, `all` of them; the first begins at its reset vector,
 * the rest at ap_eip. */
struct attest_snp_vcpus {
	unsigned count;
	enum attest_snp_vmm vmm;
	uint32_t ap_eip, cpu_signature;
	uint64_t sev_features;
};
MUST_USE bool attest_snp_launch_vcpus(struct attest_snp_launch *l,
	const struct attest_snp_vcpus *v, struct err *e);

/* --- ID block ----------------------------------------------------------- */

enum { SNP_ID_BLOCK_BYTES = 96, SNP_ID_KEY_BYTES = 1028 };
struct attest_snp_id_block {
	uint8_t digest[48];
	uint8_t family_id[16], image_id[16];
	uint32_t guest_svn;
	uint64_t policy;
};
void attest_snp_id_block_encode(const struct attest_snp_id_block *b,
	uint8_t out[SNP_ID_BLOCK_BYTES]);
MUST_USE bool attest_snp_id_block_parse(struct bytes in,
	struct attest_snp_id_block *out, struct err *e);
/* The digest of a P-384 key (SubjectPublicKeyInfo, DER) as reports have it:
 * SHA-384 of the form that the firmware takes. */
MUST_USE bool attest_snp_key_digest(struct bytes spki, uint8_t out[48],
	struct err *e);

/* What an ID authentication page (4096 bytes) says. */
struct attest_snp_id_auth {
	uint8_t id_key_digest[48], author_key_digest[48];
	bool has_author;
};
/* Takes it apart and checks its signatures: the author's over the ID key, and,
 * when there is a block (96 bytes), the ID key's over that. */
MUST_USE bool attest_snp_id_auth_check(struct bytes page, struct bytes block,
	struct attest_snp_id_auth *out, struct err *e);
/* Makes one for a block, with P-384 keys; author_key may be NULL.  Appended. */
struct crypto_key;
MUST_USE bool attest_snp_id_auth_make(const uint8_t block[SNP_ID_BLOCK_BYTES],
	const struct crypto_key *id_key, const struct crypto_key *author_key,
	struct buf *page, struct err *e);

#endif
