/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/cpu.h"
#include "shim/sgx/sgx.h"
#include "shim/sgx/state.h"

_Static_assert(LEAVE_RESUME == ENCLAVE_RESUME, "entry.S");
_Static_assert(LEAVE_NOTHING == ENCLAVE_NOTHING, "entry.S");
_Static_assert(sizeof(struct sgx_gprs) == 184, "entry.S: enclave_frame");

/* Pages of the Keep's memory that exec is not promised: its image, the shim's
 * notes. */
enum { SPARE_PAGES = 4096 };

struct user shim_user;
static uint64_t xfrm;

extern uint8_t image_start[];

uint64_t shim_xfrm(void)
{
	return xfrm;
}

/* --- the processor ---------------------------------------------------------
 */

/* Under SGX1 RDTSC is not to be had: what the host said at its last entry has
 * to do.  The clock never runs backwards for it (common/clock.h). */
uint64_t shim_counter(void)
{
	uint64_t ticks;
	if (!shim_user.memory.fixed)
		return cpu_rdtsc();
	host_read(&ticks, ENCLAVE_TICKS_AT, sizeof ticks);
	return ticks;
}

uint32_t shim_counter_khz(const struct vm_hints *h)
{
	struct cpu_id f = cpuid_answer(0x15, 0);
	return clock_khz(f.eax, f.ebx, f.ecx, h->tsc_khz);
}

/* A host that hides RDSEED takes away no more than what is mixed in. */
bool shim_random(struct random_source *r, struct err *e)
{
	enum { ID7_RDSEED = 1 << 18 };
	bool seed = cpuid_answer(7, 0).ebx & ID7_RDSEED;
	return random_init(r, seed ? cpu_rdseed : NULL, cpu_rdrand, e);
}

static struct vm_hints read_hints(void)
{
	struct vm_hints h;
	host_read(&h, VM_HINTS_AT, sizeof h);
	return boot_hints(&h);
}

static uint64_t pages_for(const struct vm_hints *h)
{
	uint64_t bytes = enclave_head()->heap_bytes;
	uint64_t pages = (bytes ? bytes : h->ram_bytes) / PAGE_BYTES;
	if (pages < 2 * SPARE_PAGES || pages > ENCLAVE_BYTES / PAGE_BYTES)
		shim_crash("boot: %llu pages of memory",
			(unsigned long long)pages);
	return bytes ? pages : pages - SPARE_PAGES;
}

static void init_user(struct user *u, const struct vm_hints *h)
{
	u->space.ops = &memory_space_ops;
	u->space.ctx = &u->memory;
	u->space.pages_max = pages_for(h);
	memory_init(&u->memory, enclave_head()->heap_bytes);
	u->personality.space = &u->space;
	u->personality.clock = &u->clock;
	u->personality.random = &u->random;
	boot_calls(&u->personality, h);
}

/* The processor's word for which state exec may use: not the host's. */
static void init_xfrm(void)
{
	static const uint8_t nothing[64];
	static struct sgx_report_mac self;
	report_make(NULL, nothing, &self);
	memcpy(&xfrm, self.body.attributes + 8, sizeof xfrm);
}

NORETURN void shim_start(uint64_t window);
NORETURN void shim_start(uint64_t window)
{
	host_init(window);
	if ((uint64_t)image_start != ENCLAVE_BASE)
		shim_crash("boot: linked for another place");
	init_xfrm();
	cpuid_init();
	struct vm_hints hints = read_hints();
	init_user(&shim_user, &hints);
	user_load(&shim_user);
	enclave_user(shim_user.entry, shim_user.stack_pointer);
}
