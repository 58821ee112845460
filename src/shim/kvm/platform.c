/* SPDX-License-Identifier: Apache-2.0 */
/* A plain virtual machine: the host sees everything, so nothing is hidden. */
#include "shim/x86_64_vm/platform.h"
#include "shim/x86_64_vm/tables.h"

void platform_init(const struct vm_image_head *head)
{
	(void)head;
}

void platform_ready(void)
{
}

uint64_t platform_shared_bit(void)
{
	return 0;
}

uint64_t platform_hole(void)
{
	return 0;
}

struct cpu_id platform_cpuid(uint32_t leaf, uint32_t sub)
{
	return cpu_id(leaf, sub);
}

bool platform_accept(uint64_t from, uint64_t to, bool again)
{
	(void)from;
	(void)to;
	(void)again;
	return true;
}

void platform_release(uint64_t from, uint64_t to)
{
	volatile struct vm_release *r =
		(void *)(TABLES_WINDOW_VA + VM_RELEASE_AT);
	r->from = from * PAGE_BYTES;
	r->to = to * PAGE_BYTES;
	platform_event(VM_EVENT_RELEASE);
}

void platform_event(enum vm_event event)
{
	cpu_out32(VM_PORT, event);
}

bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result)
{
	(void)number;
	(void)args;
	(void)result;
	return false;
}

void platform_shim(struct gate_shim *out)
{
	*out = (struct gate_shim){ .version = 1, .tee = GATE_TEE_KVM };
}

bool platform_trap(struct trap *t)
{
	(void)t;
	return false;
}
