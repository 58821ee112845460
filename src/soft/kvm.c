/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's KVM, as far as hal/ asks it (Documentation/virt/kvm/api.rst). */
#include <errno.h>

#include <linux/kvm_para.h>

#include "soft/device_priv.h"

enum {
	TABLES_LEAST = 4 << 20,
	RAM_LEAST = 32 << 20,
	LARGE = 2 << 20,
	RMP_ENTRY_BYTES = 16,
	MOST_SLOTS_GPA_BITS = 40,
};

#define LEAF_EXTENDED	0x80000000u
#define LEAF_ENCRYPTION 0x8000001fu

int soft_failed(struct soft_device *s)
{
	s->broken = true;
	return -EIO;
}

int soft_kvm_call(struct soft_device *s, enum monitor_op op,
	const uint64_t args[4])
{
	struct err e;
	return soft_machine_call(&s->machine, op, args, &e) ? 0 :
							      soft_failed(s);
}

static int call(struct soft_device *s, enum monitor_op op, uint64_t a)
{
	return soft_kvm_call(s, op, (uint64_t[4]){ a });
}

/* --- /dev/kvm ----------------------------------------------------------- */

static int create_vm(struct soft_device *s, uintptr_t type)
{
	if (s->has_vm ||
		(type && type != SPEC_KVM_SNP_VM && type != SPEC_KVM_TDX_VM))
		return -EINVAL;
	s->has_vm = true;
	s->kind = type == SPEC_KVM_SNP_VM ? MONITOR_SNP :
		type == SPEC_KVM_TDX_VM	  ? MONITOR_TDX :
					    MONITOR_PLAIN;
	return SOFT_HANDLE_VM;
}

static uint64_t private_hpa(const struct soft_device *s, uint32_t slot)
{
	return s->private.slots[slot].has ?
		s->machine.box->private_hpa + s->private.slots[slot].at :
		0;
}

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* Where what is in QEMU's RAM; its size. */
static uint64_t lay_out(struct soft_device *s)
{
	struct monitor_box *b = s->machine.box;
	uint64_t end = 0, all = 0;
	for (uint32_t i = 0; i < MONITOR_SLOTS; i++) {
		uint64_t last = b->slots[i].gpa + b->slots[i].bytes;
		end = last > end ? last : end;
		all += b->slots[i].bytes;
	}
	uint64_t private = s->private.bytes;
	/* All pages by 4 KiB, once or twice. */
	b->tables_end = round_up(MONITOR_TABLES_HPA + TABLES_LEAST + all / 256,
		PAGE_BYTES);
	b->gpa_end = round_up(end, LARGE);
	b->attributes_hpa = b->tables_end;
	b->rmp_hpa = round_up(b->attributes_hpa + b->gpa_end / PAGE_BYTES / 8,
		PAGE_BYTES);
	b->private_hpa =
		round_up(b->rmp_hpa + private / PAGE_BYTES * RMP_ENTRY_BYTES,
			LARGE);
	if (b->private_hpa + private > SOFT_LOW_RAM_END)
		b->private_hpa = SOFT_HIGH_RAM;
	b->private_end = b->private_hpa + private;
	for (uint32_t i = 0; i < MONITOR_SLOTS; i++)
		b->slots[i].private_hpa = private_hpa(s, i);
	if (b->private_hpa == SOFT_HIGH_RAM)
		return SOFT_LOW_RAM_END + private;
	return RAM_LEAST + b->private_end;
}

/* Of memory encryption: SEV, SEV-ES, SEV-SNP; the C-bit, and that it takes one
 * bit of physical addresses (AMD64 manual, volume 3, appendix E). */
static void add_encryption(struct monitor_box *b)
{
	struct monitor_cpuid c = { .leaf = LEAF_ENCRYPTION,
		.eax = 0x1a,
		.ebx = 1 << 6 | 47,
		.ecx = 1,
		.edx = 1 };
	for (uint32_t i = 0; i < b->cpuid_count; i++)
		if (b->cpuid[i].leaf == LEAF_EXTENDED &&
			b->cpuid[i].eax < LEAF_ENCRYPTION)
			b->cpuid[i].eax = LEAF_ENCRYPTION;
	if (b->cpuid_count < MONITOR_CPUIDS)
		b->cpuid[b->cpuid_count++] = c;
}

void soft_kvm_put_entry(const struct monitor_cpuid *from,
	struct kvm_cpuid_entry2 *to)
{
	*to = (struct kvm_cpuid_entry2){ .function = from->leaf,
		.index = from->sub,
		.flags = from->by_sub ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
		.eax = from->eax,
		.ebx = from->ebx,
		.ecx = from->ecx,
		.edx = from->edx };
}

