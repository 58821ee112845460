/* SPDX-License-Identifier: Apache-2.0 */
/* Linux's KVM-HV, as far as hal/pef.c asks it (Documentation/virt/kvm/api.rst).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "soft/device_priv.h"
#include "soft/power_priv.h"
#include "spec/papr.h"

enum {
	TABLES_BYTES = 4 << 20,
	RAM_LEAST = 1 << 30, /* what a machine of that kind has */
	RAM_UNIT = 64 << 20,
};

static struct soft_power *self(struct device *d)
{
	return (struct soft_power *)(void *)d;
}

static int failed(struct soft_power *s)
{
	s->broken = true;
	return -EIO;
}

static int call(struct soft_power *s, enum monitor_op op, uint64_t a)
{
	struct err e;
	return soft_machine_call(&s->machine, op, (uint64_t[4]){ a }, &e) ?
		0 :
		failed(s);
}

/* --- /dev/kvm ----------------------------------------------------------- */

static int check_extension(uintptr_t what)
{
	switch (what) {
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_USER_MEMORY:
	case SPEC_KVM_CAP_PPC_PAPR:
	case SPEC_KVM_CAP_PPC_MMU_RADIX:
	case SPEC_KVM_CAP_PPC_SECURE_GUEST:
		return 1;
	default:
		return 0;
	}
}

static int create_vm(struct soft_power *s, uintptr_t type)
{
	if (s->has_vm || type != SPEC_KVM_VM_PPC_HV)
		return -EINVAL;
	s->has_vm = true;
	return SOFT_HANDLE_VM;
}

static int system_call(struct soft_power *s, unsigned long request, void *arg)
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
	default:
		return -EINVAL;
	}
}

/* --- a virtual machine -------------------------------------------------- */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* Where what is in QEMU's RAM; its size. */
static uint64_t lay_out(struct soft_power *s)
{
	struct monitor_box *b = s->machine.box;
	uint64_t all = 0;
	for (size_t i = 0; i < MONITOR_SLOTS; i++)
		all += b->slots[i].bytes;
	b->tables_end = MONITOR_TABLES_HPA + TABLES_BYTES + all / 1024;
	b->tables_end = round_up(b->tables_end, UV_PAGE_BYTES);
	b->attributes_hpa = b->tables_end;
	b->private_hpa = round_up(b->attributes_hpa + all / UV_PAGE_BYTES,
		UV_PAGE_BYTES);
	b->private_end = b->private_hpa;
	for (size_t i = 0; i < MONITOR_SLOTS; i++) {
		b->slots[i].private_hpa = b->private_end;
		b->private_end += b->slots[i].bytes;
	}
	uint64_t ram = round_up(b->private_end, RAM_UNIT);
	return ram < RAM_LEAST ? RAM_LEAST : ram;
}

static bool region_ok(const struct soft_power *s,
	const struct kvm_userspace_memory_region *r)
{
	const struct monitor_slot *slots = s->machine.box->slots;
	uint64_t end;
	if (r->slot >= MONITOR_SLOTS || r->flags ||
		(r->guest_phys_addr | r->memory_size) % UV_PAGE_BYTES ||
		__builtin_add_overflow(r->guest_phys_addr, r->memory_size,
			&end) ||
		end >> 44)
		return false;
	for (uint32_t i = 0; i < MONITOR_SLOTS; i++)
		if (i != r->slot && slots[i].bytes &&
			r->guest_phys_addr < slots[i].gpa + slots[i].bytes &&
			slots[i].gpa < end)
			return false;
	return true;
}

static int set_memory(struct soft_power *s,
	const struct kvm_userspace_memory_region *r)
{
	struct monitor_slot *slot;
	uint64_t at;
	if (!region_ok(s, r) || (s->machine.pid && !s->begun))
		return -EINVAL;
	if (!soft_machine_locate(&s->machine, (void *)r->userspace_addr,
		    r->memory_size, &at))
		return -EFAULT;
	slot = &s->machine.box->slots[r->slot];
	/* The ultravisor's is all that a secure guest has, and stays so. */
	if (s->begun &&
		(r->guest_phys_addr != slot->gpa ||
			r->memory_size != slot->bytes))
		return -EINVAL;
	slot->gpa = r->guest_phys_addr;
	slot->bytes = r->memory_size;
	slot->shared_at = at;
	return s->begun ? call(s, MONITOR_SLOT, r->slot) : 0;
}

static int create_cpu(struct soft_power *s, uintptr_t number)
{
	struct err e;
	if (s->has_cpu || number || s->machine.pid)
		return -EINVAL;
	const struct soft_start start = {
		.board = &soft_board_power,
		.image = s->image,
		.gdb = s->gdb,
		.ram_bytes = lay_out(s),
		.uid = s->uid,
		.change_id = s->change_id,
	};
	if (!soft_machine_start(&s->machine, &start, &e))
		return failed(s);
	s->has_cpu = true;
	return SOFT_HANDLE_CPU;
}

