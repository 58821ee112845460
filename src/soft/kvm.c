/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's KVM, as far as hal/ asks it (Documentation/virt/kvm/api.rst). */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "arch/x86_64/cpu.h"
#include "soft/device_priv.h"

/* RAM that the monitor has for tables: all pages by 4 KiB, twice. */
enum { TABLES_LEAST = 4 << 20, RAM_LEAST = 32 << 20 };

/* What pages of the shared file the guest has. */
static uint64_t guest_bytes(const struct soft_device *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < MONITOR_SLOTS; i++)
		sum += s->machine.box->slots[i].bytes;
	return sum;
}

static int failed(struct soft_device *s)
{
	s->broken = true;
	return -EIO;
}

static int call(struct soft_device *s, enum monitor_op op, uint64_t a)
{
	struct err e;
	if (soft_machine_call(&s->machine, op, (uint64_t[4]){ a }, &e))
		return 0;
	return failed(s);
}

/* --- time -------------------------------------------------------------------
 */

static struct soft_clock clocks(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (struct soft_clock){ cpu_rdtsc(),
		(int64_t)t.tv_sec * 1000000000 + t.tv_nsec };
}

void soft_kvm_clock_start(struct soft_device *s)
{
	s->begin = clocks();
}

/* QEMU's processor counts as the host's does.  Measured since the device was
 * made: longer than a machine needs to start. */
static int tsc_khz(const struct soft_device *s)
{
	struct soft_clock now = clocks();
	int64_t ns = now.ns - s->begin.ns;
	if (ns <= 0)
		return -EIO;
	unsigned __int128 ticks = now.tsc - s->begin.tsc;
	return (int)(ticks * 1000000 / (unsigned __int128)ns);
}

/* --- /dev/kvm ----------------------------------------------------------------
 */

static int create_vm(struct soft_device *s, const void *type)
{
	if (s->has_vm || type)
		return -EINVAL;
	s->has_vm = true;
	return SOFT_HANDLE_VM;
}

static int supported_cpuid(struct soft_device *s, struct kvm_cpuid2 *c)
{
	struct monitor_box *b = s->machine.box;
	if (!s->has_cpu)
		return -EINVAL;
	int n = call(s, MONITOR_CPUID, 0);
	if (n < 0)
		return n;
	if (b->cpuid_count > MONITOR_CPUIDS || c->nent < b->cpuid_count)
		return -E2BIG;
	c->nent = b->cpuid_count;
	for (uint32_t i = 0; i < c->nent; i++) {
		const struct monitor_cpuid *from = &b->cpuid[i];
		c->entries[i] = (struct kvm_cpuid_entry2){
			.function = from->leaf,
			.index = from->sub,
			.flags = from->by_sub ?
				KVM_CPUID_FLAG_SIGNIFCANT_INDEX :
				0,
			.eax = from->eax,
			.ebx = from->ebx,
			.ecx = from->ecx,
			.edx = from->edx,
		};
	}
	return 0;
}

static int check_extension(uintptr_t what)
{
	return what == KVM_CAP_IMMEDIATE_EXIT || what == KVM_CAP_USER_MEMORY;
}

int soft_kvm_system(struct soft_device *s, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return KVM_API_VERSION;
	case KVM_CHECK_EXTENSION:
		return check_extension((uintptr_t)arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return (int)(sizeof(struct kvm_run) + PAGE_BYTES - 1) &
			~(int)(PAGE_BYTES - 1);
	case KVM_CREATE_VM:
		return create_vm(s, arg);
	case KVM_GET_SUPPORTED_CPUID:
		return supported_cpuid(s, arg);
	default:
		return -EINVAL;
	}
}

/* --- a virtual machine -------------------------------------------------------
 */

static bool overlaps(const struct monitor_slot *a, uint64_t gpa, uint64_t bytes)
{
	return a->bytes && gpa < a->gpa + a->bytes && a->gpa < gpa + bytes;
}

static int set_memory(struct soft_device *s,
	const struct kvm_userspace_memory_region *r)
{
	struct monitor_slot *slots = s->machine.box->slots;
	uint64_t at, end;
	if (r->slot >= MONITOR_SLOTS || r->flags ||
		(r->guest_phys_addr | r->memory_size | r->userspace_addr) %
			PAGE_BYTES ||
		__builtin_add_overflow(r->guest_phys_addr, r->memory_size,
			&end))
		return -EINVAL;
	for (uint32_t i = 0; i < MONITOR_SLOTS; i++)
		if (i != r->slot &&
			overlaps(&slots[i], r->guest_phys_addr, r->memory_size))
			return -EEXIST;
	if (!soft_machine_locate(&s->machine, (void *)r->userspace_addr,
		    r->memory_size, &at))
		return -EFAULT;
	slots[r->slot] = (struct monitor_slot){ .gpa = r->guest_phys_addr,
		.bytes = r->memory_size,
		.shared_at = at };
	return s->begun ? call(s, MONITOR_SLOT, r->slot) : 0;
}

/* QEMU starts now: from here on nothing is asked that needs no processor. */
static int create_cpu(struct soft_device *s, const void *number)
{
	struct err e;
	if (s->has_cpu || number)
		return -EINVAL;
	uint64_t tables = TABLES_LEAST + guest_bytes(s) / 256;
	tables &= ~(uint64_t)(PAGE_BYTES - 1);
	struct soft_start start = {
		.image = s->image,
		.tables_end = MONITOR_TABLES_HPA + tables,
		.ram_bytes = RAM_LEAST + tables,
		.uid = s->uid,
		.change_id = s->change_id,
	};
	if (!soft_machine_start(&s->machine, &start, &e))
		return failed(s);
	s->has_cpu = true;
	return SOFT_HANDLE_CPU;
}

