/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_snp.h"

#include "base/buf.h"
#include "codec/hex.h"
#include "crypto/hash.h"

enum { PAGE = 4096, PAGE_INFO_BYTES = 0x70 };

static const char *const page_names[] = {
	[ATTEST_SNP_NORMAL] = "normal",
	[ATTEST_SNP_VMSA] = "vmsa",
	[ATTEST_SNP_ZERO] = "zero",
	[ATTEST_SNP_UNMEASURED] = "unmeasured",
	[ATTEST_SNP_SECRETS] = "secrets",
	[ATTEST_SNP_CPUID] = "cpuid",
};

enum attest_snp_page attest_snp_page_find(const char *name)
{
	for (size_t i = 1; i < ARRAY_LEN(page_names); i++)
		if (strcmp(page_names[i], name) == 0)
			return (enum attest_snp_page)i;
	return (enum attest_snp_page)0;
}

const char *attest_snp_page_name(enum attest_snp_page type)
{
	return type && type < ARRAY_LEN(page_names) ? page_names[type] :
						      "unknown";
}

void attest_snp_tell(void *ctx, enum attest_snp_page type, uint64_t gpa,
	const uint8_t digest[48])
{
	char hex[97];
	hex_encode(bytes_of(digest, 48), hex);
	buf_fmt(ctx, "%-10s 0x%012llx  %s\n", attest_snp_page_name(type),
		(unsigned long long)gpa, hex);
}

/* PAGE_INFO: what the digest is extended with. */
static bool extend(struct attest_snp_launch *l, enum attest_snp_page type,
	uint64_t gpa, const uint8_t contents[48], struct err *e)
{
	auto_buf info = { 0 };
	buf_put(&info, BYTES_ARRAY(l->digest));
	buf_put(&info, bytes_of(contents, 48));
	buf_u16le(&info, PAGE_INFO_BYTES);
	buf_u8(&info, (uint8_t)type);
	buf_u8(&info, 0);    /* no initial migration image */
	buf_u32le(&info, 0); /* no permissions for other VMPLs */
	buf_u64le(&info, gpa);
	if (!buf_ok(&info))
		return err_fail(e, ERR_LIMIT, "launch digest: out of memory");
	if (!crypto_digest(CRYPTO_SHA384, buf_bytes(&info), l->digest, e))
		return false;
	if (l->page)
		l->page(l->ctx, type, gpa, l->digest);
	return true;
}

bool attest_snp_launch_page(struct attest_snp_launch *l,
	enum attest_snp_page type, uint64_t gpa, struct bytes contents,
	struct err *e)
{
	uint8_t hash[48] = { 0 };
	bool measured = type == ATTEST_SNP_NORMAL || type == ATTEST_SNP_VMSA;
	if (gpa % PAGE)
		return err_fail(e, ERR_INPUT,
			"launch digest: 0x%llx is no page's address",
			(unsigned long long)gpa);
	if (contents.len != (measured ? PAGE : 0))
		return err_fail(e, ERR_INPUT,
			"launch digest: %zu bytes for a page of type %s",
			contents.len, attest_snp_page_name(type));
	if (measured && !crypto_digest(CRYPTO_SHA384, contents, hash, e))
		return false;
	return extend(l, type, gpa, hash, e);
}

bool attest_snp_launch_range(struct attest_snp_launch *l,
	enum attest_snp_page type, uint64_t gpa, uint64_t size,
	struct bytes contents, struct err *e)
{
	uint8_t page[PAGE];
	bool measured = type == ATTEST_SNP_NORMAL || type == ATTEST_SNP_VMSA;
	if (size > UINT64_C(1) << 40 || gpa > UINT64_MAX - size)
		return err_fail(e, ERR_LIMIT, "launch digest: range too large");
	for (uint64_t at = 0; at < size; at += PAGE) {
		struct bytes rest = bytes_from(contents, (size_t)at);
		rest.len = size_min(rest.len, PAGE);
		memset(page, 0, sizeof page);
		if (rest.len)
			memcpy(page, rest.ptr, rest.len);
		if (!attest_snp_launch_page(l, type, gpa + at,
			    measured ? BYTES_ARRAY(page) : BYTES_NONE, e))
			return false;
	}
	return true;
}

/* --- VMSA (AMD64 APM volume 2, table B-4) ------------------------------- */

static void put(uint8_t *page, size_t at, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		page[at + i] = (uint8_t)(v >> 8 * i);
}

