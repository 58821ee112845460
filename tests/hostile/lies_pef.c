/* SPDX-License-Identifier: Apache-2.0 */
/* What a hypervisor can do to a secure VM of POWER's. */
#include "lies.h"

#include <linux/kvm.h>

#include "abi/pef.h"
#include "base/fmt.h"
#include "soft/power.h"
#include "spec/papr.h"

static struct lies *current;

/* r3 to r12 behind a hypercall, of which nothing is the guest's any more. */
static void scribble(void *ctx, uint64_t words[10])
{
	struct lies *l = ctx;
	if (!l->runs) {
		/* The window was just filled, or is about to be. */
		const struct vm_hints *h = (void *)(l->window + VM_HINTS_AT);
		l->runs = h->magic == VM_HINTS_MAGIC;
		if (l->runs)
			lies_at_finish(l);
	}
	if (l->kind != LIE_CALL || ++l->exits <= l->at)
		return;
	for (size_t i = 0; i < 10; i++)
		if (lies_random(l, 2))
			words[i] = lies_some(l, 64);
	TELL(l, "call %u: r3 is 0x%llx", l->exits,
		(unsigned long long)words[0]);
}

/* Images, blob, tree, and what is between them. */
static void spoil_launch(struct lies *l)
{
	static const size_t ends[] = { 0x1000, 0x30000, 0x200000, 0xc00000 };
	uint8_t *ram = l->ram;
	unsigned n = 1 + (unsigned)lies_random(l, 3);
	for (unsigned i = 0; i < n; i++)
		lies_spoil(l, ram, ends[lies_random(l, ARRAY_LEN(ends))]);
}

void lies_pef_memory(struct lies *l)
{
	uint64_t page = lies_random(l, l->ram_bytes / PEF_UNIT);
	uint8_t *at = (uint8_t *)l->ram + page * PEF_UNIT;
	struct kvm_userspace_memory_region r = { .slot = 1,
		.memory_size = l->ram_bytes,
		.userspace_addr = (uintptr_t)l->ram };
	switch (lies_random(l, 3)) {
	case 0:
		TELL(l, "bell %u: page %llu filled", l->bells,
			(unsigned long long)page);
		memset(at, (int)lies_random(l, 256), PEF_UNIT);
		break;
	case 1:
		TELL(l, "bell %u: all from page %llu on filled", l->bells,
			(unsigned long long)page);
		memset(at, 0xff, l->ram_bytes - page * PEF_UNIT);
		break;
	default:
		TELL(l, "bell %u: memory is elsewhere", l->bells);
		r.guest_phys_addr = lies_random(l, 2) * PEF_UNIT;
		r.memory_size -= lies_random(l, 2) * PEF_UNIT;
		l->real->ioctl(l->device, l->vm, KVM_SET_USER_MEMORY_REGION,
			&r);
	}
}

static int spy_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	struct lies *l = current;
	if (request == KVM_CREATE_VCPU && l->kind == LIE_DOMAIN)
		spoil_launch(l);
	int n = l->real->ioctl(d, handle, request, arg);
	if (request == KVM_CREATE_VM)
		l->vm = n;
	return n;
}

void lies_pef_begin(struct lies *l)
{
	current = l;
}

/* Which device it is, the platform looks at. */
bool __real_soft_power_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_power_new(const struct soft_config *c, struct device **out,
	struct err *e);
bool __wrap_soft_power_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	static struct device_ops spy;
	if (!__real_soft_power_new(c, out, e))
		return false;
	lies_spy(current, *out, &spy);
	current->pef = true;
	spy.ioctl = spy_ioctl;
	soft_power_scribbles(*out, scribble, current);
	return true;
}

bool __real_soft_power_seal(struct device *d, const struct esm_digests *want,
	struct buf *blob, struct buf *vouch, struct err *e);
bool __wrap_soft_power_seal(struct device *d, const struct esm_digests *want,
	struct buf *blob, struct buf *vouch, struct err *e);
bool __wrap_soft_power_seal(struct device *d, const struct esm_digests *want,
	struct buf *blob, struct buf *vouch, struct err *e)
{
	const struct device_ops *ops = d->ops;
	d->ops = current->real;
	bool ok = __real_soft_power_seal(d, want, blob, vouch, e);
	d->ops = ops;
	return ok;
}
