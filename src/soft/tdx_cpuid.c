/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TDX module answers to a domain's CPUID (Intel TDX Module 1.5 ABI,
 * "CPUID Virtualization"): some leaves, as the processor has them, without
 * what the domain's XFAM leaves out; a few bits are the host's to choose.  The
 * other leaves are #VE.
 */
#include <errno.h>

#include "soft/device_priv.h"

enum {
	LEAF_XSAVE = 0xd,
	LEAF_TSC = 0x15,
	LEAF_LAST = LEAF_TSC,
	XSAVE_BASE_PARTS = 2,
	/* ecx of leaf 1 */
	VMX = 1 << 5,
	SMX = 1 << 6,
	FMA = 1 << 12,
	X2APIC = 1 << 21,
	AVX = 1 << 28,
	F16C = 1 << 29,
	HYPERVISOR = 1u << 31,
	/* ebx of leaf 7; ecx */
	SGX = 1 << 2,
	AVX2 = 1 << 5,
	PKU = 1 << 3,
	UNIT_HZ = 25000000,
};

#define EXTENDED      0x80000000u
#define EXTENDED_LAST 0x80000008u
#define GPAW_SHIFT    16
#define XFAM_AVX      4ull
#define XFAM_AVX512   0xe0ull
#define XFAM_PKRU     (1ull << 9)
#define AVX512_B      0xdc230000u /* F, DQ, IFMA, PF, ER, CD, BW, VL */

/* The host's to choose: bits that it may set where the processor has them. */
static const struct monitor_cpuid configurable[SOFT_TD_CONFIGURABLE] = {
	{ .leaf = 1, .ebx = 0xff0000 },
	{ .leaf = 7, .by_sub = 1, .ebx = 1u << 19 | 1u << 29 }, /* ADX, SHA */
	/* EAX[23:16]: GPAW, by the kernel's word. */
	{ .leaf = EXTENDED_LAST, .eax = 0xff << GPAW_SHIFT, .ebx = 1u << 9 },
};

size_t soft_td_cpuid_configurable(
	struct monitor_cpuid out[SOFT_TD_CONFIGURABLE])
{
	memcpy(out, configurable, sizeof configurable);
	return SOFT_TD_CONFIGURABLE;
}

/* --- what the host chose ------------------------------------------------ */

static const struct monitor_cpuid *choosable(const struct kvm_cpuid_entry2 *x)
{
	bool by_sub = x->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	for (size_t i = 0; i < ARRAY_LEN(configurable); i++)
		if (configurable[i].leaf == x->function &&
			(bool)configurable[i].by_sub == by_sub &&
			configurable[i].sub == x->index)
			return &configurable[i];
	return NULL;
}

/* Bits that it may not choose, or that the processor has not. */
static bool chosen_well(const struct soft_device *s,
	const struct kvm_cpuid_entry2 *x)
{
	const struct monitor_cpuid *may = choosable(x);
	struct monitor_cpuid has = { 0 };
	soft_kvm_cpuid(s->real, s->real_count, x->function, x->index, &has);
	if (!may || (x->eax & ~may->eax) || (x->ebx & ~may->ebx) ||
		(x->ecx & ~may->ecx) || (x->edx & ~may->edx))
		return false;
	/* Numbers, not features. */
	if (x->function != 7)
		return true;
	return !(x->ebx & ~has.ebx);
}

static bool choices_ok(const struct soft_device *s,
	const struct spec_kvm_tdx_init *i)
{
	bool gpaw = false;
	for (uint32_t n = 0; n < i->cpuid.nent; n++) {
		const struct kvm_cpuid_entry2 *x = &i->cpuid.entries[n];
		if (!chosen_well(s, x))
			return false;
		/* Five levels are none of this processor's. */
		if (x->function == EXTENDED_LAST)
			gpaw = (x->eax >> GPAW_SHIFT & 0xff) ==
				TDX_SHARED_BIT + 1;
	}
	return gpaw;
}

static void choose(const struct spec_kvm_tdx_init *i, struct monitor_cpuid *c)
{
	for (size_t k = 0; k < ARRAY_LEN(configurable); k++) {
		const struct monitor_cpuid *may = &configurable[k];
		if (may->leaf != c->leaf || may->sub != c->sub)
			continue;
		c->eax &= ~may->eax;
		c->ebx &= ~may->ebx;
		for (uint32_t n = 0; n < i->cpuid.nent; n++) {
			const struct kvm_cpuid_entry2 *x = &i->cpuid.entries[n];
			if (x->function != c->leaf || x->index != c->sub)
				continue;
			c->eax |= x->eax;
			c->ebx |= x->ebx;
		}
	}
}