void attest_snp_vmsa(const struct attest_snp_vcpu *v, uint8_t page[PAGE])
{
	const struct {
		uint64_t value;
		uint16_t at, bytes;
	} fields[] = {
		{ v->vmpl, 0x0ca, 1 },
		{ v->efer, 0x0d0, 8 },
		{ v->xss, 0x140, 8 },
		{ v->cr4, 0x148, 8 },
		{ v->cr3, 0x150, 8 },
		{ v->cr0, 0x158, 8 },
		{ v->dr7, 0x160, 8 },
		{ v->dr6, 0x168, 8 },
		{ v->rflags, 0x170, 8 },
		{ v->rip, 0x178, 8 },
		{ v->rsp, 0x1d8, 8 },
		{ v->rax, 0x1f8, 8 },
		{ v->g_pat, 0x268, 8 },
		{ v->rcx, 0x308, 8 },
		{ v->rdx, 0x310, 8 },
		{ v->rbx, 0x318, 8 },
		{ v->rbp, 0x328, 8 },
		{ v->rsi, 0x330, 8 },
		{ v->rdi, 0x338, 8 },
		{ v->sev_features, 0x3b0, 8 },
		{ v->xcr0, 0x3e8, 8 },
		{ v->mxcsr, 0x408, 4 },
		{ v->x87_fcw, 0x410, 2 },
	};
	memset(page, 0, PAGE);
	for (size_t i = 0; i < SNP_SEGMENTS; i++) {
		const struct attest_snp_segment *s = &v->segment[i];
		put(page, 16 * i, s->selector, 2);
		put(page, 16 * i + 2, s->attributes, 2);
		put(page, 16 * i + 4, s->limit, 4);
		put(page, 16 * i + 8, s->base, 8);
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		put(page, fields[i].at, fields[i].value, fields[i].bytes);
	for (size_t i = 0; i < ARRAY_LEN(v->r); i++)
		put(page, 0x340 + 8 * i, v->r[i], 8);
}

enum { RESET_EIP_LOW = 0xfff0, GCE_SIGNATURE = 0x600 };
static const uint32_t reset_eip = 0xfffffff0u;

struct attest_snp_vcpu attest_snp_vcpu_reset(enum attest_snp_vmm vmm,
	uint32_t eip, uint32_t cpu_signature, uint64_t sev_features)
{
	const struct attest_snp_segment data = { 0, 0x93, 0xffff, 0 };
	bool qemu = vmm == ATTEST_VMM_QEMU, ec2 = vmm == ATTEST_VMM_EC2;
	struct attest_snp_vcpu v = {
		.efer = 0x1000, /* KVM enables SVME, */
		.cr4 = 0x40,	/* and MCE */
		.cr0 = 0x10,
		.dr7 = 0x400,
		.dr6 = 0xffff0ff0,
		.rflags = 2,
		.rip = eip & 0xffff,
		.g_pat =
			vmm == ATTEST_VMM_GCE ? 0x00070106 : 0x0007040600070406,
		.rdx = qemu ? cpu_signature : GCE_SIGNATURE,
		.sev_features = sev_features,
		.xcr0 = 1,
		.mxcsr = qemu ? 0x1f80 : 0,
		.x87_fcw = qemu ? 0x37f : 0,
	};
	for (size_t i = 0; i < SNP_SEGMENTS; i++)
		v.segment[i] = data;
	v.segment[SNP_CS] = (struct attest_snp_segment){ 0xf000,
		ec2 && eip == reset_eip ? 0x9a : 0x9b, 0xffff,
		eip & 0xffff0000 };
	v.segment[SNP_SS].attributes = ec2 ? 0x92 : 0x93;
	v.segment[SNP_GDTR].attributes = 0;
	v.segment[SNP_IDTR].attributes = 0;
	v.segment[SNP_LDTR].attributes = 0x82;
	v.segment[SNP_TR].attributes = ec2 ? 0x83 : 0x8b;
	return v;
}

bool attest_snp_launch_vcpus(struct attest_snp_launch *l,
	const struct attest_snp_vcpus *v, struct err *e)
{
	uint8_t page[PAGE];
	for (unsigned i = 0; i < v->count; i++) {
		struct attest_snp_vcpu cpu =
			attest_snp_vcpu_reset(v->vmm, i ? v->ap_eip : reset_eip,
				v->cpu_signature, v->sev_features);
		attest_snp_vmsa(&cpu, page);
		if (!attest_snp_launch_page(l, ATTEST_SNP_VMSA,
			    ATTEST_SNP_VMSA_GPA, BYTES_ARRAY(page), e))
			return false;
	}
	return true;
}
