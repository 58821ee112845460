/* SPDX-License-Identifier: Apache-2.0 */
/* CPUID (AMD64 manual, volume 3, appendix E). */
#include "monitor/x86_64/cpu_svm.h"
#include "monitor/x86_64/monitor.h"

enum {
	EXTENDED = 0x80000000,
	SVM = 0x8000000a,
	STATE = 0xd, /* of XSAVE */
	/* ecx of leaf 1 */
	MONITOR = 1 << 3,
	X2APIC = 1 << 21,
	XSAVE = 1 << 26,
	OSXSAVE = 1 << 27,
	HYPERVISOR = 1 << 31,
	/* ecx of leaf 0x80000001 */
	SVM_BIT = 1 << 2,
	CR4_OSXSAVE = 1 << 18,
};

/* How many numbers below a leaf there are to ask; 0: it has none. */
static uint32_t subs_of(uint32_t leaf)
{
	switch (leaf) {
	case 4:
	case 7:
	case 0xb:
		return 4;
	case STATE:
		return 32;
	default:
		return 0;
	}
}

/* A guest of ours is given nothing that needs more of us. */
static void take_out(struct monitor_cpuid *c)
{
	if (c->leaf == 1)
		c->ecx = (c->ecx & ~(uint32_t)(MONITOR | X2APIC | OSXSAVE)) |
			(uint32_t)HYPERVISOR;
	if (c->leaf == (uint32_t)EXTENDED + 1)
		c->ecx &= ~(uint32_t)SVM_BIT;
	if (c->leaf == (uint32_t)SVM)
		c->eax = c->ebx = c->ecx = c->edx = 0;
}

static struct monitor_cpuid ask(uint32_t leaf, uint32_t sub)
{
	struct cpu_id id = cpu_id(leaf, sub);
	struct monitor_cpuid c = { .leaf = leaf,
		.sub = sub,
		.by_sub = subs_of(leaf) != 0,
		.eax = id.eax,
		.ebx = id.ebx,
		.ecx = id.ecx,
		.edx = id.edx };
	take_out(&c);
	return c;
}

static uint32_t list_range(struct monitor_cpuid *out, uint32_t count,
	uint32_t max, uint32_t first)
{
	uint32_t last = cpu_id(first, 0).eax;
	for (uint32_t leaf = first; leaf <= last; leaf++) {
		uint32_t subs = subs_of(leaf);
		for (uint32_t sub = 0; sub < (subs ? subs : 1); sub++) {
			struct monitor_cpuid c = ask(leaf, sub);
			bool none = !(c.eax | c.ebx | c.ecx | c.edx);
			if (count < max && !(none && sub))
				out[count++] = c;
		}
	}
	return count;
}

uint32_t cpuid_list(struct monitor_cpuid *out, uint32_t max)
{
	uint32_t n = list_range(out, 0, max, 0);
	return list_range(out, n, max, (uint32_t)EXTENDED);
}

/* Two answers change with what the guest has switched on. */
static void make_live(const struct monitor *m, struct monitor_cpuid *c)
{
	uint64_t cr4 = m->cpu.vmcb->save.cr4;
	if (c->leaf == 1 && (c->ecx & XSAVE) && (cr4 & CR4_OSXSAVE))
		c->ecx |= OSXSAVE;
	/* XCR0 is the guest's while the monitor runs. */
	if (c->leaf == STATE && c->sub < 2)
		c->ebx = cpu_id(STATE, c->sub).ebx;
}

bool cpuid_find(const struct monitor *m, uint32_t leaf, uint32_t sub,
	struct monitor_cpuid *out)
{
	for (uint32_t i = 0; i < m->cpuid_count; i++) {
		struct monitor_cpuid c = m->cpuid[i];
		if (c.leaf != leaf || (c.by_sub && c.sub != sub))
			continue;
		make_live(m, &c);
		*out = c;
		return true;
	}
	return false;
}

struct monitor_cpuid cpuid_answer(const struct monitor *m, uint32_t leaf,
	uint32_t sub)
{
	struct monitor_cpuid c = { .leaf = leaf, .sub = sub };
	(void)!cpuid_find(m, leaf, sub, &c);
	return c;
}