/* --- what the module makes of it ---------------------------------------- */

static bool is_native(const struct monitor_cpuid *c)
{
	switch (c->leaf) {
	case 0:
	case 1:
	case 4:
	case 7:
	case LEAF_XSAVE:
	case EXTENDED:
	case EXTENDED + 1:
	case EXTENDED_LAST:
		return true;
	default:
		return false;
	}
}

static void filter_features(struct monitor_cpuid *c, uint64_t xfam)
{
	if (c->leaf == 1) {
		c->ebx &= 0x00ffffff;
		c->ecx &= ~(uint32_t)(VMX | SMX);
		c->ecx |= HYPERVISOR | (uint32_t)X2APIC;
		if (!(xfam & XFAM_AVX))
			c->ecx &= ~(uint32_t)(AVX | FMA | F16C);
	}
	if (c->leaf != 7 || c->sub)
		return;
	c->ebx &= ~(uint32_t)SGX;
	if (!(xfam & XFAM_AVX))
		c->ebx &= ~(uint32_t)AVX2;
	if ((xfam & XFAM_AVX512) != XFAM_AVX512)
		c->ebx &= ~AVX512_B;
	if (!(xfam & XFAM_PKRU))
		c->ecx &= ~(uint32_t)PKU;
}

/* False: that part of the state is not the domain's. */
static bool filter_xsave(struct monitor_cpuid *c, uint64_t xfam)
{
	if (c->leaf != LEAF_XSAVE)
		return true;
	if (c->sub == 0) {
		c->eax &= (uint32_t)xfam;
		c->edx &= (uint32_t)(xfam >> 32);
	} else if (c->sub == 1) {
		c->ecx = c->edx = 0;
	}
	return c->sub < XSAVE_BASE_PARTS || xfam >> c->sub & 1;
}

static void name_maker(struct monitor_cpuid *c)
{
	if (c->leaf == 0) {
		c->eax = LEAF_LAST;
		memcpy(&c->ebx, "Genu", 4);
		memcpy(&c->edx, "ineI", 4);
		memcpy(&c->ecx, "ntel", 4);
	}
	if (c->leaf == EXTENDED)
		c->eax = EXTENDED_LAST;
	if (c->leaf == EXTENDED_LAST)
		c->eax = (c->eax & ~(0xffu << GPAW_SHIFT)) |
			(TDX_SHARED_BIT + 1) << GPAW_SHIFT;
}

/* The frequency, in steps of a clock of nearly 25 MHz: QEMU's counter is not
 * scaled to a round one. */
static struct monitor_cpuid tsc_leaf(const struct soft_device *s)
{
	int khz = soft_kvm_tsc_khz(s);
	uint64_t hz = khz > 0 ? (uint64_t)khz * 1000 : UNIT_HZ;
	uint64_t steps = (hz + UNIT_HZ / 2) / UNIT_HZ;
	steps += !steps;
	return (struct monitor_cpuid){ .leaf = LEAF_TSC,
		.eax = 1,
		.ebx = (uint32_t)steps,
		.ecx = (uint32_t)(hz / steps) };
}

bool soft_td_cpuid_make(struct soft_device *s,
	const struct spec_kvm_tdx_init *i)
{
	struct soft_tdx *n = &s->tdx;
	if (!choices_ok(s, i))
		return false;
	n->cpuid_count = 0;
	for (uint32_t k = 0; k < s->real_count; k++) {
		struct monitor_cpuid c = s->real[k];
		if (!is_native(&c) || !filter_xsave(&c, i->xfam))
			continue;
		choose(i, &c);
		filter_features(&c, i->xfam);
		name_maker(&c);
		n->cpuid[n->cpuid_count++] = c;
	}
	if (n->cpuid_count < ARRAY_LEN(n->cpuid))
		n->cpuid[n->cpuid_count++] = tsc_leaf(s);
	return true;
}

int soft_td_cpuid_list(const struct soft_device *s, struct kvm_cpuid2 *out)
{
	uint32_t room = out->nent;
	out->nent = s->tdx.cpuid_count;
	if (room < out->nent)
		return -E2BIG;
	for (uint32_t i = 0; i < out->nent; i++)
		soft_kvm_put_entry(&s->tdx.cpuid[i], &out->entries[i]);
	return 0;
}