/* QEMU starts now, at the latest: what needs no processor has been asked. */
static int boot(struct soft_device *s)
{
	struct err e;
	if (s->machine.pid)
		return 0;
	const struct soft_start start = {
		.image = s->image,
		.gdb = s->gdb,
		.ram_bytes = lay_out(s),
		.uid = s->uid,
		.change_id = s->change_id,
	};
	return soft_machine_start(&s->machine, &start, &e) ? 0 : soft_failed(s);
}

int soft_kvm_know(struct soft_device *s)
{
	struct monitor_box *b = s->machine.box;
	struct err e;
	if (s->real_count)
		return 0;
	int n = boot(s);
	if (n == 0 && !soft_machine_ready(&s->machine, &e))
		n = soft_failed(s);
	if (n == 0)
		n = call(s, MONITOR_CPUID, 0);
	if (n < 0)
		return n;
	if (b->cpuid_count > MONITOR_CPUIDS)
		return soft_failed(s);
	if (s->kind == MONITOR_SNP)
		add_encryption(b);
	s->real_count = b->cpuid_count;
	memcpy(s->real, b->cpuid, sizeof s->real);
	return 0;
}

static int supported_cpuid(struct soft_device *s, struct kvm_cpuid2 *c)
{
	int n = soft_kvm_know(s);
	if (n < 0)
		return n;
	if (c->nent < s->real_count)
		return -E2BIG;
	c->nent = s->real_count;
	for (uint32_t i = 0; i < c->nent; i++)
		soft_kvm_put_entry(&s->real[i], &c->entries[i]);
	return 0;
}

static int check_extension(uintptr_t what)
{
	switch (what) {
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_USER_MEMORY:
	case SPEC_KVM_CAP_GUEST_MEMFD:
		return 1;
	case KVM_CAP_EXIT_HYPERCALL:
		return 1 << KVM_HC_MAP_GPA_RANGE;
	case SPEC_KVM_CAP_MEMORY_ATTRIBUTES:
		return SPEC_KVM_ATTRIBUTE_PRIVATE;
	case SPEC_KVM_CAP_VM_TYPES:
		return 1 | 1 << SPEC_KVM_SNP_VM | 1 << SPEC_KVM_TDX_VM;
	default:
		return 0;
	}
}

static int get_attribute(const struct kvm_device_attr *a)
{
	const uint64_t features = SOFT_VMSA_FEATURES;
	if (a->group != SPEC_KVM_GRP_SEV ||
		a->attr != SPEC_KVM_SEV_VMSA_FEATURES || a->flags)
		return -ENXIO;
	memcpy((void *)(uintptr_t)a->addr, &features, sizeof features);
	return 0;
}

int soft_kvm_system(struct soft_device *s, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension((uintptr_t)arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return SOFT_RUN_BYTES;
	case KVM_CREATE_VM:
		return create_vm(s, (uintptr_t)arg);
	case KVM_GET_SUPPORTED_CPUID:
		return supported_cpuid(s, arg);
	case KVM_GET_DEVICE_ATTR:
		return get_attribute(arg);
	default:
		return -EINVAL;
	}
}

/* --- a virtual machine -------------------------------------------------- */

static bool overlaps(const struct monitor_slot *a, uint64_t gpa, uint64_t bytes)
{
	return a->bytes && gpa < a->gpa + a->bytes && a->gpa < gpa + bytes;
}

static bool region_ok(const struct soft_device *s,
	const struct spec_kvm_region2 *r)
{
	const struct monitor_slot *slots = s->machine.box->slots;
	uint64_t end;
	if (r->slot >= MONITOR_SLOTS ||
		(r->flags & ~SPEC_KVM_MEM_GUEST_MEMFD) ||
		(r->guest_phys_addr | r->memory_size | r->userspace_addr |
			r->guest_memfd_offset) %
			PAGE_BYTES ||
		__builtin_add_overflow(r->guest_phys_addr, r->memory_size,
			&end) ||
		end >> MOST_SLOTS_GPA_BITS)
		return false;
	for (uint32_t i = 0; i < MONITOR_SLOTS; i++)
		if (i != r->slot &&
			overlaps(&slots[i], r->guest_phys_addr, r->memory_size))
			return false;
	return true;
}

