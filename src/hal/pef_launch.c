/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of KVM-HV that wants to be secure: images in its memory, a device
 * tree that tells an ultravisor where they are, one processor at the shim.
 */
#include <stdlib.h>

#include "base/fmt.h"
#include "esm/fdt.h"
#include "hal/pef_priv.h"
#include "hal/process_priv.h"
#include "soft/power.h"
#include "spec/pef.h"

/* SF, ME, LE: real mode. */
#define FIRST_MSR (1ull << 63 | 1ull << 12 | 1ull)

static const uint8_t rtas[] = PEF_RTAS_CODE;

/* Where what the ultravisor reads is, behind the images. */
struct places {
	uint64_t rtas, blob, tree;
};

static struct places places_of(const struct vm_machine *m)
{
	uint64_t at =
		(m->images.end + PEF_UNIT - 1) & ~(uint64_t)(PEF_UNIT - 1);
	return (struct places){ at, at + PEF_UNIT, at + 2 * PEF_UNIT };
}

/* --- the machine ----------------------------------------------------------
 */

static bool enable(struct device *d, int handle, uint32_t cap, struct err *e)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { 1 } };
	int n = device_ioctl(d, handle, KVM_ENABLE_CAP, &c);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "KVM_ENABLE_CAP %u: %s", cap,
			strerror(-n));
}

static bool open_machine(struct vm_machine *m, const struct hal_config *cfg,
	struct err *e)
{
	return vm_machine_open(m, &vm_soft_power, cfg, SPEC_KVM_VM_PPC_HV, e) &&
		enable(m->device, m->vm, SPEC_KVM_CAP_PPC_SECURE_GUEST, e) &&
		vm_machine_map(m, 0, PEF_WINDOW_GPA, m->window, VM_WINDOW_BYTES,
			e) &&
		vm_machine_map(m, 1, 0, m->ram, m->ram_bytes, e);
}

/* --- what an ultravisor finds ----------------------------------------------
 */

static bool digests_of(const struct vm_machine *m, struct esm_digests *out,
	struct err *e)
{
	return esm_digest(BYTES_ARRAY(rtas),
		bytes_of(m->ram, m->images.head.bytes),
		bytes_of(m->ram + m->images.exec_at, m->images.exec_bytes),
		BYTES_NONE, out, e);
}

/* The owner's, which is beside the software root; on the software platform
 * one that its own root makes where there is none. */
static bool get_blob(struct pef_machine *p, const struct hal_config *cfg,
	struct err *e)
{
	struct esm_digests d;
	if (!vm_file_beside_root(cfg, "pef-blob", PEF_BLOB_MAX, &p->blob, e))
		return false;
	if (p->blob.len)
		return true;
	if (cfg->platform != HAL_SOFTWARE)
		return err_fail(e, ERR_HOST,
			"no ESM blob in pef-blob beside the software root: its "
			"owner makes one with donjon key pef");
	return digests_of(&p->m, &d, e) &&
		soft_power_seal(p->m.device, &d, &p->blob, &p->vouch, e);
}

static bool make_tree(const struct pef_machine *p, const struct places *at,
	struct buf *out, struct err *e)
{
	const struct vm_machine *m = &p->m;
	struct fdt_out o = { 0 };
	fdt_begin(&o, "");
	fdt_property_u32(&o, "#address-cells", 2);
	fdt_property_u32(&o, "#size-cells", 2);
	fdt_begin(&o, "rtas");
	fdt_property_u64(&o, "linux,rtas-base", at->rtas);
	fdt_property_u32(&o, "rtas-size", PEF_UNIT);
	fdt_property_u32(&o, "slof,rtas-size", sizeof rtas);
	fdt_end(&o);
	fdt_begin(&o, "chosen");
	fdt_property(&o, "bootargs", bytes_of("", 1));
	fdt_property_u64(&o, "linux,initrd-start", m->images.exec_at);
	fdt_property_u64(&o, "linux,initrd-end",
		m->images.exec_at + m->images.exec_bytes);
	fdt_property_u64(&o, "linux,esm-blob-start", at->blob);
	fdt_property_u64(&o, "linux,esm-blob-end", at->blob + p->blob.len);
	fdt_end(&o);
	fdt_end(&o);
	return fdt_finish(&o, out, e);
}

static bool place_parts(struct pef_machine *p, const struct places *at,
	struct err *e)
{
	struct vm_machine *m = &p->m;
	auto_buf tree = { .len = 0 };
	if (at->tree + PEF_TREE_BYTES > m->ram_bytes)
		return err_fail(e, ERR_LIMIT, "no room for the device tree");
	if (!make_tree(p, at, &tree, e))
		return false;
	memcpy(m->ram + at->rtas, rtas, sizeof rtas);
	memcpy(m->ram + at->blob, p->blob.ptr, p->blob.len);
	memcpy(m->ram + at->tree, tree.ptr, tree.len);
	return true;
}

/* --- the processor ---------------------------------------------------------
 */

static bool add_cpu(struct vm_machine *m, const struct places *at,
	struct err *e)
{
	struct device *d = m->device;
	uint64_t lpcr = SPEC_LPCR_ILE;
	struct kvm_one_reg one = { SPEC_KVM_REG_PPC_LPCR_64, (uintptr_t)&lpcr };
	struct spec_kvm_ppc_regs r = {
		.pc = m->images.head.entry - VM_SHIM_VA,
		.msr = FIRST_MSR,
	};
	r.gpr[3] = at->tree;
	int bytes = device_ioctl(d, m->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (bytes < (int)sizeof(struct kvm_run))
		return err_fail(e, ERR_HOST, "KVM_GET_VCPU_MMAP_SIZE: %d",
			bytes);
	m->cpu.run_bytes = (size_t)bytes;
	m->cpu.report = (void *)(m->window + VM_REPORT_AT);
	if (!vm_cpu_init(&m->cpu, d, m->vm, e) ||
		!enable(d, m->cpu.handle, SPEC_KVM_CAP_PPC_PAPR, e))
		return false;
	int n = device_ioctl(d, m->cpu.handle, SPEC_KVM_PPC_SET_REGS, &r);
	if (n >= 0)
		n = device_ioctl(d, m->cpu.handle, KVM_SET_ONE_REG, &one);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "set processor: %s", strerror(-n));
}

bool pef_launch(struct pef_machine *p, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct vm_machine *m = &p->m;
	if (!open_machine(m, cfg, e) ||
		!vm_images_load(cfg->image_dir, tech, m->ram, m->ram_bytes,
			&m->images, e))
		return false;
	if (cfg->debug)
		vm_images_debug(&m->images, m->ram);
	vm_images_fill(&m->images, 0, m->ram);
	const struct places at = places_of(m);
	return get_blob(p, cfg, e) && place_parts(p, &at, e) &&
		add_cpu(m, &at, e);
}

void pef_machine_fini(struct pef_machine *p)
{
	vm_machine_fini(&p->m);
	buf_fini(&p->blob);
	buf_fini(&p->vouch);
}
