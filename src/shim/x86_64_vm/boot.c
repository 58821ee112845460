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

static uint64_t counter(void)
{
	return cpu_rdtsc();
}

static uint32_t counter_khz(const struct vm_hints *h)
{
	struct cpu_id f = { 0 };
	if (platform_cpuid(0, 0).eax >= 0x15)
		f = platform_cpuid(0x15, 0);
	return clock_khz(f.eax, f.ebx, f.ecx, h->tsc_khz);
}

/* --- what exec is given -----------------------------------------------------
 */

static bool copy_out(uint64_t to, const void *from, size_t n)
{
	return user_copy_out(&shim_user, to, from, n);
}

static bool copy_in(void *to, uint64_t from, size_t n)
{
	return user_copy_in(&shim_user, to, from, n);
}

static void bell(void)
{
	platform_event(VM_EVENT_BELL);
}

NORETURN static void crash(const char *why)
{
	shim_crash("%s", why);
}

static const struct personality_ops ops = {
	.copy_out = copy_out,
	.copy_in = copy_in,
	.counter = counter,
	.bell = bell,
	.exit = shim_exit,
	.crash = crash,
};

static void init_random(struct user *u)
{
	struct err e = { 0 };
	bool draw = platform_cpuid(1, 0).ecx & ID1_C_RDRAND;
	bool seed = platform_cpuid(7, 0).ebx & ID7_B_RDSEED;
	if (!random_init(&u->random, seed ? cpu_rdseed : NULL,
		    draw ? cpu_rdrand : NULL, &e))
		shim_crash("boot: %s", e.text);
}

/* Copied once, then judged: the host writes it still. */
static struct vm_hints read_hints(void)
{
	struct vm_hints h;
	cpu_move_bytes(&h, (void *)(TABLES_WINDOW_VA + VM_HINTS_AT), sizeof h);
	if (h.magic != VM_HINTS_MAGIC || h.version != VM_HINTS_VERSION)
		shim_crash("boot: the host's hints are no hints");
	return h;
}

static void init_user(struct user *u, const struct vm_hints *h)
{
	u->isa = &user_x86_64;
	u->paging = &paging;
	u->fixed = shim_debug();
	u->space.ops = &paging_space_ops;
	u->space.ctx = &paging;
	/* Tables take one page of 512, and a few more. */
	uint64_t pages = paging.frames.count - paging.frames.used;
	u->space.pages_max = pages - pages / 256 - 64;
	if (pages < 1024)
		shim_crash("boot: %llu pages of RAM",
			(unsigned long long)pages);
	if (!clock_init(&u->clock, counter(), counter_khz(h), h->real_ns))
		shim_crash("boot: time-stamp counter of %u kHz", h->tsc_khz);
	init_random(u);
	u->personality = (struct personality){
		.ops = &ops,
		.space = &u->space,
		.clock = &u->clock,
		.random = &u->random,
	};
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
	struct vm_hints hints = read_hints();
	struct err e = { 0 };
	tables_add_ram(&paging, hints.ram_bytes);
	init_user(&shim_user, &hints);
	if (!user_load(&shim_user, &e))
		shim_crash("boot: %s", e.text);
	shim_enter_user(shim_user.entry, shim_user.stack_pointer);
}
