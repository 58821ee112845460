/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that only the guest has: guest_memfd, attributes, and changes of state
 * that the guest asks for (Documentation/virt/kvm/api.rst). */
#include <errno.h>
#include <linux/kvm_para.h>

#include "base/fmt.h"
#include "hal/vm_priv.h"
#include "spec/kvm.h"

bool vm_private_make(struct vm_machine *m, size_t bytes, int *memfd,
	struct err *e)
{
	struct spec_kvm_guest_memfd f = { .size = bytes };
	int n = device_ioctl(m->device, m->vm, SPEC_KVM_CREATE_GUEST_MEMFD, &f);
	if (n < 0)
		return err_fail(e, ERR_HOST, "private memory: %s",
			strerror(-n));
	*memfd = n;
	return true;
}

bool vm_private_map(struct vm_machine *m, const struct vm_region *g,
	struct err *e)
{
	struct spec_kvm_region2 r = {
		.slot = g->slot,
		.flags = g->memfd >= 0 ? SPEC_KVM_MEM_GUEST_MEMFD : 0,
		.guest_phys_addr = g->gpa,
		.memory_size = g->bytes,
		.userspace_addr = (uintptr_t)g->at,
		.guest_memfd = g->memfd >= 0 ? (uint32_t)g->memfd : 0,
		.guest_memfd_offset = g->memfd_at,
	};
	struct spec_kvm_attributes a = { .address = g->gpa,
		.size = g->bytes,
		.attributes = SPEC_KVM_ATTRIBUTE_PRIVATE };
	int n = device_ioctl(m->device, m->vm, SPEC_KVM_SET_USER_MEMORY_REGION2,
		&r);
	if (n < 0)
		return err_fail(e, ERR_HOST, "memory at 0x%llx: %s",
			(unsigned long long)g->gpa, strerror(-n));
	if (g->memfd >= 0)
		n = device_ioctl(m->device, m->vm,
			SPEC_KVM_SET_MEMORY_ATTRIBUTES, &a);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "make memory private: %s", strerror(-n));
}

bool vm_private_hypercalls(struct vm_machine *m, struct err *e)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
		.args = { 1u << KVM_HC_MAP_GPA_RANGE } };
	int n = device_ioctl(m->device, m->vm, KVM_ENABLE_CAP, &cap);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "KVM_CAP_EXIT_HYPERCALL: %s",
			strerror(-n));
}

/* Those pages that the Keep gives back, or wants again. */
enum vm_turn vm_private_change(struct vm_machine *m, int memfd)
{
	struct kvm_run *r = m->cpu.run;
	struct device *d = m->device;
	uint64_t gpa = r->hypercall.args[0];
	uint64_t bytes = r->hypercall.args[1] * PAGE_BYTES;
	bool private = r->hypercall.args[2] & SPEC_KVM_MAP_ENCRYPTED;
	struct spec_kvm_attributes a = { .address = gpa,
		.size = bytes,
		.attributes = private ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0 };
	r->hypercall.ret = EINVAL;
	if (r->hypercall.nr != KVM_HC_MAP_GPA_RANGE ||
		!vm_machine_may_drop(m, gpa, bytes))
		return VM_TURN_AGAIN;
	int n = device_ioctl(d, m->vm, SPEC_KVM_SET_MEMORY_ATTRIBUTES, &a);
	if (n == 0 && !private)
		n = d->ops->discard(d, memfd, gpa - VM_RAM_GPA, bytes);
	r->hypercall.ret = (unsigned)-n;
	return VM_TURN_AGAIN;
}

/* A shim of ours touches nothing that is not there: whoever does so is not
 * ours, or its host is broken. */
enum vm_turn vm_private_exit(struct vm_machine *m, int memfd, struct vm_cpu *c)
{
	const struct kvm_run *r = c->run;
	switch (r->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		return vm_private_change(m, memfd);
	case KVM_EXIT_SYSTEM_EVENT:
		fmt(c->why, sizeof c->why, "ended at its start, reason 0x%llx",
			r->system_event.ndata ?
				(unsigned long long)r->system_event.data[0] :
				0ull);
		break;
	case SPEC_KVM_EXIT_MEMORY_FAULT:
		fmt(c->why, sizeof c->why, "memory of another kind expected");
		break;
	default:
		fmt(c->why, sizeof c->why, "%s (%u)",
			vm_exit_name(r->exit_reason), r->exit_reason);
	}
	return VM_TURN_GONE;
}

bool vm_private_confine(struct vm_machine *m, struct err *e)
{
	/* For what the Keep gives back. */
	static const unsigned long requests[] = {
		SPEC_KVM_SET_MEMORY_ATTRIBUTES, 0
	};
	return vm_confine(&m->cpu, m->uid, m->change_id, requests, e);
}
