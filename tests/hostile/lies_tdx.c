/* SPDX-License-Identifier: Apache-2.0 */
/* What only a host of TDX can lie about. */
#include "lies.h"

#include "base/fmt.h"
#include "soft/device.h"
#include "spec/kvm.h"
#include "spec/tdx.h"

/* --- what a domain is made with --------------------------------------------
 */

static void second_processor(struct lies *l, int vm)
{
	struct spec_kvm_tdx_cmd c = { .id = SPEC_KVM_TDX_INIT_VCPU };
	int other = l->real->ioctl(l->device, vm, KVM_CREATE_VCPU, (void *)1);
	TELL(l, "a second processor");
	if (other >= 0)
		l->real->ioctl(l->device, other, KVM_MEMORY_ENCRYPT_OP, &c);
}

static void lie_domain(struct lies *l, struct spec_kvm_tdx_init *i)
{
	struct kvm_cpuid_entry2 *x = i->cpuid.entries +
		lies_random(l, i->cpuid.nent ? i->cpuid.nent : 1);
	switch (l->at % 5) {
	case 0:
		i->attributes ^= lies_random(l, 2) ? TDX_ATTR_DEBUG :
						     TDX_ATTR_SEPT_VE_OFF;
		TELL(l, "attributes 0x%llx", (unsigned long long)i->attributes);
		break;
	case 1:
		i->attributes ^= 1ull << lies_random(l, 64);
		TELL(l, "attributes 0x%llx", (unsigned long long)i->attributes);
		break;
	case 2:
		i->xfam ^= 1ull << lies_random(l, 20);
		TELL(l, "state 0x%llx", (unsigned long long)i->xfam);
		break;
	default:
		TELL(l, "leaf 0x%x", x->function);
		x->eax ^= (uint32_t)lies_some(l, 32);
		x->ebx ^= (uint32_t)lies_some(l, 32);
	}
}

bool lies_tdx_before(struct lies *l, uint32_t id, void *data, int vm)
{
	bool lies = l->kind == LIE_DOMAIN;
	if (lies && id == SPEC_KVM_TDX_INIT_VM && l->at % 2)
		lie_domain(l, data);
	if (lies && id == SPEC_KVM_TDX_FINALIZE_VM && !(l->at % 2) &&
		lies_random(l, 2))
		second_processor(l, vm);
	return id == SPEC_KVM_TDX_FINALIZE_VM;
}

/* --- quotes ----------------------------------------------------------------
 */

/* What the loader made of it. */
void lies_tdx_answer(struct lies *l, void *exit)
{
	uint8_t *at = l->window + VM_QUOTE_AT;
	struct tdx_quote_head *h = (void *)at;
	struct spec_kvm_tdx_exit x;
	memcpy(&x, exit, sizeof x);
	if (l->kind != LIE_QUOTE || l->at % 6 == 5)
		return;
	switch (l->at % 6) {
	case 0:
		x.ret = lies_some(l, 64);
		TELL(l, "answer 0x%llx", (unsigned long long)x.ret);
		break;
	case 1:
		h->status = lies_random(l, 2) ? TDX_QUOTE_UNAVAILABLE :
						lies_random(l, 0) - 1;
		TELL(l, "status 0x%llx", (unsigned long long)h->status);
		break;
	case 2:
		h->out_bytes = (uint32_t)lies_some(l, 32);
		TELL(l, "%u bytes", h->out_bytes);
		break;
	case 3:
		/* What a Keep compares with its report. */
		lies_spoil(l, at + sizeof *h, SGX_QUOTE_HEADER_BYTES + 300);
		break;
	default:
		lies_spoil(l, h, sizeof *h);
	}
	memcpy(exit, &x, sizeof x);
}

/* What the guest asks for. */
bool lies_tdx_question(struct lies *l, uint32_t reason, void *exit)
{
	struct spec_kvm_tdx_exit x;
	if (reason != SPEC_KVM_EXIT_TDX)
		return false;
	memcpy(&x, exit, sizeof x);
	l->quotes += x.nr == TDX_CALL_GET_QUOTE;
	if (l->kind != LIE_QUOTE || l->at % 6 != 5)
		return true;
	if (lies_random(l, 2))
		lies_spoil(l, l->window + VM_QUOTE_AT,
			sizeof(struct tdx_quote_head) +
				sizeof(struct tdx_report_mac));
	else
		x.get_quote.gpa = lies_some(l, 64);
	TELL(l, "a quote at 0x%llx", (unsigned long long)x.get_quote.gpa);
	memcpy(exit, &x, sizeof x);
	return true;
}

/* --- calls -----------------------------------------------------------------
 */

enum { R10 = 10, R15 = 15 };

static void scribble(void *ctx, uint64_t general[16])
{
	static const uint64_t statuses[] = { TDX_CALL_RETRY,
		TDX_CALL_OPERAND_INVALID, TDX_CALL_GPA_IN_USE,
		TDX_CALL_ALIGN_ERROR, TDX_CALL_UNSUPPORTED };
	struct lies *l = ctx;
	uint64_t was = general[R10];
	if (l->kind != LIE_CALL || l->exits++ < l->at || l->told)
		return;
	switch (lies_random(l, 4)) {
	case 0:
		general[R10] = statuses[lies_random(l, ARRAY_LEN(statuses))];
		break;
	case 1:
		general[R10] = lies_some(l, 64);
		break;
	case 2:
		/* As far as it went, or not. */
		general[R10] = TDX_CALL_RETRY;
		general[R10 + 1] =
			lies_random(l, 2) ? lies_some(l, 48) : general[R10 + 2];
		break;
	default:
		for (unsigned i = 0; i <= R15; i++)
			general[i] = lies_random(l, 0);
	}
	TELL(l, "call %u: 0x%llx for 0x%llx", l->exits,
		(unsigned long long)general[R10], (unsigned long long)was);
}

void lies_tdx_device(struct lies *l)
{
	if (l->kind == LIE_CALL)
		soft_device_scribble_call(l->device, scribble, l);
}
