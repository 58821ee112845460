/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trust domain by Linux's upstream interface (Documentation/virt/kvm/x86/
 * intel-tdx.rst).  RAM is private from the start; the window is not.
 */
#include <errno.h>
#include <stdlib.h>

#include "hal/tdx_priv.h"
#include "spec/kvm.h"

enum {
	SLOT_WINDOW,
	SLOT_RAM,
	SLOT_RESET,
	SLOT_HIGH_RAM,
	CPUID_MAX = 256,
	TRIES = 64,
	IRQ_PINS = 24,
	GPAW_SHIFT = 16,
};

/* State that a domain may have, and this loader wants it to: x87, SSE, AVX;
 * AVX-512 all or not at all. */
#define XFAM_BASE   7ull
#define XFAM_AVX512 0xe0ull

/* No RAM is there: VM_RESET_GPA's page is alone in its 2 MiB. */
#define HOLE_BEGIN (VM_RESET_GPA & ~(uint64_t)(VM_IMAGE_ALIGN - 1))
#define HOLE_END   (HOLE_BEGIN + VM_IMAGE_ALIGN)

#define LEAF_SIZES 0x80000008u

static bool command(struct device *d, int handle, struct spec_kvm_tdx_cmd *c,
	const char *name, int *result, struct err *e)
{
	int n = device_ioctl(d, handle, KVM_MEMORY_ENCRYPT_OP, c);
	if (result)
		*result = n;
	return n >= 0 ||
		err_fail(e, ERR_HOST, "%s: %s, TDX module 0x%llx", name,
			strerror(-n), (unsigned long long)c->hw_error);
}

/* --- memory ----------------------------------------------------------------
 */

static bool map_ram(struct tdx_machine *t, struct err *e)
{
	struct vm_machine *m = &t->m;
	uint64_t end = VM_RAM_GPA + m->ram_bytes;
	struct vm_region low = { .slot = SLOT_RAM,
		.gpa = VM_RAM_GPA,
		.at = m->ram,
		.bytes = (end < HOLE_BEGIN ? end : HOLE_BEGIN) - VM_RAM_GPA,
		.memfd = t->memfd };
	struct vm_region high = { .slot = SLOT_HIGH_RAM,
		.gpa = HOLE_END,
		.memfd = t->memfd,
		.memfd_at = HOLE_END - VM_RAM_GPA };
	if (!vm_private_map(m, &low, e))
		return false;
	if (end <= HOLE_END)
		return true;
	high.at = m->ram + high.memfd_at;
	high.bytes = end - HOLE_END;
	return vm_private_map(m, &high, e);
}

static bool make_memory(struct tdx_machine *t, struct err *e)
{
	struct vm_machine *m = &t->m;
	const struct vm_region window = { .slot = SLOT_WINDOW,
		.gpa = VM_WINDOW_GPA,
		.at = m->window,
		.bytes = VM_WINDOW_BYTES,
		.memfd = -1 };
	t->reset = m->device->ops->memory(m->device, PAGE_BYTES);
	if (!t->reset)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!vm_private_make(m, m->ram_bytes, &t->memfd, e) ||
		!vm_private_make(m, PAGE_BYTES, &t->reset_memfd, e))
		return false;
	const struct vm_region reset = { .slot = SLOT_RESET,
		.gpa = VM_RESET_GPA,
		.at = t->reset,
		.bytes = PAGE_BYTES,
		.memfd = t->reset_memfd };
	return vm_private_map(m, &window, e) && map_ram(t, e) &&
		vm_private_map(m, &reset, e);
}

/* --- the domain ------------------------------------------------------------
 */

