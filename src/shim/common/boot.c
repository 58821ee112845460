/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/boot.h"

#include "shim/common/end.h"
#include "shim/common/user.h"

struct vm_hints boot_hints(const struct vm_hints *at)
{
	struct vm_hints h;
	memcpy(&h, at, sizeof h);
	if (h.magic != VM_HINTS_MAGIC || h.version != VM_HINTS_VERSION)
		shim_crash("boot: the host's hints are no hints");
	return h;
}

static bool copy_out(uint64_t to, const void *from, size_t n)
{
	return user_copy_out(&shim_user, to, from, n);
}

static bool copy_in(void *to, uint64_t from, size_t n)
{
	return user_copy_in(&shim_user, to, from, n);
}

NORETURN static void crash(const char *why)
{
	shim_crash("%s", why);
}

static const struct personality_ops ops = {
	.copy_out = copy_out,
	.copy_in = copy_in,
	.counter = shim_counter,
	.bell = shim_bell,
	.exit = shim_exit,
	.crash = crash,
};

void boot_calls(struct personality *p, const struct vm_hints *h)
{
	struct err e = { 0 };
	uint32_t khz = shim_counter_khz(h);
	p->ops = &ops;
	if (!clock_init(p->clock, shim_counter(), khz, h->real_ns))
		shim_crash("boot: a counter of %u kHz", khz);
	if (!shim_random(p->random, &e))
		shim_crash("boot: %s", e.text);
}
