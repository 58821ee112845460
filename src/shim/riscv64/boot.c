/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/riscv64/boot.h"

#include "arch/riscv64/csr.h"

/* sstatus: SPP, SPIE, SIE, SUM, MXR off; floating point on. */
#define SSTATUS_OFF   0xc0122ull
#define SSTATUS_FLOAT (3ull << 13)

/* U-mode reads RDTIME. */
#define COUNTER_TIME 2u

/* RDTIME counts 1 to 100 MHz where it counts at all; clock.h wants more. */
enum { FASTER = 100 };

struct user shim_user;
static struct paging paging;
static bool booted;

bool shim_booted(void)
{
	return booted;
}

static uint64_t counter(void)
{
	return csr_read(time) * FASTER;
}

/* --- what exec is given ------------------------------------------------- */

static bool give_out(uint64_t to, const void *from, size_t n)
{
	return user_copy_out(&shim_user, to, from, n);
}

static bool take_in(void *to, uint64_t from, size_t n)
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
	.copy_out = give_out,
	.copy_in = take_in,
	.counter = counter,
	.bell = bell,
	.exit = shim_exit,
	.crash = crash,
};

/* Copied once, then judged: the host writes it still. */
static struct vm_hints read_hints(void)
{
	struct vm_hints h;
	memcpy(&h, (const void *)(TABLES_WINDOW_VA + VM_HINTS_AT), sizeof h);
	if (h.magic != VM_HINTS_MAGIC || h.version != VM_HINTS_VERSION)
		shim_crash("boot: the host's hints are no hints");
	return h;
}

static void init_user(struct user *u, const struct vm_hints *h)
{
	struct err e = { 0 };
	uint64_t khz = platform_timebase_khz();
	u->isa = &user_riscv64;
	u->paging = &paging;
	u->fixed = platform_debug();
	u->space.ops = &paging_space_ops;
	u->space.ctx = &paging;
	/* Tables take one page of 512, and a few more. */
	uint64_t pages = paging.frames.count - paging.frames.used;
	if (pages < 1024)
		shim_crash("boot: %llu pages of memory",
			(unsigned long long)pages);
	u->space.pages_max = pages - pages / 256 - 64;
	if (khz > CLOCK_MAX_KHZ / FASTER ||
		!clock_init(&u->clock, counter(), (uint32_t)khz * FASTER,
			h->real_ns))
		shim_crash("boot: a time counter of %llu kHz",
			(unsigned long long)khz);
	if (!random_init(&u->random, NULL, platform_random, &e))
		shim_crash("boot: %s", e.text);
	u->personality = (struct personality){
		.ops = &ops,
		.space = &u->space,
		.clock = &u->clock,
		.random = &u->random,
	};
}

NORETURN void shim_start(const uint64_t a[6]);
NORETURN void shim_enter_user(uint64_t pc, uint64_t sp);
void shim_clear_float(void);

NORETURN void shim_start(const uint64_t a[6])
{
	struct platform_memory m;
	platform_init(a, &m);
	csr_clear(sstatus, SSTATUS_OFF);
	csr_set(sstatus, SSTATUS_FLOAT);
	csr_write(scounteren, COUNTER_TIME);
	tables_init(&paging, &m);
	booted = true;
	struct vm_hints hints = read_hints();
	struct err e = { 0 };
	init_user(&shim_user, &hints);
	if (!user_load(&shim_user, &e))
		shim_crash("boot: %s", e.text);
	cpu_fence_tables();
	cpu_fence_code();
	shim_clear_float();
	shim_enter_user(shim_user.entry, shim_user.stack_pointer);
}