bool tdx_capabilities(struct device *d, int vm,
	struct spec_kvm_tdx_capabilities **out, struct err *e)
{
	struct spec_kvm_tdx_capabilities *c = calloc(1,
		sizeof *c + CPUID_MAX * sizeof(struct kvm_cpuid_entry2));
	if (!c)
		return err_fail(e, ERR_LIMIT, "no memory");
	c->cpuid.nent = CPUID_MAX;
	struct spec_kvm_tdx_cmd cmd = { .id = SPEC_KVM_TDX_CAPABILITIES,
		.data = (uintptr_t)c };
	if (!command(d, vm, &cmd, "KVM_TDX_CAPABILITIES", NULL, e)) {
		free(c);
		return false;
	}
	if (!(c->supported_attrs & TDX_ATTR_SEPT_VE_OFF) ||
		(c->supported_xfam & XFAM_BASE) != XFAM_BASE ||
		c->cpuid.nent > CPUID_MAX) {
		free(c);
		return err_fail(e, ERR_HOST,
			"the TDX module can't do without #VE for pages, or "
			"has no AVX");
	}
	*out = c;
	return true;
}

static const struct kvm_cpuid_entry2 *supported(const struct vm_machine *m,
	const struct kvm_cpuid_entry2 *like)
{
	for (uint32_t i = 0; i < m->cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *x = &m->cpuid->entries[i];
		if (x->function == like->function && x->index == like->index)
			return x;
	}
	return NULL;
}

/* Of what can be chosen: all that KVM supports; addresses of 48 bits. */
static void choose(const struct tdx_machine *t, struct kvm_cpuid2 *out)
{
	for (uint32_t i = 0; i < t->can->cpuid.nent; i++) {
		const struct kvm_cpuid_entry2 *may = &t->can->cpuid.entries[i];
		const struct kvm_cpuid_entry2 *has = supported(&t->m, may);
		struct kvm_cpuid_entry2 x = *may;
		x.eax &= has ? has->eax : 0;
		x.ebx &= has ? has->ebx : 0;
		x.ecx &= has ? has->ecx : 0;
		x.edx &= has ? has->edx : 0;
		if (x.function == LEAF_SIZES)
			x.eax = (x.eax & ~(0xffu << GPAW_SHIFT)) |
				(TDX_SHARED_BIT + 1) << GPAW_SHIFT;
		out->entries[out->nent++] = x;
	}
}

/* MRCONFIGID is the owner's: no host can change it later. */
static bool init_domain(struct tdx_machine *t, const struct hal_config *cfg,
	struct err *e)
{
	struct spec_kvm_tdx_init *i = calloc(1,
		sizeof *i + CPUID_MAX * sizeof(struct kvm_cpuid_entry2));
	uint64_t avx512 = t->can->supported_xfam & XFAM_AVX512;
	if (!i)
		return err_fail(e, ERR_LIMIT, "no memory");
	i->attributes = TDX_ATTR_SEPT_VE_OFF;
	/* Upstream kernels have no domains that can be debugged; what makes a
	 * debug Keep another one is measured. */
	if (cfg->debug)
		i->attributes |= t->can->supported_attrs & TDX_ATTR_DEBUG;
	i->xfam = XFAM_BASE | (avx512 == XFAM_AVX512 ? avx512 : 0);
	memcpy(i->mrconfigid, cfg->boot.owner_key_hash,
		sizeof cfg->boot.owner_key_hash);
	choose(t, &i->cpuid);
	struct spec_kvm_tdx_cmd cmd = { .id = SPEC_KVM_TDX_INIT_VM,
		.data = (uintptr_t)i };
	bool ok =
		command(t->m.device, t->m.vm, &cmd, "KVM_TDX_INIT_VM", NULL, e);
	free(i);
	return ok;
}

static bool make_cpu(struct tdx_machine *t, const struct hal_config *cfg,
	struct err *e)
{
	struct vm_machine *m = &t->m;
	struct spec_kvm_tdx_cmd cmd = { .id = SPEC_KVM_TDX_INIT_VCPU };
	return vm_machine_add_cpu(m, e) &&
		vm_machine_tell_cpu(m, cfg, GATE_TEE_TDX, e) &&
		command(m->device, m->cpu.handle, &cmd, "KVM_TDX_INIT_VCPU",
			NULL, e);
}