/* The slot's private half. */
static bool bind_memfd(struct soft_device *s, const struct spec_kvm_region2 *r)
{
	struct soft_private *n = &s->private;
	uint32_t i = r->guest_memfd - SOFT_HANDLE_MEMFD;
	n->slots[r->slot].has = false;
	if (!(r->flags & SPEC_KVM_MEM_GUEST_MEMFD))
		return true;
	if (!soft_has_private(s) || i >= SOFT_MEMFDS ||
		r->guest_memfd_offset > n->memfds[i].bytes ||
		r->memory_size > n->memfds[i].bytes - r->guest_memfd_offset)
		return false;
	n->slots[r->slot].has = true;
	n->slots[r->slot].at = n->memfds[i].at + r->guest_memfd_offset;
	return true;
}

static int set_memory(struct soft_device *s, const struct spec_kvm_region2 *r)
{
	struct monitor_slot *slots = s->machine.box->slots;
	uint64_t at;
	if (!region_ok(s, r))
		return -EINVAL;
	if (!soft_machine_locate(&s->machine, (void *)r->userspace_addr,
		    r->memory_size, &at))
		return -EFAULT;
	if (!bind_memfd(s, r))
		return -EINVAL;
	slots[r->slot] = (struct monitor_slot){ .gpa = r->guest_phys_addr,
		.bytes = r->memory_size,
		.shared_at = at,
		.private_hpa = private_hpa(s, r->slot) };
	return s->begun ? call(s, MONITOR_SLOT, r->slot) : 0;
}

static int set_memory_1(struct soft_device *s,
	const struct kvm_userspace_memory_region *r)
{
	const struct spec_kvm_region2 two = { .slot = r->slot,
		.flags = r->flags,
		.guest_phys_addr = r->guest_phys_addr,
		.memory_size = r->memory_size,
		.userspace_addr = r->userspace_addr };
	return r->flags ? -EINVAL : set_memory(s, &two);
}

static int create_other(struct soft_device *s)
{
	if (s->kind == MONITOR_TDX && s->tdx.runnable)
		return -EIO;
	if ((!s->snp.active && !s->tdx.active) || !s->has_cpu || s->other.there)
		return -EINVAL;
	s->other =
		(struct soft_other){ .there = true, .late = s->snp.launched };
	return SOFT_HANDLE_OTHER;
}

static int create_cpu(struct soft_device *s, uintptr_t number)
{
	if (number == 1)
		return create_other(s);
	if (s->has_cpu || number || (s->kind == MONITOR_SNP && !s->snp.active))
		return -EINVAL;
	int n = s->kind == MONITOR_TDX ? soft_tdx_may_add_cpu(s) : 0;
	if (n == 0)
		n = boot(s);
	if (n < 0)
		return n;
	s->has_cpu = true;
	return SOFT_HANDLE_CPU;
}

static int enable(struct soft_device *s, const struct kvm_enable_cap *c)
{
	if (c->cap == KVM_CAP_SPLIT_IRQCHIP && s->kind == MONITOR_TDX)
		return soft_tdx_split_irqchip(s, c);
	if (c->cap != KVM_CAP_EXIT_HYPERCALL || c->flags ||
		(c->args[0] & ~(1ull << KVM_HC_MAP_GPA_RANGE)))
		return -EINVAL;
	s->private.hypercalls = c->args[0] != 0;
	return 0;
}

int soft_kvm_machine(struct soft_device *s, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR:
		return 0;
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory_1(s, arg);
	case SPEC_KVM_SET_USER_MEMORY_REGION2:
		return set_memory(s, arg);
	case SPEC_KVM_SET_MEMORY_ATTRIBUTES:
		return soft_private_attributes(s, arg);
	case SPEC_KVM_CREATE_GUEST_MEMFD:
		return soft_private_create(s, arg);
	case KVM_MEMORY_ENCRYPT_OP:
		return s->kind == MONITOR_TDX ? soft_tdx_vm_op(s, arg) :
						soft_snp_encrypt_op(s, arg);
	case KVM_ENABLE_CAP:
		return enable(s, arg);
	case KVM_CREATE_VCPU:
		return create_cpu(s, (uintptr_t)arg);
	case KVM_CHECK_EXTENSION:
		return check_extension((uintptr_t)arg);
	default:
		return -ENOTTY;
	}
}