static int begin(struct soft_power *s)
{
	struct monitor_state *t = &s->machine.box->state;
	struct err e;
	if (s->begun)
		return 0;
	if (!soft_machine_ready(&s->machine, &e))
		return failed(s);
	*t = (struct monitor_state){ .rip = s->regs.pc, .rflags = s->regs.msr };
	memcpy(t->general, &s->regs.gpr[3],
		POWER_WORDS * sizeof s->regs.gpr[0]);
	int n = call(s, MONITOR_GUEST, MONITOR_PEF);
	s->begun = n == 0;
	return n;
}

static int set_tables(struct soft_power *s,
	const struct spec_kvm_ppc_mmuv3_cfg *c)
{
	struct err e;
	if (!(c->flags & SPEC_KVM_PPC_MMUV3_RADIX) || !s->begun)
		return -EINVAL;
	/* The ultravisor refuses what the guest did not ask for. */
	return soft_machine_call(&s->machine, MONITOR_PEF_PROCESSES,
		       (uint64_t[4]){ c->process_table }, &e) ?
		0 :
		-EINVAL;
}

static int machine_call(struct soft_power *s, unsigned long request, void *arg)
{
	const struct kvm_enable_cap *c = arg;
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return check_extension((uintptr_t)arg);
	case KVM_SET_USER_MEMORY_REGION:
		return set_memory(s, arg);
	case KVM_CREATE_VCPU:
		return create_cpu(s, (uintptr_t)arg);
	case KVM_ENABLE_CAP:
		if (c->cap != SPEC_KVM_CAP_PPC_SECURE_GUEST || c->flags)
			return -EINVAL;
		s->may_secure = c->args[0] != 0;
		return 0;
	case SPEC_KVM_PPC_CONFIGURE_V3_MMU:
		return set_tables(s, arg);
	default:
		return -ENOTTY;
	}
}

/* --- its processor ------------------------------------------------------ */

static int cpu_call(struct soft_power *s, unsigned long request, void *arg)
{
	const struct kvm_enable_cap *c = arg;
	const struct kvm_one_reg *r = arg;
	switch (request) {
	case KVM_ENABLE_CAP:
		if (c->cap != SPEC_KVM_CAP_PPC_PAPR || c->flags)
			return -EINVAL;
		s->papr = true;
		return 0;
	case SPEC_KVM_PPC_SET_REGS:
		/* A guest that runs is not asked, a secure one can't be. */
		if (s->begun)
			return -EINVAL;
		memcpy(&s->regs, arg, sizeof s->regs);
		return 0;
	case KVM_SET_ONE_REG:
		return r->id == SPEC_KVM_REG_PPC_LPCR_64 ? 0 : -EINVAL;
	default:
		return -ENOTTY;
	}
}

/* --- KVM_RUN ------------------------------------------------------------ */

static void take_answer(struct soft_power *s, const struct kvm_run *run)
{
	struct spec_kvm_hcall h;
	uint64_t *g = s->machine.box->state.general;
	if (!s->asked)
		return;
	s->asked = false;
	memcpy(&h, (const uint8_t *)run + SPEC_KVM_RUN_UNION, sizeof h);
	g[0] = h.ret;
	memcpy(&g[1], h.args, sizeof h.args);
	if (s->scribble)
		s->scribble(s->scribble_ctx, g);
}

static int tell_hypercall(struct soft_power *s, struct kvm_run *run)
{
	const uint64_t *g = s->machine.box->state.general;
	struct spec_kvm_hcall h = { .nr = g[0], .ret = (uint64_t)H_FUNCTION };
	memcpy(h.args, &g[1], sizeof h.args);
	memcpy((uint8_t *)run + SPEC_KVM_RUN_UNION, &h, sizeof h);
	run->exit_reason = KVM_EXIT_PAPR_HCALL;
	s->asked = true;
	return 0;
}

/* The ultravisor's own, which no guest may make. */
static bool is_ultravisors(uint64_t nr)
{
	return nr >= H_SVM_PAGE_IN && nr <= H_SVM_INIT_ABORT;
}

static int tell(const struct monitor_exit *x, struct kvm_run *run)
{
	switch (x->reason) {
	case MONITOR_EXIT_KICKED:
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	case MONITOR_EXIT_MMIO:
		run->exit_reason = KVM_EXIT_MMIO;
		run->mmio.phys_addr = x->gpa;
		return 0;
	case MONITOR_EXIT_FAULT:
	case MONITOR_EXIT_SHUTDOWN:
		run->exit_reason = KVM_EXIT_SHUTDOWN;
		return 0;
	default:
		run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		return 0;
	}
}

