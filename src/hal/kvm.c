/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `kvm`: exec below a shim in a virtual machine of Linux's KVM.
 * It keeps the host from the Keep's faults and a Keep from its host's kernel,
 * not the host from the Keep: evidence is signed by the software root and
 * says so.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/hal_priv.h"
#include "hal/vm_priv.h"
#include "soft/root.h"

enum { REPORT_DATA_BYTES = 64 };

struct hal_keep {
	struct vm_served served; /* first */
	struct vm_machine m;
	struct soft_root *root;
	struct soft_facts facts; /* all but the report data */
};

static bool probe_real(const struct hal_config *cfg, struct err *e)
{
	struct device *d;
	int kvm = -1;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = vm_open_kvm(d, &kvm, e) && vm_probe(cfg, d, kvm, e);
	d->ops->close(d, kvm);
	d->ops->free(d);
	return ok;
}

static bool kvm_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	vm_device_probe(&vm_soft_pc, cfg, &hal_kvm, probe_real, &p);
	p.software = true;
	p.confidential = false;
	fmt(p.detail, sizeof p.detail,
		"virtual machine of %s; no protection from the host",
		p.emulated ? "the software platform" : "KVM");
	*out = p;
	return true;
}

static bool kvm_measure(const struct hal_config *cfg, uint8_t out[64],
	size_t *len, struct err *e)
{
	*len = CRYPTO_SHA384_BYTES;
	return vm_measure_files(cfg->image_dir, &hal_kvm, out, e);
}

/* --- launch ----------------------------------------------------------------
 */

/* The guest's word: nobody else writes there, and it is copied once. */
static enum vm_turn release(void *ctx, struct vm_cpu *c)
{
	struct hal_keep *k = ctx;
	struct vm_machine *m = &k->m;
	struct vm_release r;
	memcpy(&r, m->window + VM_RELEASE_AT, sizeof r);
	if (!vm_machine_may_drop(m, r.from, r.to - r.from)) {
		fmt(c->why, sizeof c->why, "it gives back memory of others");
		return VM_TURN_GONE;
	}
	m->device->ops->memory_drop(m->device, m->ram + (r.from - VM_RAM_GPA),
		r.to - r.from);
	return VM_TURN_AGAIN;
}

/* The Keep starts on one processor while exec's image, which nobody writes
 * to, is hashed on another. */
static bool start(struct hal_keep *k, struct err *e)
{
	struct vm_machine *m = &k->m;
	struct crypto_hash *h = NULL;
	if (k->facts.debug)
		vm_images_debug(&m->images, m->ram);
	if (!vm_measure_shim(m->ram, &m->images, &h, e))
		return false;
	vm_images_fill(&m->images, 0, m->ram);
	m->cpu.on_release = release;
	m->cpu.ctx = k;
	k->served = (struct vm_served){ &m->cpu, m->window };
	if (!vm_cpu_start(&m->cpu, e)) {
		crypto_hash_free(h);
		return false;
	}
	return vm_measure_exec(m->ram, &m->images, h, k->facts.measurement, e);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	struct vm_machine *m = &k->m;
	k->facts.tee = GATE_TEE_KVM;
	k->facts.debug = cfg->debug;
	memcpy(k->facts.owner_key_hash, cfg->boot.owner_key_hash,
		sizeof k->facts.owner_key_hash);
	return vm_machine_open(m, &vm_soft_pc, cfg, 0, e) &&
		vm_machine_map(m, 0, VM_WINDOW_GPA, m->window, VM_WINDOW_BYTES,
			e) &&
		vm_machine_map(m, 1, VM_RAM_GPA, m->ram, m->ram_bytes, e) &&
		vm_images_load(cfg->image_dir, &hal_kvm, m->ram, m->ram_bytes,
			&m->images, e) &&
		vm_machine_add_cpu(m, e) &&
		vm_machine_set_cpu(m, cfg, GATE_TEE_KVM, 0, e) && start(k, e) &&
		soft_root_open(cfg->root_path, &k->root, e);
}

static void kvm_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	vm_machine_fini(&k->m);
	soft_root_close(k->root);
	free(k);
}

static bool kvm_launch(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch kvm: no memory");
	if (!launch(k, cfg, e)) {
		kvm_destroy(k);
		return err_wrap(e, "launch kvm");
	}
	*out = k;
	return true;
}

/* --- serving ---------------------------------------------------------------
 */

static bool kvm_confine(struct hal_keep *k, struct err *e)
{
	return vm_confine(&k->m.cpu, k->m.uid, k->m.change_id, NULL, e);
}

static bool kvm_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	return soft_root_evidence(k->root, &k->facts, request, evidence,
		endorsements, e);
}

const struct hal_tech hal_kvm = {
	.name = "kvm",
	.tee = GATE_TEE_KVM,
	.rank = 2,
	.images = { .make = "make",
		.machine = EM_X86_64,
		.magic = VM_IMAGE_MAGIC,
		.version = VM_IMAGE_VERSION,
		.bytes_at = offsetof(struct vm_image_head, bytes) },
	.probe = kvm_probe,
	.measure = kvm_measure,
	.launch = kvm_launch,
	.confine = kvm_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = kvm_evidence,
	.destroy = kvm_destroy,
};