int soft_kvm_begin(struct soft_device *s)
{
	struct err e;
	if (s->begun)
		return 0;
	if (!s->has_cpu)
		return -EINVAL;
	if (!soft_machine_ready(&s->machine, &e))
		return soft_failed(s);
	/* A domain's is its module's. */
	bool td = s->kind == MONITOR_TDX;
	memcpy(s->machine.box->cpuid, td ? s->tdx.cpuid : s->cpuid,
		sizeof s->cpuid);
	s->machine.box->cpuid_count = td ? s->tdx.cpuid_count : s->cpuid_count;
	int n = call(s, MONITOR_GUEST, s->kind);
	s->begun = n == 0;
	s->snp.msr = 0;
	return n == 0 ? soft_private_begin(s) : n;
}

static int prepare(struct soft_device *s)
{
	int n = soft_kvm_begin(s);
	if (n == 0 && s->state_changed && s->kind == MONITOR_PLAIN) {
		soft_kvm_put_state(&s->sregs, &s->regs, &s->machine.box->state);
		n = call(s, MONITOR_STATE, 0);
		s->state_changed = n != 0;
	}
	return n;
}

/* --- KVM_RUN ------------------------------------------------------------ */

static void tell_io(const struct monitor_exit *x, struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = x->reason == MONITOR_EXIT_OUT ? KVM_EXIT_IO_OUT :
							    KVM_EXIT_IO_IN;
	run->io.size = (uint8_t)x->size;
	run->io.port = (uint16_t)x->port;
	run->io.count = 1;
	run->io.data_offset = SOFT_IO_DATA_AT;
	memcpy((uint8_t *)run + SOFT_IO_DATA_AT, &x->value, sizeof x->value);
}

int soft_kvm_tell(const struct monitor_exit *x, struct kvm_run *run)
{
	switch (x->reason) {
	case MONITOR_EXIT_KICKED:
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	case MONITOR_EXIT_OUT:
	case MONITOR_EXIT_IN:
		tell_io(x, run);
		return 0;
	case MONITOR_EXIT_HALT:
		run->exit_reason = KVM_EXIT_HLT;
		return 0;
	case MONITOR_EXIT_SHUTDOWN:
		run->exit_reason = KVM_EXIT_SHUTDOWN;
		return 0;
	case MONITOR_EXIT_MMIO:
		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.phys_addr = x->gpa;
		return 0;
	case MONITOR_EXIT_REFUSED:
		run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		return 0;
	default:
		run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		run->internal.suberror = (uint32_t)x->code;
		return 0;
	}
}

/* Not as the guest wants it: userspace has to see to that. */
int soft_kvm_tell_fault(const struct monitor_exit *x, struct kvm_run *run)
{
	const struct spec_kvm_fault f = { .gpa = x->gpa,
		.flags = x->size ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0,
		.size = PAGE_BYTES };
	run->exit_reason = SPEC_KVM_EXIT_MEMORY_FAULT;
	memcpy((uint8_t *)run + SPEC_KVM_RUN_UNION, &f, sizeof f);
	return -EFAULT;
}

static int enter_snp(struct soft_device *s, struct kvm_run *run)
{
	struct monitor_exit x;
	if (!s->snp.launched)
		return -EINVAL;
	enum soft_turn turn = soft_ghcb_answer(s, run);
	while (turn == SOFT_GUEST) {
		soft_ghcb_scribble(s);
		s->machine.box->exit.msr = s->snp.msr;
		if (!soft_machine_run(&s->machine, &x))
			return soft_failed(s);
		if (x.reason == MONITOR_EXIT_FAULT)
			return soft_kvm_tell_fault(&x, run);
		if (x.reason != MONITOR_EXIT_VMGEXIT)
			return soft_kvm_tell(&x, run);
		s->snp.msr = x.msr;
		turn = soft_ghcb_exit(s, run);
	}
	return turn == SOFT_HOST ? 0 : -EINVAL;
}

int soft_kvm_enter(struct soft_device *s, struct kvm_run *run)
{
	struct monitor_exit x;
	if (s->broken || !s->has_cpu)
		return -EIO;
	int n = prepare(s);
	if (n < 0)
		return n;
	if (s->kind == MONITOR_SNP)
		return enter_snp(s, run);
	if (s->kind == MONITOR_TDX)
		return soft_tdx_enter(s, run);
	memcpy(&s->machine.box->exit.value, (uint8_t *)run + SOFT_IO_DATA_AT,
		sizeof x.value);
	return soft_machine_run(&s->machine, &x) ? soft_kvm_tell(&x, run) :
						   soft_failed(s);
}

/* Its save area is none that the firmware took, or none that this platform has
 * a processor for. */
int soft_kvm_enter_other(struct soft_device *s, struct kvm_run *run)
{
	if (!s->other.there || (!s->snp.launched && !s->tdx.runnable))
		return -EINVAL;
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = ~0ull;
	return 0;
}
