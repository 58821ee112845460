/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec's exceptions, at depth 1.  What happened stands in the frame that the
 * processor saved; the host, which decides when we are entered, can say
 * nothing of its own about it.
 */
#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "shim/common/calls_x86_64.h"
#include "shim/common/linux.h"
#include "shim/sgx/sgx.h"

enum { VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14 };

/* Error code of a page fault. */
enum { PF_WRITE = 2, PF_FETCH = 16 };

/* Pages that one fault takes, where they lie in one range. */
enum { FAULT_PAGES = 64 };

/* Memory of up to this is taken when exec asks for it: no fault later. */
enum { AHEAD_BYTES = 1 << 20 };

/* Entries without an exception that are borne: a host that steps through
 * exec this way is told to go. */
enum { IDLE_MOST = 100000 };

static uint32_t idle;

/* --- the end ---------------------------------------------------------------
 */

static struct vm_report report;

struct vm_report *shim_report(void)
{
	return &report;
}

void shim_end(enum vm_event event)
{
	host_write(VM_REPORT_AT, &report, sizeof report);
	explicit_bzero(&shim_user.random, sizeof shim_user.random);
	for (;;)
		enclave_leave(event == VM_EVENT_EXIT ? ENCLAVE_EXIT :
						       ENCLAVE_CRASH,
			0, 0, 0);
}

NORETURN static void die(const struct sgx_gprs *g, uint64_t at, uint32_t error)
{
	char where[48], what[48];
	user_place(&shim_user, g->rip, where);
	user_place(&shim_user, at, what);
	unsigned vector = SGX_EXIT_VECTOR(g->exitinfo);
	if (vector == VECTOR_PF)
		shim_crash("page fault 0x%x at %s, in %s", error, where, what);
	shim_crash("exception %u, error 0x%x, at %s", vector, error, where);
}

/* --- system calls ----------------------------------------------------------
 */

static int64_t arch_prctl(struct sgx_gprs *g, const uint64_t *a)
{
	if (a[0] != CALLS_ARCH_SET_FS)
		return -LINUX_EINVAL;
	if (a[1] >= 1ull << 47)
		return -LINUX_EPERM;
	g->fsbase = a[1];
	return 0;
}

/* Memory that a call made exec's: pages of a small range are taken at once. */
static void on_memory(struct user *u, enum call call, const uint64_t *a,
	uint64_t brk, int64_t result)
{
	uint64_t at = (uint64_t)result, bytes = a[1];
	if (call == CALL_BRK) {
		bytes = at > brk ? at - brk : 0;
		at = brk;
	} else if (call == CALL_MREMAP) {
		bytes = a[2];
	} else if (call == CALL_MADVISE) {
		at = a[0];
	} else if (call != CALL_MMAP) {
		return;
	}
	if (result < 0 || !bytes)
		return;
	uint64_t end = (at + bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1ull);
	at &= ~(PAGE_BYTES - 1ull);
	memory_claim(&u->memory, at, end - at);
	const struct space_range *r = space_find(&u->space, at);
	if (call != CALL_MADVISE && bytes <= AHEAD_BYTES && r &&
		r->prot & SPACE_WRITE)
		memory_have(&u->memory, at, end - at, r->prot);
}

static int64_t serve(struct user *u, uint64_t number, const uint64_t a[6])
{
	enum call call = calls_x86_64(number);
	uint64_t brk = u->space.brk;
	/* SGX1: pages keep their rights. */
	if (u->memory.fixed && call == CALL_MPROTECT && a[2] & SPACE_EXEC)
		return -LINUX_EACCES;
	int64_t result = personality_call(&u->personality, call, a);
	on_memory(u, call, a, brk, result);
	return result;
}

static void on_syscall(struct user *u, struct sgx_gprs *g)
{
	const uint64_t a[6] = { g->rdi, g->rsi, g->rdx, g->r10, g->r8, g->r9 };
	g->rax = (uint64_t)(g->rax == CALLS_ARCH_PRCTL ? arch_prctl(g, a) :
							 serve(u, g->rax, a));
	/* As SYSCALL does. */
	g->rcx = g->rip + 2;
	g->r11 = g->rflags;
	g->rip += 2;
}

/* --- calls without a trap ---------------------------------------------------
 */

