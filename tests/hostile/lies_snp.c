/* SPDX-License-Identifier: Apache-2.0 */
/* What only a host of SEV-SNP can lie about. */
#include "lies.h"

#include <errno.h>

#include "base/fmt.h"
#include "soft/device.h"
#include "spec/ghcb.h"
#include "spec/kvm.h"
#include "spec/snp_guest.h"

static void lie_cpuid(struct lies *l, struct spec_kvm_snp_update *u)
{
	struct snp_cpuid_page *p = (void *)(uintptr_t)u->uaddr;
	struct snp_cpuid_entry *x =
		&p->entries[lies_random(l, p->count ? p->count : 1) %
			SNP_CPUID_ENTRIES];
	switch (lies_random(l, 6)) {
	case 0:
		TELL(l, "count");
		p->count = (uint32_t)lies_some(l, 8);
		break;
	case 1:
		TELL(l, "leaf 0x%x twice", x->eax_in);
		p->entries[p->count++ % SNP_CPUID_ENTRIES] = *x;
		break;
	case 2:
		TELL(l, "leaf 0x%x under another number", x->eax_in);
		x->eax_in = (uint32_t)lies_some(l, 32);
		break;
	case 3:
		TELL(l, "leaf 0x%x lacks bits", x->eax_in);
		x->eax &= (uint32_t)lies_random(l, 0);
		x->ebx &= (uint32_t)lies_random(l, 0);
		x->ecx &= (uint32_t)lies_random(l, 0);
		x->edx &= (uint32_t)lies_random(l, 0);
		break;
	default:
		lies_spoil(l, p, 16 + p->count * sizeof *x);
	}
}

bool lies_snp_before(struct lies *l, uint32_t id, void *data, int *result)
{
	struct spec_kvm_snp_update *u = data;
	if (id == SPEC_KVM_SNP_UPDATE && u->type == SNP_PAGE_CPUID &&
		l->kind == LIE_CPUID && !l->told)
		lie_cpuid(l, u);
	/* A kernel that has none to offer. */
	if (id != SPEC_KVM_SNP_ENABLE_CERTS || l->kind != LIE_CERTS ||
		l->at % 4)
		return true;
	TELL(l, "no certificates");
	*result = -EINVAL;
	return false;
}

/* The loader's answer, on its way to the guest. */
static void lie_certs(struct lies *l, struct spec_kvm_certs *c)
{
	static const uint64_t errors[] = { ENOSPC, EAGAIN, EIO, 0, 1, 400 };
	c->ret = errors[lies_random(l, ARRAY_LEN(errors))];
	c->npages = lies_some(l, 64);
	TELL(l, "error %llu, %llu pages", (unsigned long long)c->ret,
		(unsigned long long)c->npages);
	if (!c->ret)
		lies_spoil(l, l->window + VM_CERTS_AT, VM_CERTS_BYTES);
}

/* The guest's question, on its way to the loader. */
static void ask_otherwise(struct lies *l, struct spec_kvm_certs *c)
{
	if (lies_random(l, 2))
		c->npages = lies_some(l, 3);
	else
		c->gpa = lies_some(l, 64);
	TELL(l, "%llu pages at 0x%llx", (unsigned long long)c->npages,
		(unsigned long long)c->gpa);
}

void lies_snp_answer(struct lies *l, void *exit)
{
	if (l->kind == LIE_CERTS && l->at % 4 != 1)
		lie_certs(l, exit);
}

bool lies_snp_question(struct lies *l, uint32_t reason, void *exit)
{
	if (reason != SPEC_KVM_EXIT_SNP_REQ_CERTS)
		return false;
	l->certs++;
	if (l->kind == LIE_CERTS && l->at % 4 == 1)
		ask_otherwise(l, exit);
	return true;
}

/* --- VMGEXIT ---------------------------------------------------------------
 */

static void lie_msr(struct lies *l, uint64_t *msr)
{
	uint64_t was = *msr;
	if (lies_random(l, 2))
		*msr = lies_some(l, 64);
	else
		*msr ^= 1ull << lies_random(l, 64);
	TELL(l, "exit %u: MSR 0x%llx for 0x%llx", l->exits,
		(unsigned long long)*msr, (unsigned long long)was);
}

static void lie_ghcb(struct lies *l, struct ghcb *g)
{
	static const uint64_t known[] = { GHCB_REQUEST_LENGTH,
		GHCB_REQUEST_BUSY, 0, 1, ~0ull << 32 };
	switch (lies_random(l, 6)) {
	case 4:
		g->rbx = lies_some(l, 64);
		g->exit_info_2 = known[lies_random(l, ARRAY_LEN(known))];
		TELL(l, "exit %u: information 2 is 0x%llx", l->exits,
			(unsigned long long)g->exit_info_2);
		break;
	case 0:
		g->exit_info_1 = lies_some(l, 64);
		TELL(l, "exit %u: information 1", l->exits);
		break;
	case 1:
		g->exit_info_2 = lies_some(l, 64);
		TELL(l, "exit %u: information 2", l->exits);
		break;
	case 2:
		for (size_t i = 0; i < sizeof *g; i++)
			((uint8_t *)g)[i] = (uint8_t)lies_random(l, 256);
		TELL(l, "exit %u: all bytes", l->exits);
		break;
	case 3:
		memset(g, 0, sizeof *g);
		TELL(l, "exit %u: zeros", l->exits);
		break;
	default:
		lies_spoil(l, g, sizeof *g);
	}
}

static void scribble(void *ctx, void *ghcb, uint64_t *msr)
{
	struct lies *l = ctx;
	if (l->exits++ < l->at || l->told)
		return;
	if (l->kind == LIE_MSR)
		lie_msr(l, msr);
	if (l->kind == LIE_GHCB && ghcb)
		lie_ghcb(l, ghcb);
}

void lies_snp_device(struct lies *l)
{
	soft_device_scribble(l->device, scribble, l);
	if (l->kind != LIE_LEVEL)
		return;
	uint8_t level = (uint8_t)(1 + lies_random(l, 3));
	TELL(l, "level %u", level);
	soft_device_level(l->device, level);
}
