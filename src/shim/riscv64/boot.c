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

uint64_t shim_counter(void)
{
	return csr_read(time) * FASTER;
}

uint32_t shim_counter_khz(const struct vm_hints *h)
{
	uint64_t khz = platform_timebase_khz();
	(void)h;
	return khz > CLOCK_MAX_KHZ / FASTER ? 0 : (uint32_t)khz * FASTER;
}

bool shim_random(struct random_source *r, struct err *e)
{
	return random_init(r, NULL, platform_random, e);
}

void shim_bell(void)
{
	platform_event(VM_EVENT_BELL);
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
	struct vm_hints hints =
		boot_hints((void *)(TABLES_WINDOW_VA + VM_HINTS_AT));
	user_boot(&shim_user, &paging, &hints);
	cpu_fence_tables();
	cpu_fence_code();
	shim_clear_float();
	shim_enter_user(shim_user.entry, shim_user.stack_pointer);
}
