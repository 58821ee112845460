/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secure VM's start: the ultravisor first, which compares this image and
 * exec's with the owner's digests; then tables, the window, exec.
 */
#include "arch/ppc64le/cpu.h"
#include "shim/pef/host.h"
#include "shim/pef/user.h"
#include "spec/papr.h"

/* The time base counts so everywhere since POWER9 (book II, §7). */
#define TIME_BASE_KHZ 512000u

struct user shim_user;
static struct paging paging;
static bool booted;

bool shim_debug(void)
{
	const struct vm_image_head *head = (void *)PEF_SHIM_VA;
	return head->debug;
}

bool shim_booted(void)
{
	return booted;
}

/* --- what exec is given ------------------------------------------------- */

static uint64_t counter(void)
{
	return cpu_timebase();
}

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
	host_event(VM_EVENT_BELL);
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

/* DARN: all ones say that there is nothing now. */
static bool draw(uint64_t *out)
{
	*out = cpu_darn();
	return *out != UINT64_MAX;
}

static bool seed(uint64_t *out)
{
	*out = cpu_darn_raw();
	return *out != UINT64_MAX;
}

/* Copied once, then judged: the host writes it still. */
static struct vm_hints read_hints(void)
{
	struct vm_hints h;
	memcpy(&h, (void *)(TABLES_WINDOW_VA + VM_HINTS_AT), sizeof h);
	if (h.magic != VM_HINTS_MAGIC || h.version != VM_HINTS_VERSION)
		shim_crash("boot: the host's hints are no hints");
	return h;
}

static void init_user(struct user *u, const struct vm_hints *h)
{
	struct err e = { 0 };
	u->isa = &user_ppc64le;
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
	if (!clock_init(&u->clock, counter(), TIME_BASE_KHZ, h->real_ns))
		shim_crash("boot: no clock");
	if (!random_init(&u->random, seed, draw, &e))
		shim_crash("boot: %s", e.text);
	u->personality = (struct personality){
		.ops = &ops,
		.space = &u->space,
		.clock = &u->clock,
		.random = &u->random,
	};
}

NORETURN static void enter(const struct user *u)
{
	static struct trap t;
	t = (struct trap){ .nip = u->entry,
		.msr = MSR_SF | MSR_FP | MSR_VEC | MSR_VSX | MSR_PR | MSR_ME |
			MSR_IR | MSR_DR | MSR_RI | MSR_LE };
	t.gpr[1] = u->stack_pointer;
	t.gpr[12] = u->entry;
	shim_leave(&t);
}

/* Interrupts stay off: nobody here waits for one. */
NORETURN void shim_start(int64_t entered);
NORETURN void shim_start(int64_t entered)
{
	const struct vm_image_head *head = (void *)PEF_SHIM_VA;
	const uint64_t msr =
		MSR_SF | MSR_ME | MSR_RI | MSR_LE | MSR_IR | MSR_DR;
	/* Whoever is no ultravisor may say yes: then there is no key, and no
	 * evidence. */
	if (entered != U_SUCCESS)
		shim_crash("the ultravisor refuses this virtual machine: %lld",
			(long long)entered);
	host_processes(tables_init(&paging, head));
	/* No facility is exec's but what POWER9 has always. */
	cpu_mtspr(SPR_FSCR, 0x104); /* TAR, DSCR */
	__asm__ volatile("mtmsrd %0\n\tisync" : : "r"(msr) : "memory");
	booted = host_share_window();
	if (!booted)
		shim_crash("no page can be shared");
	host_event(PEF_EVENT_SHARED);
	struct vm_hints hints = read_hints();
	struct err e = { 0 };
	paging_add_ram(&paging, hints.ram_bytes, NULL);
	init_user(&shim_user, &hints);
	if (!user_load(&shim_user, &e))
		shim_crash("boot: %s", e.text);
	enter(&shim_user);
}
