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

uint64_t shim_counter(void)
{
	return cpu_timebase();
}

uint32_t shim_counter_khz(const struct vm_hints *h)
{
	(void)h;
	return TIME_BASE_KHZ;
}

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

bool shim_random(struct random_source *r, struct err *e)
{
	return random_init(r, seed, draw, e);
}

void shim_bell(void)
{
	host_event(VM_EVENT_BELL);
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
	struct vm_hints hints =
		boot_hints((void *)(TABLES_WINDOW_VA + VM_HINTS_AT));
	paging_add_ram(&paging, hints.ram_bytes, NULL);
	user_boot(&shim_user, &paging, &hints);
	enter(&shim_user);
}
