/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SEV-SNP.  RAM is private from the start and used block by block as it is
 * validated; blocks that nobody needs any more become the host's, and private
 * again before they are used.  The window is the host's.  Privilege level 0
 * alone, one processor.
 */
#include "shim/x86_64_vm/platform.h"
#include "shim/snp/cpuid.h"
#include "shim/snp/ghcb.h"
#include "shim/x86_64_vm/boot.h"
#include "shim/x86_64_vm/pages.h"
#include "shim/x86_64_vm/tables.h"
#include "spec/snp_guest.h"
#include "spec/svm.h"

/* AMD64 manual, volume 2, §15.34.10. */
#define MSR_SEV_STATUS 0xc0010131u
#define STATUS_SNP     (1u << 2)

/* Reasons of the end, before there is anything to say them with. */
enum {
	END_NOT_SNP = 16,
	END_NOT_VMPL0 = 17,
	END_CPUID = 18,
	END_EARLY = 19,
	END_EXCEPTION = 64 /* + vector */
};

/* Filled in by the firmware: SNP_PAGE_SECRETS, SNP_PAGE_CPUID. */
struct snp_secrets snp_secrets_page __attribute__((aligned(PAGE_BYTES)));
struct snp_cpuid_page snp_cpuid_page __attribute__((aligned(PAGE_BYTES)));

static uint64_t xcr0 = 1;

/* Rights of level 1 over a page of ours: none, as they are.  Only level 0
 * may say so. */
static bool at_level_0(void)
{
	enum { LEVEL_1_NOTHING = 1 };
	return cpu_rmpadjust((uint64_t)&snp_secrets_page, false,
		       LEVEL_1_NOTHING) == SNP_DONE;
}

void platform_init(const struct vm_image_head *head)
{
	struct err e = { 0 };
	if (!(cpu_rdmsr(MSR_SEV_STATUS) & STATUS_SNP))
		ghcb_end(END_NOT_SNP);
	if (!at_level_0())
		ghcb_end(END_NOT_VMPL0);
	if (!snp_cpuid_check(&snp_cpuid_page, head->c_bit, &e))
		ghcb_end(END_CPUID);
}

void platform_ready(void)
{
	const struct vm_image_head *head = (void *)VM_SHIM_VA;
	xcr0 = cpu_xgetbv(0);
	ghcb_init(head->c_bit);
}

uint64_t platform_shared_bit(void)
{
	return 0;
}

uint64_t platform_hole(void)
{
	return 0;
}

struct cpu_id platform_cpuid(uint32_t leaf, uint32_t sub)
{
	return snp_cpuid(&snp_cpuid_page, leaf, sub, xcr0);
}

/* --- memory ----------------------------------------------------------------
 */

/* A page that is valid already is one that the host put under a second
 * address, or had us use before. */
static bool validate(uint64_t page, bool large, bool *fits)
{
	bool unchanged;
	uint32_t n = cpu_pvalidate((uint64_t)tables_at(page * PAGE_BYTES),
		large, true, &unchanged);
	*fits = n != SNP_FAIL_SIZE;
	if (n == SNP_DONE && unchanged)
		shim_crash("a page was valid before it was used");
	return n == SNP_DONE;
}

bool platform_accept(uint64_t from, uint64_t to, bool again)
{
	return (!again || ghcb_page_state(from, to, GHCB_STATE_PRIVATE)) &&
		pages_each(from, to, validate);
}

static bool rescind(uint64_t page, bool large, bool *fits)
{
	bool unchanged;
	uint32_t n = cpu_pvalidate((uint64_t)tables_at(page * PAGE_BYTES),
		large, false, &unchanged);
	*fits = n != SNP_FAIL_SIZE;
	return n == SNP_DONE && !unchanged;
}

/* Valid pages would be found out when they are used next: not valid, they are
 * the host's, whatever it does with them.  One that is not valid before is not
 * the page that was. */
void platform_release(uint64_t from, uint64_t to)
{
	if (!pages_each(from, to, rescind))
		shim_crash("a page was not valid any more");
	/* A host that will not have them does without. */
	(void)!ghcb_page_state(from, to, GHCB_STATE_SHARED);
}

/* --- the host --------------------------------------------------------------
 */

/* A message to the firmware lies where the gate's input does: the firmware
 * answers it before the host is asked for what it has to add. */
static void before_bell(void)
{
	const volatile struct gate_area *a =
		(void *)(TABLES_WINDOW_VA + VM_AREA_AT);
	const uint64_t ask =
		VM_WINDOW_GPA + VM_AREA_AT + offsetof(struct gate_area, data);
	const uint64_t answer = VM_WINDOW_GPA + VM_MESSAGE_AT;
	if (a->request.op != GATE_EVIDENCE)
		return;
	/* Certificates are whoever reads them's to judge: the loader hands them
	 * on.  A report without them is one all the same. */
	if (!ghcb_extended_request(ask, answer, VM_WINDOW_GPA + VM_CERTS_AT,
		    VM_CERTS_BYTES / PAGE_BYTES))
		ghcb_guest_request(ask, answer);
}

void platform_event(enum vm_event event)
{
	if (!ghcb_ready())
		ghcb_end(END_EARLY);
	if (event == VM_EVENT_BELL)
		before_bell();
	ghcb_out(VM_PORT, event);
}

bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result)
{
	(void)number;
	(void)args;
	(void)result;
	return false;
}

void platform_shim(struct gate_shim *out)
{
	*out = (struct gate_shim){
		.version = 1,
		.tee = GATE_TEE_SNP,
		.sequence = 1,
	};
	memcpy(out->key, snp_secrets_page.vmpck[0], sizeof out->key);
	explicit_bzero(snp_secrets_page.vmpck, sizeof snp_secrets_page.vmpck);
}

/* --- #VC -------------------------------------------------------------------
 */

/* The instruction that really is there, not what the host says it was
 * (WeSee): exec's code is measured and can't be written. */
static bool is_cpuid(uint64_t rip)
{
	static const uint8_t cpuid[2] = { 0x0f, 0xa2 };
	uint8_t code[2];
	return user_copy_in(&shim_user, code, rip, sizeof code) &&
		!memcmp(code, cpuid, sizeof code);
}

bool platform_trap(struct trap *t)
{
	if (!ghcb_ready())
		ghcb_end(END_EXCEPTION + (unsigned)t->vector);
	if (t->vector != VECTOR_VC)
		return false;
	if (!trap_from_user(t) || t->error != SVM_EXIT_CPUID ||
		!is_cpuid(t->rip))
		return false;
	struct cpu_id r = platform_cpuid((uint32_t)t->rax, (uint32_t)t->rcx);
	t->rax = r.eax;
	t->rbx = r.ebx;
	t->rcx = r.ecx;
	t->rdx = r.edx;
	t->rip += 2;
	return true;
}