static int run_guest(struct soft_power *s, struct kvm_run *run)
{
	uint64_t *g = s->machine.box->state.general;
	struct monitor_exit x;
	struct err e;
	for (;;) {
		if (!soft_machine_run(&s->machine, &x))
			return failed(s);
		if (x.reason == MONITOR_EXIT_UCALL) {
			if (!soft_ultracall(s, g, &e))
				return failed(s);
		} else if (x.reason != MONITOR_EXIT_HCALL) {
			return tell(&x, run);
		} else if (is_ultravisors(g[0])) {
			g[0] = (uint64_t)H_FUNCTION;
		} else {
			return tell_hypercall(s, run);
		}
	}
}

/* --- operations --------------------------------------------------------- */

static int power_open(struct device *d, const char *path)
{
	(void)d;
	return !strcmp(path, "/dev/kvm") ? SOFT_HANDLE_KVM : -ENOENT;
}

static int power_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	switch (handle) {
	case SOFT_HANDLE_KVM:
		return system_call(self(d), request, arg);
	case SOFT_HANDLE_VM:
		return machine_call(self(d), request, arg);
	case SOFT_HANDLE_CPU:
		return cpu_call(self(d), request, arg);
	default:
		return -EBADF;
	}
}

static void *power_map(struct device *d, int handle, size_t len)
{
	(void)d;
	return handle == SOFT_HANDLE_CPU && len >= sizeof(struct kvm_run) ?
		calloc(1, len) :
		NULL;
}

static void power_unmap(struct device *d, void *at, size_t len)
{
	(void)d;
	(void)len;
	free(at);
}

static void *power_memory(struct device *d, size_t len)
{
	return soft_machine_memory(&self(d)->machine, len);
}

static void power_memory_free(struct device *d, void *at, size_t len)
{
	(void)len;
	soft_machine_memory_free(&self(d)->machine, at);
}

static void power_memory_drop(struct device *d, void *at, size_t len)
{
	(void)d;
	madvise(at, len, MADV_REMOVE);
}

static int power_enter(struct device *d, int handle, void *run)
{
	struct soft_power *s = self(d);
	if (handle != SOFT_HANDLE_CPU)
		return -EBADF;
	if (s->broken || !s->has_cpu || !s->papr)
		return -EIO;
	int n = begin(s);
	if (n < 0)
		return n;
	take_answer(s, run);
	return run_guest(s, run);
}

static void power_kick(struct device *d, int handle, void *run)
{
	(void)handle;
	(void)run;
	soft_machine_kick(&self(d)->machine);
}

static void power_close(struct device *d, int handle)
{
	(void)d;
	(void)handle;
}

static pid_t power_child(struct device *d)
{
	return self(d)->machine.pid;
}

static int power_ended(struct device *d)
{
	return self(d)->machine.peer;
}

static void power_free(struct device *d)
{
	struct soft_power *s = self(d);
	soft_machine_fini(&s->machine);
	crypto_wrap_free(s->tpm);
	soft_root_close(s->root);
	buf_fini(&s->blob);
	explicit_bzero(s->symkey, sizeof s->symkey);
	cleanup_fd(&s->image);
	cleanup_fd(&s->gdb);
	free(s);
}

const struct device_ops soft_power_ops = {
	.open = power_open,
	.ioctl = power_ioctl,
	.map = power_map,
	.unmap = power_unmap,
	.memory = power_memory,
	.memory_free = power_memory_free,
	.memory_drop = power_memory_drop,
	.enter = power_enter,
	.kick = power_kick,
	.close = power_close,
	.child = power_child,
	.ended = power_ended,
	.free = power_free,
};

/* --- making it ---------------------------------------------------------- */

bool soft_power_probe(const char *image_dir, struct err *e)
{
	return soft_image_probe(image_dir, "monitor-ppc64le", e) &&
		soft_board_find(&soft_board_power, NULL, e);
}

bool soft_power_new(const struct soft_config *c, struct device **out,
	struct err *e)
{
	struct soft_power *s = calloc(1, sizeof *s);
	if (!s)
		return err_fail(e, ERR_LIMIT, "software platform: no memory");
	s->device.ops = &soft_power_ops;
	s->uid = c->uid;
	s->change_id = c->change_id;
	s->image = s->gdb = -1;
	if (!soft_machine_init(&s->machine, e) ||
		!soft_image_load(c->image_dir, "monitor-ppc64le", &s->image,
			e) ||
		!soft_gdb_listen(c->gdb_path, &s->gdb, e) ||
		!soft_root_open(c->root_path, &s->root, e) ||
		!soft_power_tpm(c->root_path, &s->tpm, e)) {
		power_free(&s->device);
		return err_wrap(e, "software platform");
	}
	*out = &s->device;
	return true;
}

const char *soft_power_refused(const struct device *d)
{
	const struct soft_power *s = (const struct soft_power *)(const void *)d;
	return d->ops == &soft_power_ops ? s->refused.text : "";
}

void soft_power_scribbles(struct device *d, soft_power_scribble *f, void *ctx)
{
	self(d)->scribble = f;
	self(d)->scribble_ctx = ctx;
}