int soft_kvm_machine(struct soft_device *s, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_SET_TSS_ADDR:
	case KVM_SET_IDENTITY_MAP_ADDR:
		return 0;
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory(s, arg);
	case KVM_CREATE_VCPU:
		return create_cpu(s, arg);
	case KVM_CHECK_EXTENSION:
		return check_extension((uintptr_t)arg);
	default:
		return -ENOTTY;
	}
}

/* --- its processor -----------------------------------------------------------
 */

static int set_cpuid(struct soft_device *s, const struct kvm_cpuid2 *c)
{
	struct monitor_box *b = s->machine.box;
	if (s->begun)
		return -EINVAL;
	if (c->nent > MONITOR_CPUIDS)
		return -E2BIG;
	for (uint32_t i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *from = &c->entries[i];
		b->cpuid[i] = (struct monitor_cpuid){
			.leaf = from->function,
			.sub = from->index,
			.by_sub = from->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = from->eax,
			.ebx = from->ebx,
			.ecx = from->ecx,
			.edx = from->edx,
		};
	}
	b->cpuid_count = c->nent;
	return 0;
}

int soft_kvm_cpu(struct soft_device *s, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_SET_CPUID2:
		return set_cpuid(s, arg);
	case KVM_GET_TSC_KHZ:
		return tsc_khz(s);
	case KVM_GET_SREGS:
		memcpy(arg, &s->sregs, sizeof s->sregs);
		return 0;
	case KVM_SET_SREGS:
		memcpy(&s->sregs, arg, sizeof s->sregs);
		s->state_changed = true;
		return 0;
	case KVM_SET_REGS:
		memcpy(&s->regs, arg, sizeof s->regs);
		s->state_changed = true;
		return 0;
	default:
		return -ENOTTY;
	}
}

static struct monitor_segment segment(const struct kvm_segment *g)
{
	uint32_t a = g->type & 15u;
	a |= (uint32_t)(g->s & 1) << 4 | (uint32_t)(g->dpl & 3) << 5;
	a |= (uint32_t)(g->present && !g->unusable) << 7;
	a |= (uint32_t)(g->avl & 1) << 8 | (uint32_t)(g->l & 1) << 9;
	a |= (uint32_t)(g->db & 1) << 10 | (uint32_t)(g->g & 1) << 11;
	return (struct monitor_segment){ .selector = g->selector,
		.attributes = (uint16_t)(g->unusable ? 0 : a),
		.limit = g->limit,
		.base = g->base };
}

static void put_general(const struct kvm_regs *r, struct monitor_state *out)
{
	const uint64_t all[MONITOR_GENERAL] = { r->rax, r->rcx, r->rdx, r->rbx,
		r->rsp, r->rbp, r->rsi, r->rdi, r->r8, r->r9, r->r10, r->r11,
		r->r12, r->r13, r->r14, r->r15 };
	memcpy(out->general, all, sizeof all);
	out->rip = r->rip;
	out->rflags = r->rflags;
}

/* What nobody can set has its value after a reset (volume 2, §14.1.3). */
static void put_state(struct soft_device *s)
{
	const struct kvm_sregs *g = &s->sregs;
	struct monitor_state t = { .dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.pat = 0x0007040600070406,
		.cr0 = g->cr0,
		.cr3 = g->cr3,
		.cr4 = g->cr4,
		.efer = g->efer };
	put_general(&s->regs, &t);
	t.es = segment(&g->es);
	t.cs = segment(&g->cs);
	t.ss = segment(&g->ss);
	t.ds = segment(&g->ds);
	t.fs = segment(&g->fs);
	t.gs = segment(&g->gs);
	t.ldtr = segment(&g->ldt);
	t.tr = segment(&g->tr);
	t.gdtr.limit = g->gdt.limit;
	t.gdtr.base = g->gdt.base;
	t.idtr.limit = g->idt.limit;
	t.idtr.base = g->idt.base;
	memcpy(&s->machine.box->state, &t, sizeof t);
}

static int prepare(struct soft_device *s)
{
	struct err e;
	int n = 0;
	if (!s->begun) {
		if (!soft_machine_ready(&s->machine, &e))
			return failed(s);
		n = call(s, MONITOR_GUEST, MONITOR_PLAIN);
		s->begun = n == 0;
	}
	if (n == 0 && s->state_changed) {
		put_state(s);
		n = call(s, MONITOR_STATE, 0);
		s->state_changed = n != 0;
	}
	return n;
}

/* --- KVM_RUN -----------------------------------------------------------------
 */

enum { IO_DATA_AT = sizeof(struct kvm_run) - 8 };

static void tell_io(const struct monitor_exit *x, struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = x->reason == MONITOR_EXIT_OUT ? KVM_EXIT_IO_OUT :
							    KVM_EXIT_IO_IN;
	run->io.size = (uint8_t)x->size;
	run->io.port = (uint16_t)x->port;
	run->io.count = 1;
	run->io.data_offset = IO_DATA_AT;
	memcpy((uint8_t *)run + IO_DATA_AT, &x->value, sizeof x->value);
}

static int tell(const struct monitor_exit *x, struct kvm_run *run)
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

int soft_kvm_enter(struct soft_device *s, struct kvm_run *run)
{
	struct monitor_exit x;
	if (s->broken || !s->has_cpu)
		return -EIO;
	int n = prepare(s);
	if (n < 0)
		return n;
	memcpy(&s->machine.box->exit.value, (uint8_t *)run + IO_DATA_AT,
		sizeof x.value);
	return soft_machine_run(&s->machine, &x) ? tell(&x, run) : failed(s);
}
