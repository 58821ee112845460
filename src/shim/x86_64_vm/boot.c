/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/boot.h"

#include "shim/x86_64_vm/platform.h"

/* AMD64 manual, volume 2, §3.1.3. */
enum {
	CR4_PAE = 1 << 5,
	CR4_MCE = 1 << 6,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11,
	CR4_OSXSAVE = 1 << 18,
	CR4_SMEP = 1 << 20,
	CR4_SMAP = 1 << 21
};

/* Volume 3, appendix E. */
enum {
	ID1_C_XSAVE = 1 << 26,
	ID1_C_RDRAND = 1 << 30,
	ID7_B_SMEP = 1 << 7,
	ID7_B_RDSEED = 1 << 18,
	ID7_B_SMAP = 1 << 20,
	ID7_C_UMIP = 1 << 2
};

/* x87, SSE, AVX; AVX-512 all or not at all (volume 2, §11.5.2). */
enum { XCR0_BASE = 7, XCR0_AVX512 = 0xe0 };

struct user shim_user;
static struct paging paging;
static bool booted;

bool shim_debug(void)
{
	const struct vm_image_head *head = (void *)VM_SHIM_VA;
	return head->debug;
}

bool shim_booted(void)
{
	return booted;
}

/* --- the processor ---------------------------------------------------------
 */

static void init_cpu(void)
{
	struct cpu_id one = platform_cpuid(1, 0);
	struct cpu_id seven = platform_cpuid(7, 0);
	uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	if (!(one.ecx & ID1_C_XSAVE))
		shim_crash("boot: the processor has no XSAVE");
	cr4 |= seven.ebx & ID7_B_SMEP ? CR4_SMEP : 0;
	cr4 |= seven.ebx & ID7_B_SMAP ? CR4_SMAP : 0;
	cr4 |= seven.ecx & ID7_C_UMIP ? CR4_UMIP : 0;
	/* Under TDX nobody clears that. */
	cpu_write_cr4(cr4 | (cpu_read_cr4() & CR4_MCE));
	uint64_t has = platform_cpuid(0xd, 0).eax;
	uint64_t xcr0 = has & XCR0_BASE;
	if ((has & XCR0_AVX512) == XCR0_AVX512 && xcr0 == XCR0_BASE)
		xcr0 |= XCR0_AVX512;
	cpu_xsetbv(0, xcr0);
}

uint64_t shim_counter(void)
{
	return cpu_rdtsc();
}

uint32_t shim_counter_khz(const struct vm_hints *h)
{
	struct cpu_id f = { 0 };
	if (platform_cpuid(0, 0).eax >= 0x15)
		f = platform_cpuid(0x15, 0);
	return clock_khz(f.eax, f.ebx, f.ecx, h->tsc_khz);
}

bool shim_random(struct random_source *r, struct err *e)
{
	bool draw = platform_cpuid(1, 0).ecx & ID1_C_RDRAND;
	bool seed = platform_cpuid(7, 0).ebx & ID7_B_RDSEED;
	return random_init(r, seed ? cpu_rdseed : NULL,
		draw ? cpu_rdrand : NULL, e);
}

void shim_bell(void)
{
	platform_event(VM_EVENT_BELL);
}

NORETURN void shim_start(void);
NORETURN void shim_enter_user(uint64_t rip, uint64_t rsp);

NORETURN void shim_start(void)
{
	const struct vm_image_head *head = (void *)VM_SHIM_VA;
	traps_init();
	platform_init(head);
	init_cpu();
	tables_init(&paging, head);
	booted = true;
	platform_ready();
	traps_init_syscall();
	struct vm_hints hints =
		boot_hints((void *)(TABLES_WINDOW_VA + VM_HINTS_AT));
	tables_add_ram(&paging, hints.ram_bytes);
	user_boot(&shim_user, &paging, &hints);
	shim_enter_user(shim_user.entry, shim_user.stack_pointer);
}
