/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel TDX.  RAM is private from the start and used block by block as it is
 * accepted; blocks that nobody needs any more become the host's, and private
 * again before they are used.  The window is the host's.  One processor.
 */
#include "shim/x86_64_vm/platform.h"
#include "shim/common/linux.h"
#include "shim/tdx/host.h"
#include "shim/tdx/judge.h"
#include "shim/x86_64_vm/boot.h"
#include "shim/x86_64_vm/pages.h"
#include "shim/x86_64_vm/tables.h"

enum { VECTOR_VE = 20, TRIES = 1000, QUOTE_SPINS = 1 << 28 };

static bool ready;

static uint64_t tdcall(uint64_t leaf, struct cpu_tdcall *c)
{
	return cpu_tdcall(leaf, c);
}

void platform_init(const struct vm_image_head *head)
{
	struct cpu_tdcall c = { 0 };
	if (tdcall(TDX_VP_INFO, &c) != TDX_SUCCESS)
		host_end(TDX_END_NO_TD);
	unsigned why = judge_domain(&c, head->debug);
	if (why)
		host_end(why);
}

void platform_ready(void)
{
	ready = true;
}

uint64_t platform_shared_bit(void)
{
	return TDX_SHARED;
}

uint64_t platform_hole(void)
{
	return VM_RESET_GPA;
}

struct cpu_id platform_cpuid(uint32_t leaf, uint32_t sub)
{
	return judge_native(leaf) ? cpu_id(leaf, sub) : judge_cpuid(leaf);
}

/* --- memory ----------------------------------------------------------------
 */

/* A page that is accepted already is one that the host did not take back, or
 * that we used before. */
static bool accept(uint64_t page, bool large, bool *fits)
{
	uint64_t status = TDX_OPERAND_BUSY;
	/* The host may be at that entry, too. */
	for (unsigned i = 0; i < TRIES && status == TDX_OPERAND_BUSY; i++) {
		struct cpu_tdcall c = { .rcx = page * PAGE_BYTES |
				(large ? TDX_LEVEL_2M : TDX_LEVEL_4K) };
		status = tdcall(TDX_MEM_PAGE_ACCEPT, &c) & TDX_STATUS_MASK;
	}
	*fits = status != TDX_PAGE_SIZE_MISMATCH;
	if (status == TDX_PAGE_ALREADY_ACCEPTED)
		shim_crash("a page was accepted before it was used");
	return status == TDX_SUCCESS;
}

bool platform_accept(uint64_t from, uint64_t to, bool again)
{
	return (!again || host_map(from, to, true)) &&
		pages_each(from, to, accept);
}

/* A host that keeps them would have us accept them twice. */
void platform_release(uint64_t from, uint64_t to)
{
	if (!host_map(from, to, false))
		shim_crash("the host does not take memory back");
}

/* --- reports ---------------------------------------------------------------
 */

static struct {
	struct tdx_report_struct report;
	uint8_t data[64];
} buffer __attribute__((aligned(1024)));

static uint64_t gpa_of(const void *at)
{
	return (uint64_t)at - VM_SHIM_VA + VM_RAM_GPA;
}

/* A report of exec's data, which no host sees before it is in it: from exec's
 * memory, and into it. */
static int64_t report(const uint64_t *a)
{
	struct cpu_tdcall c = { .rcx = gpa_of(&buffer.report),
		.rdx = gpa_of(buffer.data) };
	if (!user_copy_in(&shim_user, buffer.data, a[0], sizeof buffer.data))
		return -LINUX_EFAULT;
	if (tdcall(TDX_MR_REPORT, &c) != TDX_SUCCESS)
		shim_crash("the TDX module gave no report");
	return user_copy_out(&shim_user, a[1], &buffer.report,
		       sizeof buffer.report) ?
		0 :
		-LINUX_EFAULT;
}

bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result)
{
	if (number != GATE_CALL_REPORT)
		return false;
	*result = report(args);
	return true;
}

/* --- the host --------------------------------------------------------------
 */

/* The report that exec asks to have quoted goes to the host as every domain's
 * does (GHCI §3.3).  Nobody here reads the quote: exec does. */
static void before_bell(void)
{
	const volatile struct gate_area *a =
		(void *)(TABLES_WINDOW_VA + VM_AREA_AT);
	volatile struct tdx_quote_head *h =
		(void *)(TABLES_WINDOW_VA + VM_QUOTE_AT);
	if (a->request.op != GATE_EVIDENCE)
		return;
	cpu_move_bytes((void *)(TABLES_WINDOW_VA + VM_QUOTE_AT + sizeof *h),
		(const void *)(uintptr_t)a->data, sizeof buffer.report);
	h->version = TDX_QUOTE_VERSION;
	h->status = 0;
	h->in_bytes = sizeof buffer.report;
	h->out_bytes = 0;
	host_quote(VM_WINDOW_GPA + VM_QUOTE_AT, VM_QUOTE_BYTES);
	/* A host may take its time, but not for ever. */
	for (uint32_t i = 0; h->status == TDX_QUOTE_IN_FLIGHT; i++) {
		if (i == QUOTE_SPINS)
			return;
		cpu_pause();
	}
}

void platform_event(enum vm_event event)
{
	if (!ready)
		host_end(TDX_END_EARLY);
	if (event == VM_EVENT_BELL)
		before_bell();
	bool told = host_out(VM_PORT, event);
	if (event == VM_EVENT_BELL && !told)
		shim_crash("the host refused a call");
	/* Nobody runs on after these, whatever the host does. */
	while (event == VM_EVENT_EXIT || event == VM_EVENT_CRASH)
		(void)!host_out(VM_PORT, event);
}

void platform_shim(struct gate_shim *out)
{
	*out = (struct gate_shim){ .version = 1, .tee = GATE_TEE_TDX };
}

/* --- #VE -------------------------------------------------------------------
 */

bool platform_trap(struct trap *t)
{
	struct cpu_tdcall c = { 0 };
	if (!ready)
		host_end(TDX_END_EXCEPTION + (unsigned)t->vector);
	if (t->vector != VECTOR_VE)
		return false;
	if (tdcall(TDX_VP_VEINFO_GET, &c) != TDX_SUCCESS)
		return false;
	if (!trap_from_user(t) || (uint32_t)c.rcx != TDX_REASON_CPUID)
		shim_crash("the processor has no answer: reason %u",
			(uint32_t)c.rcx);
	struct cpu_id r = judge_cpuid((uint32_t)t->rax);
	t->rax = r.eax;
	t->rbx = r.ebx;
	t->rcx = r.ecx;
	t->rdx = r.edx;
	t->rip += (uint32_t)c.r10;
	return true;
}
