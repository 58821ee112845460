/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <time.h>

#include "hal/process_priv.h"
#include "hal/vm_priv.h"

enum { CPUID_MAX = 256 };

/* --- the kernel ------------------------------------------------------------
 */

static bool api_check(struct device *d, int kvm, struct err *e)
{
	int v = device_ioctl(d, kvm, KVM_GET_API_VERSION, NULL);
	if (v != KVM_API_VERSION)
		return err_fail(e, ERR_HOST, "KVM's interface %d unknown", v);
	if (device_ioctl(d, kvm, KVM_CHECK_EXTENSION,
		    (void *)KVM_CAP_IMMEDIATE_EXIT) <= 0)
		return err_fail(e, ERR_HOST, "KVM older than Linux 4.13");
	return true;
}

bool vm_open_kvm(struct device *d, int *kvm, struct err *e)
{
	*kvm = d->ops->open(d, "/dev/kvm");
	if (*kvm == -ENOENT)
		return err_fail(e, ERR_HOST,
			"no /dev/kvm: enable virtualization in the firmware, "
			"load kvm_amd or kvm_intel");
	if (*kvm < 0)
		return err_fail(e, ERR_HOST,
			"/dev/kvm: %s: add this user to the group kvm",
			strerror(-*kvm));
	return api_check(d, *kvm, e);
}

/* --- a machine -------------------------------------------------------------
 */

bool vm_machine_open(struct vm_machine *m, const struct vm_soft *soft,
	const struct hal_config *cfg, unsigned long type, struct err *e)
{
	size_t ram;
	*m = (struct vm_machine){ .kvm = -1, .vm = -1 };
	m->cpu.handle = m->cpu.bell = m->cpu.go = -1;
	process_pick_user(&m->uid, &m->change_id);
	if (!size_add(cfg->boot.memory_bytes, VM_RAM_SLACK, &ram))
		return err_fail(e, ERR_INPUT, "more memory than there is");
	m->ram_bytes = ram & ~((size_t)VM_IMAGE_ALIGN - 1);
	if (!vm_device_new(soft, cfg, m->uid, m->change_id, &m->device, e) ||
		!vm_open_kvm(m->device, &m->kvm, e))
		return false;
	m->vm = device_ioctl(m->device, m->kvm, KVM_CREATE_VM, (void *)type);
	if (m->vm < 0)
		return err_fail(e, ERR_HOST, "create machine: %s",
			strerror(-m->vm));
	vm_keep_clear(m->device, m->vm);
	m->window = m->device->ops->memory(m->device, VM_WINDOW_BYTES);
	m->ram = m->device->ops->memory(m->device, m->ram_bytes);
	if (!m->window || !m->ram)
		return err_fail(e, ERR_LIMIT, "no memory for %zu bytes",
			m->ram_bytes);
	return true;
}

bool vm_machine_map(struct vm_machine *m, uint32_t slot, uint64_t gpa, void *at,
	size_t bytes, struct err *e)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)at,
	};
	int n = device_ioctl(m->device, m->vm, KVM_SET_USER_MEMORY_REGION, &r);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "memory at 0x%llx: %s",
			(unsigned long long)gpa, strerror(-n));
}

bool vm_machine_may_drop(const struct vm_machine *m, uint64_t gpa,
	uint64_t bytes)
{
	const uint64_t mask = VM_IMAGE_ALIGN - 1;
	uint64_t at = gpa - VM_RAM_GPA, used = (m->images.end + mask) & ~mask;
	return bytes && !((gpa | bytes) & mask) && at >= used &&
		at < m->ram_bytes && bytes <= m->ram_bytes - at;
}

void vm_machine_fini(struct vm_machine *m)
{
	vm_cpu_fini(&m->cpu);
	if (m->device) {
		const struct device_ops *ops = m->device->ops;
		ops->close(m->device, m->vm);
		ops->memory_free(m->device, m->ram, m->ram_bytes);
		ops->memory_free(m->device, m->window, VM_WINDOW_BYTES);
		ops->close(m->device, m->kvm);
		ops->free(m->device);
	}
	free(m->cpuid);
	*m = (struct vm_machine){ .kvm = -1, .vm = -1 };
}