/* Whole pages; what exec puts there once is never written again. */
static int64_t put_code(struct user *u, uint64_t to, uint64_t from,
	uint64_t bytes)
{
	uint64_t whole = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1ull);
	if (u->memory.fixed)
		return -LINUX_EACCES;
	const struct space_range *r = space_find(&u->space, to);
	if (!bytes || whole < bytes || to % PAGE_BYTES || !r || r->prot ||
		r->end - to < whole || !memory_code_fits(&u->memory, to, whole))
		return -LINUX_EINVAL;
	memory_ask(&u->memory, to, whole, true);
	if (!memory_code(u, to, from, bytes, true))
		return -LINUX_EFAULT;
	int64_t n =
		space_mprotect(&u->space, to, whole, SPACE_READ | SPACE_EXEC);
	if (n < 0)
		return n;
	return memory_code(u, to, from, bytes, false) ? 0 : -LINUX_EFAULT;
}

int64_t shim_call(uint64_t number, const uint64_t *args);
int64_t shim_call(uint64_t number, const uint64_t *args)
{
	uint64_t a[6];
	if (!user_copy_in(&shim_user, a, (uint64_t)args, sizeof a))
		return -LINUX_EFAULT;
	return number == GATE_CALL_CODE ?
		put_code(&shim_user, a[0], a[1], a[2]) :
		serve(&shim_user, number, a);
}

/* --- instructions that an enclave has not -----------------------------------
 */

static void on_cpuid(struct sgx_gprs *g)
{
	struct cpu_id r = cpuid_answer((uint32_t)g->rax, (uint32_t)g->rcx);
	g->rax = r.eax;
	g->rbx = r.ebx;
	g->rcx = r.ecx;
	g->rdx = r.edx;
	g->rip += 2;
}

/* SGX1: the counter is the host's then, and never runs backwards. */
static void on_rdtsc(struct user *u, struct sgx_gprs *g)
{
	uint64_t t = u->personality.ops->counter();
	g->rax = (uint32_t)t;
	g->rdx = t >> 32;
	g->rip += 2;
}

static bool on_instruction(struct user *u, struct sgx_gprs *g)
{
	uint8_t code[2];
	if (g->rip < u->base || g->rip >= u->end ||
		!user_copy_in(u, code, g->rip, sizeof code) || code[0] != 0x0f)
		return false;
	switch (code[1]) {
	case 0x05:
		on_syscall(u, g);
		return true;
	case 0xa2:
		on_cpuid(g);
		return true;
	case 0x31:
		on_rdtsc(u, g);
		return true;
	default:
		return false;
	}
}

/* --- faults ----------------------------------------------------------------
 */

static bool touchable(const struct space_range *r, uint32_t error)
{
	uint8_t want = error & PF_WRITE ? SPACE_WRITE : SPACE_READ;
	return r && r->prot & want && !(error & PF_FETCH) &&
		r->kind != SPACE_IMAGE;
}

static bool on_fault(struct user *u, uint64_t at, uint32_t error)
{
	const struct space_range *r = space_find(&u->space, at);
	if (!touchable(r, error))
		return false;
	/* There, and with that right: the host's own doing, so try again. */
	if (memory_allows(&u->memory, at, error & PF_WRITE))
		return ++idle < IDLE_MOST;
	at &= ~(uint64_t)(PAGE_BYTES - 1);
	uint64_t end = at + PAGE_BYTES;
	while (end < r->end && end < at + FAULT_PAGES * PAGE_BYTES &&
		!memory_has(&u->memory, end))
		end += PAGE_BYTES;
	memory_have(&u->memory, at, end - at, r->prot);
	return true;
}

static void on_exception(struct user *u, struct sgx_ssa *s)
{
	struct sgx_gprs *g = &s->gprs;
	unsigned vector = SGX_EXIT_VECTOR(g->exitinfo);
	bool page = vector == VECTOR_PF;
	uint64_t at = page ? s->exinfo.maddr : g->rip;
	uint32_t error = page || vector == VECTOR_GP ? s->exinfo.errcd : 0;
	bool ok = false;
	if (page)
		ok = on_fault(u, at, error);
	else if (vector == VECTOR_UD || vector == VECTOR_GP)
		ok = on_instruction(u, g);
	if (!ok)
		die(g, at, error);
}

bool shim_exception(void);
/* True: back to exec at once, with enclave_frame. */
bool shim_exception(void)
{
	struct sgx_ssa *s = &enclave_ssa[0];
	if (!(s->gprs.exitinfo & SGX_EXIT_VALID)) {
		if (++idle >= IDLE_MOST)
			shim_crash("the host interrupts exec without end");
		return false;
	}
	on_exception(&shim_user, s);
	/* Dealt with: whoever enters again finds nothing. */
	s->gprs.exitinfo = 0;
	if (!cpuid_has_edeccssa())
		return false;
	enclave_frame = s->gprs;
	return true;
}