/* --- pages -----------------------------------------------------------------
 */

/* The kernel may stop half-way, and says how far it came. */
static bool give(struct tdx_machine *t, uint64_t gpa, const uint8_t *from,
	size_t bytes, struct err *e)
{
	struct spec_kvm_tdx_region g = { .source_addr = (uintptr_t)from,
		.gpa = gpa,
		.nr_pages = bytes / PAGE_BYTES };
	bool ok = true;
	for (unsigned i = 0; i < TRIES && g.nr_pages; i++) {
		struct spec_kvm_tdx_cmd cmd = {
			.id = SPEC_KVM_TDX_INIT_MEM_REGION,
			.flags = SPEC_KVM_TDX_MEASURE,
			.data = (uintptr_t)&g
		};
		int n;
		ok = command(t->m.device, t->m.cpu.handle, &cmd,
			"KVM_TDX_INIT_MEM_REGION", &n, e);
		if (!ok && n != -EAGAIN && n != -EINTR)
			break;
	}
	if (ok && g.nr_pages)
		ok = err_fail(e, ERR_HOST,
			"KVM_TDX_INIT_MEM_REGION: it never came to its end");
	return ok || err_wrap(e, "pages at 0x%llx", (unsigned long long)gpa);
}

static bool give_all(struct tdx_machine *t, struct err *e)
{
	const struct vm_images *v = &t->m.images;
	uint8_t *ram = t->m.ram;
	return give(t, VM_RAM_GPA, ram, v->head.bytes, e) &&
		give(t, VM_RESET_GPA, ram + v->head.reset, PAGE_BYTES, e) &&
		give(t, VM_RAM_GPA + v->exec_at, ram + v->exec_at,
			v->end - v->exec_at, e);
}

/* --- the launch ------------------------------------------------------------
 */

/* The TDX module has interrupts posted: KVM wants the APIC's half of them. */
static bool split_irqchip(struct vm_machine *m, struct err *e)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP,
		.args = { IRQ_PINS } };
	int n = device_ioctl(m->device, m->vm, KVM_ENABLE_CAP, &cap);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "KVM_CAP_SPLIT_IRQCHIP: %s",
			strerror(-n));
}

static bool init(struct tdx_machine *t, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct vm_machine *m = &t->m;
	if (!vm_machine_open(m, &vm_soft_pc, cfg, SPEC_KVM_TDX_VM, e) ||
		!vm_private_hypercalls(m, e) || !split_irqchip(m, e) ||
		!make_memory(t, e) ||
		!vm_images_load(cfg->image_dir, tech, m->ram, m->ram_bytes,
			&m->images, e))
		return false;
	if (!m->images.head.reset)
		return err_fail(e, ERR_HOST, "shim: it has no first page");
	return vm_machine_read_cpuid(m, e) &&
		tdx_capabilities(m->device, m->vm, &t->can, e) &&
		init_domain(t, cfg, e) && make_cpu(t, cfg, e);
}

bool tdx_launch(struct tdx_machine *t, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct spec_kvm_tdx_cmd end = { .id = SPEC_KVM_TDX_FINALIZE_VM };
	t->memfd = t->reset_memfd = -1;
	if (!init(t, tech, cfg, e))
		return false;
	if (cfg->debug)
		vm_images_debug(&t->m.images, t->m.ram);
	vm_images_fill(&t->m.images, 0, t->m.ram);
	return give_all(t, e) &&
		command(t->m.device, t->m.vm, &end, "KVM_TDX_FINALIZE_VM", NULL,
			e);
}

void tdx_machine_fini(struct tdx_machine *t)
{
	struct device *d = t->m.device;
	free(t->can);
	t->can = NULL;
	if (!d)
		return;
	vm_cpu_fini(&t->m.cpu);
	d->ops->close(d, t->memfd);
	d->ops->close(d, t->reset_memfd);
	d->ops->memory_free(d, t->reset, PAGE_BYTES);
	vm_machine_fini(&t->m);
}
