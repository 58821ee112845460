/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/snp/cpuid.h"

enum {
	LEAF_XSAVE = 0xd,
	ID1_C_OSXSAVE = 1 << 27,
	ID7_C_OSPKE = 1 << 4,
	XSAVE_BASE = 0x240
};
#define LEAF_SEV 0x8000001fu
#define SEV_SNP	 (1u << 4)

/* Leaves whose answer depends on ECX (AMD64 manual, volume 3, appendix E). */
static bool has_subleaves(uint32_t leaf)
{
	switch (leaf) {
	case 0x4:
	case 0x7:
	case 0xb:
	case LEAF_XSAVE:
	case 0xf:
	case 0x10:
	case 0x12:
	case 0x14:
	case 0x8000001d:
	case 0x80000020:
	case 0x80000026:
		return true;
	default:
		return false;
	}
}

static const struct snp_cpuid_entry *find(const struct snp_cpuid_page *p,
	uint32_t leaf, uint32_t sub)
{
	for (uint32_t i = 0; i < p->count && i < SNP_CPUID_ENTRIES; i++) {
		const struct snp_cpuid_entry *x = &p->entries[i];
		if (x->eax_in == leaf &&
			(!has_subleaves(leaf) || x->ecx_in == sub))
			return x;
	}
	return NULL;
}

static bool same_key(const struct snp_cpuid_entry *a,
	const struct snp_cpuid_entry *b)
{
	return a->eax_in == b->eax_in &&
		(!has_subleaves(a->eax_in) || a->ecx_in == b->ecx_in);
}

static bool each_once(const struct snp_cpuid_page *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (same_key(&p->entries[i], &p->entries[k]))
				return false;
	return true;
}

bool snp_cpuid_check(const struct snp_cpuid_page *p, uint32_t c_bit,
	struct err *e)
{
	if (p->count == 0 || p->count > SNP_CPUID_ENTRIES || p->reserved_04 ||
		p->reserved_08)
		return err_fail(e, ERR_HOST, "CPUID page: %u entries",
			p->count);
	if (!each_once(p))
		return err_fail(e, ERR_HOST, "CPUID page: two answers for one");
	const struct snp_cpuid_entry *sev = find(p, LEAF_SEV, 0);
	if (!sev || !(sev->eax & SEV_SNP))
		return err_fail(e, ERR_HOST, "CPUID page: no SNP");
	if ((sev->ebx & 0x3f) != c_bit)
		return err_fail(e, ERR_HOST,
			"CPUID page: encryption bit %u, measured %u",
			sev->ebx & 0x3f, c_bit);
	return true;
}

/* Of the state components in `which` (AMD64 manual, volume 2, §11.5.2): they
 * are in the table one by one, for that XCR0 the sum is not. */
static uint32_t xsave_bytes(const struct snp_cpuid_page *p, uint64_t which)
{
	uint32_t most = XSAVE_BASE;
	for (uint32_t i = 2; i < 63; i++) {
		const struct snp_cpuid_entry *x = find(p, LEAF_XSAVE, i);
		if (!(which >> i & 1) || !x)
			continue;
		uint64_t end = (uint64_t)x->ebx + x->eax;
		if (end > most && end <= UINT32_MAX)
			most = (uint32_t)end;
	}
	return most;
}

struct cpu_id snp_cpuid(const struct snp_cpuid_page *p, uint32_t leaf,
	uint32_t sub, uint64_t xcr0)
{
	const struct snp_cpuid_entry *x = find(p, leaf, sub);
	if (!x)
		return (struct cpu_id){ 0 };
	struct cpu_id r = { x->eax, x->ebx, x->ecx, x->edx };
	if (leaf == 1) {
		r.ebx &= 0x00ffffff; /* processor 0 */
		r.ecx |= ID1_C_OSXSAVE;
	}
	if (leaf == 7 && sub == 0)
		r.ecx &= ~(uint32_t)ID7_C_OSPKE;
	if (leaf == 0xb || leaf == 0x80000026)
		r.edx = 0;
	if (leaf == LEAF_XSAVE && sub <= 1)
		r.ebx = xsave_bytes(p, xcr0);
	return r;
}
