/* SPDX-License-Identifier: Apache-2.0 */
/* A processor of KVM's: its registers, CPUID, clock. */
#include <errno.h>
#include <time.h>

#include "arch/x86_64/cpu.h"
#include "soft/device_priv.h"

/* --- time --------------------------------------------------------------- */

static struct soft_clock clocks(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (struct soft_clock){ cpu_rdtsc(),
		(int64_t)t.tv_sec * 1000000000 + t.tv_nsec };
}

void soft_kvm_clock_start(struct soft_device *s)
{
	s->begin = clocks();
}

/* QEMU's processor counts as the host's does.  Measured since the device was
 * made: longer than a machine needs to start. */
int soft_kvm_tsc_khz(const struct soft_device *s)
{
	struct soft_clock now = clocks();
	int64_t ns = now.ns - s->begin.ns;
	if (ns <= 0)
		return -EIO;
	unsigned __int128 ticks = now.tsc - s->begin.tsc;
	return (int)(ticks * 1000000 / (unsigned __int128)ns);
}

/* --- its processor ------------------------------------------------------ */

static int set_cpuid(struct soft_device *s, const struct kvm_cpuid2 *c)
{
	if (s->begun && s->kind == MONITOR_PLAIN)
		return -EINVAL;
	if (c->nent > MONITOR_CPUIDS)
		return -E2BIG;
	for (uint32_t i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *from = &c->entries[i];
		s->cpuid[i] = (struct monitor_cpuid){
			.leaf = from->function,
			.sub = from->index,
			.by_sub = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = from->eax,
			.ebx = from->ebx,
			.ecx = from->ecx,
			.edx = from->edx,
		};
	}
	s->cpuid_count = c->nent;
	return 0;
}

int soft_kvm_cpu(struct soft_device *s, unsigned long request, void *arg)
{
	bool hidden = s->snp.launched || s->kind == MONITOR_TDX;
	switch (request) {
	case KVM_SET_CPUID2:
		return set_cpuid(s, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return s->kind == MONITOR_TDX ? soft_tdx_cpu_op(s, arg) :
						-ENOTTY;
	case KVM_GET_TSC_KHZ:
		return soft_kvm_tsc_khz(s);
	case KVM_GET_SREGS:
		if (hidden)
			return -EINVAL;
		memcpy(arg, &s->sregs, sizeof s->sregs);
		return 0;
	case KVM_SET_SREGS:
		if (hidden)
			return -EINVAL;
		memcpy(&s->sregs, arg, sizeof s->sregs);
		s->state_changed = true;
		return 0;
	case KVM_SET_REGS:
		if (hidden)
			return -EINVAL;
		memcpy(&s->regs, arg, sizeof s->regs);
		s->state_changed = true;
		return 0;
	default:
		return -ENOTTY;
	}
}

int soft_kvm_other(struct soft_device *s, unsigned long request, void *arg)
{
	struct soft_other *o = &s->other;
	if (request == KVM_SET_CPUID2)
		return 0;
	if (s->kind == MONITOR_TDX)
		return request == KVM_MEMORY_ENCRYPT_OP ?
			soft_tdx_other_op(s, arg) :
			-EINVAL;
	if (!o->there || (s->snp.launched && !o->late))
		return -EINVAL;
	switch (request) {
	case KVM_GET_SREGS:
		memcpy(arg, &o->sregs, sizeof o->sregs);
		return 0;
	case KVM_SET_SREGS:
		memcpy(&o->sregs, arg, sizeof o->sregs);
		return 0;
	case KVM_SET_REGS:
		memcpy(&o->regs, arg, sizeof o->regs);
		return 0;
	default:
		return -ENOTTY;
	}
}

static struct monitor_segment segment(const struct kvm_segment *g)
{
	uint32_t a = g->type & 15u;
	a |= (uint32_t)(g->s & 1) << 4 | (uint32_t)(g->dpl & 3) << 5;
	a |= (uint32_t)(g->present && !g->unusable) << 7;
	a |= (uint32_t)(g->avl & 1) << 8 | (uint32_t)(g->l & 1) << 9;
	a |= (uint32_t)(g->db & 1) << 10 | (uint32_t)(g->g & 1) << 11;
	return (struct monitor_segment){ .selector = g->selector,
		.attributes = (uint16_t)a,
		.limit = g->limit,
		.base = g->base };
}

static void put_general(const struct kvm_regs *r, struct monitor_state *out)
{
	const uint64_t all[MONITOR_GENERAL] = { r->rax, r->rcx, r->rdx, r->rbx,
		r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11,
		r->r12, r->r13, r->r14, r->r15 };
	memcpy(out->general, all, sizeof all);
	out->rip = r->rip;
	out->rflags = r->rflags;
}

/* What nobody can set has its value after a reset (volume 2, §14.1.3). */
void soft_kvm_put_state(const struct kvm_sregs *g, const struct kvm_regs *r,
	struct monitor_state *out)
{
	struct monitor_state t = { .dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406,
		.cr0 = g->cr0,
		.cr3 = g->cr3,
		.cr4 = g->cr4,
		.efer = g->efer };
	put_general(r, &t);
	t.es = segment(&g->es);
	t.cs = segment(&g->cs);
	t.ss = segment(&g->ss);
	t.ds = segment(&g->ds);
	t.fs = segment(&g->fs);
	t.gs = segment(&g->gs);
	t.ldtr = segment(&g->ldt);
	t.tr = segment(&g->tr);
	t.gdtr.limit = g->gdt.limit;
	t.gdtr.base = g->gdt.base;
	t.idtr.limit = g->idt.limit;
	t.idtr.base = g->idt.base;
	*out = t;
}

bool soft_kvm_cpuid(const struct monitor_cpuid *table, uint32_t count,
	uint32_t leaf, uint32_t sub, struct monitor_cpuid *out)
{
	for (uint32_t i = 0; i < count; i++) {
		if (table[i].leaf != leaf ||
			(table[i].by_sub && table[i].sub != sub))
			continue;
		*out = table[i];
		return true;
	}
	return false;
}