/* --- its processor ---------------------------------------------------------
 */

bool vm_machine_read_cpuid(struct vm_machine *m, struct err *e)
{
	if (m->cpuid)
		return true;
	size_t bytes =
		sizeof *m->cpuid + CPUID_MAX * sizeof(struct kvm_cpuid_entry2);
	m->cpuid = calloc(1, bytes);
	if (!m->cpuid)
		return err_fail(e, ERR_LIMIT, "no memory");
	m->cpuid->nent = CPUID_MAX;
	int n = device_ioctl(m->device, m->kvm, KVM_GET_SUPPORTED_CPUID,
		m->cpuid);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_GET_SUPPORTED_CPUID: %s",
			strerror(-n));
	/* This is number 0. */
	for (uint32_t i = 0; i < m->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *x = &m->cpuid->entries[i];
		if (x->function == 1)
			x->ebx = (x->ebx & 0xff00) | 1u << 16;
		if (x->function == 0xb || x->function == 0x1f)
			x->edx = 0;
	}
	return true;
}

/* The software platform knows its processor once it is there. */
bool vm_machine_add_cpu(struct vm_machine *m, struct err *e)
{
	int bytes =
		device_ioctl(m->device, m->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (bytes < (int)sizeof(struct kvm_run))
		return err_fail(e, ERR_HOST, "KVM_GET_VCPU_MMAP_SIZE: %d",
			bytes);
	m->cpu.run_bytes = (size_t)bytes;
	m->cpu.report = (void *)(m->window + VM_REPORT_AT);
	return vm_cpu_init(&m->cpu, m->device, m->vm, e) &&
		vm_machine_read_cpuid(m, e);
}

struct kvm_cpuid_entry2 *vm_machine_leaf(struct vm_machine *m, uint32_t leaf)
{
	for (uint32_t i = 0; m->cpuid && i < m->cpuid->nent; i++)
		if (m->cpuid->entries[i].function == leaf)
			return &m->cpuid->entries[i];
	return NULL;
}

static uint64_t real_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void vm_window_fill(uint8_t *window, const struct hal_config *cfg,
	enum gate_tee tee, size_t ram_bytes, int khz)
{
	const struct vm_hints hints = {
		.magic = VM_HINTS_MAGIC,
		.version = VM_HINTS_VERSION,
		.ram_bytes = ram_bytes,
		.real_ns = real_ns(),
		.tsc_khz = khz > 0 ? (uint32_t)khz : 0,
	};
	memcpy(window + VM_HINTS_AT, &hints, sizeof hints);
	struct gate_area *a = (void *)(window + VM_AREA_AT);
	a->magic = GATE_MAGIC;
	a->version = GATE_VERSION;
	a->boot = cfg->boot;
	a->boot.version = 1;
	a->boot.tee = tee;
}

bool vm_machine_tell_cpu(struct vm_machine *m, const struct hal_config *cfg,
	enum gate_tee tee, struct err *e)
{
	struct device *d = m->device;
	int n = device_ioctl(d, m->cpu.handle, KVM_SET_CPUID2, m->cpuid);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_SET_CPUID2: %s",
			strerror(-n));
	vm_window_fill(m->window, cfg, tee, m->ram_bytes,
		device_ioctl(d, m->cpu.handle, KVM_GET_TSC_KHZ, NULL));
	return true;
}

bool vm_machine_set_cpu(struct vm_machine *m, const struct hal_config *cfg,
	enum gate_tee tee, uint32_t c_bit, struct err *e)
{
	return vm_machine_tell_cpu(m, cfg, tee, e) &&
		vm_cpu_reset(&m->cpu, &m->images.head, c_bit, e);
}
