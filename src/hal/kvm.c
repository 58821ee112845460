/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `kvm`: exec below a shim in a virtual machine of Linux's KVM.
 * It keeps the host from the Keep's faults and a Keep from its host's kernel,
 * not the host from the Keep: evidence is signed by the software root and
 * says so.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/hal_priv.h"
#include "hal/process_priv.h"
#include "hal/vm_priv.h"
#include "soft/root.h"

enum { REPORT_DATA_BYTES = 64, CPUID_MAX = 256 };

struct hal_keep {
	struct device *device;
	int kvm, vm;
	uint8_t *window, *ram;
	size_t ram_bytes;
	struct vm_images images;
	struct vm_cpu cpu;
	uid_t uid;
	bool change_id;
	struct soft_root *root;
	struct soft_facts facts; /* all but the report data */
};

/* --- probe -----------------------------------------------------------------
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

static bool open_kvm(struct device *d, int *kvm, struct err *e)
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

/* Running code takes milliseconds, and its result does not change. */
static bool runs_code(const struct hal_config *cfg, struct device *d, int kvm,
	struct err *e)
{
	struct hal_notes *n = cfg->notes;
	if (cfg->probed || (n && n->kvm == HAL_RUNS))
		return true;
	if (n && n->kvm == HAL_RUNS_NOT)
		return err_fail(e, ERR_HOST, "%s", n->kvm_why);
	bool ok = vm_probe(d, kvm, e);
	if (n) {
		n->kvm = ok ? HAL_RUNS : HAL_RUNS_NOT;
		fmt(n->kvm_why, sizeof n->kvm_why, "%.*s", 190,
			ok ? "" : e->text);
	}
	return ok;
}

static bool probe_device(const struct hal_config *cfg, struct err *e)
{
	struct device *d;
	int kvm = -1;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = open_kvm(d, &kvm, e) && runs_code(cfg, d, kvm, e);
	d->ops->close(d, kvm);
	d->ops->free(d);
	return ok;
}

static bool kvm_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { .software = true };
	struct err why = { 0 };
	char path[4096];
	fmt(p.detail, sizeof p.detail,
		"virtual machine of KVM; no protection from the host");
	fmt(path, sizeof path, "%s/kvm/shim", cfg->image_dir);
	if (access(path, R_OK) != 0)
		fmt(p.missing, sizeof p.missing, "no Keep image at %s: %s",
			path, strerror(errno));
	else if (!probe_device(cfg, &why))
		fmt(p.missing, sizeof p.missing, "%.*s", 180, why.text);
	else
		p.available = true;
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

static bool add_memory(struct hal_keep *k, uint32_t slot, uint64_t gpa,
	size_t bytes, uint8_t **out, struct err *e)
{
	*out = k->device->ops->memory(k->device, bytes);
	if (!*out)
		return err_fail(e, ERR_LIMIT, "no memory for %zu bytes", bytes);
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)*out,
	};
	int n = device_ioctl(k->device, k->vm, KVM_SET_USER_MEMORY_REGION, &r);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "memory at 0x%llx: %s",
			(unsigned long long)gpa, strerror(-n));
}

static bool make_vm(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	size_t ram;
	if (!size_add(cfg->boot.memory_bytes, VM_RAM_SLACK, &ram))
		return err_fail(e, ERR_INPUT, "more memory than there is");
	k->ram_bytes = ram & ~((size_t)VM_IMAGE_ALIGN - 1);
	k->vm = device_ioctl(k->device, k->kvm, KVM_CREATE_VM, NULL);
	if (k->vm < 0)
		return err_fail(e, ERR_HOST, "create machine: %s",
			strerror(-k->vm));
	vm_keep_clear(k->device, k->vm);
	return add_memory(k, 0, VM_WINDOW_GPA, VM_WINDOW_BYTES, &k->window,
		       e) &&
		add_memory(k, 1, VM_RAM_GPA, k->ram_bytes, &k->ram, e);
}

static uint64_t real_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void fill_window(struct hal_keep *k, const struct hal_config *cfg,
	uint32_t tsc_khz)
{
	const struct vm_hints hints = {
		.magic = VM_HINTS_MAGIC,
		.version = VM_HINTS_VERSION,
		.ram_bytes = k->ram_bytes,
		.real_ns = real_ns(),
		.tsc_khz = tsc_khz,
	};
	memcpy(k->window + VM_HINTS_AT, &hints, sizeof hints);
	struct gate_area *a = (void *)(k->window + VM_AREA_AT);
	a->magic = GATE_MAGIC;
	a->version = GATE_VERSION;
	a->boot = cfg->boot;
	a->boot.version = 1;
	a->boot.tee = GATE_TEE_KVM;
}

/* What the processor can, as the kernel passes it on; this is number 0. */
static bool set_cpuid(struct hal_keep *k, struct err *e)
{
	auto_free struct kvm_cpuid2 *c = calloc(1,
		sizeof *c + CPUID_MAX * sizeof(struct kvm_cpuid_entry2));
	if (!c)
		return err_fail(e, ERR_LIMIT, "no memory");
	c->nent = CPUID_MAX;
	int n = device_ioctl(k->device, k->kvm, KVM_GET_SUPPORTED_CPUID, c);
	if (n < 0)
		return err_fail(e, ERR_HOST, "KVM_GET_SUPPORTED_CPUID: %s",
			strerror(-n));
	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *x = &c->entries[i];
		if (x->function == 1)
			x->ebx = (x->ebx & 0xff00) | 1u << 16;
		if (x->function == 0xb || x->function == 0x1f)
			x->edx = 0;
	}
	n = device_ioctl(k->device, k->cpu.handle, KVM_SET_CPUID2, c);
	return n >= 0 ||
		err_fail(e, ERR_HOST, "KVM_SET_CPUID2: %s", strerror(-n));
}

static bool make_cpu(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	int bytes =
		device_ioctl(k->device, k->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	k->cpu.run_bytes = (size_t)bytes;
	k->cpu.report = (void *)(k->window + VM_REPORT_AT);
	if (bytes < (int)sizeof(struct kvm_run))
		return err_fail(e, ERR_HOST, "KVM_GET_VCPU_MMAP_SIZE: %d",
			bytes);
	if (!vm_cpu_init(&k->cpu, k->device, k->vm, e) || !set_cpuid(k, e))
		return false;
	int khz = device_ioctl(k->device, k->cpu.handle, KVM_GET_TSC_KHZ, NULL);
	fill_window(k, cfg, khz > 0 ? (uint32_t)khz : 0);
	return vm_cpu_reset(&k->cpu, &k->images.head, e);
}

/* The Keep starts on one processor while exec's image, which nobody writes
 * to, is hashed on another. */
static bool start(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	struct crypto_hash *h = NULL;
	if (!vm_images_load(cfg->image_dir, &hal_kvm, k->ram, k->ram_bytes,
		    &k->images, e) ||
		!make_cpu(k, cfg, e) ||
		!vm_measure_shim(k->ram, &k->images, &h, e))
		return false;
	vm_images_fill(&k->images, 0, k->ram);
	if (!vm_cpu_start(&k->cpu, e)) {
		crypto_hash_free(h);
		return false;
	}
	return vm_measure_exec(k->ram, &k->images, h, k->facts.measurement, e);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	k->facts.tee = GATE_TEE_KVM;
	k->facts.debug = cfg->debug;
	memcpy(k->facts.owner_key_hash, cfg->boot.owner_key_hash,
		sizeof k->facts.owner_key_hash);
	process_pick_user(&k->uid, &k->change_id);
	return device_linux_new(&k->device, e) &&
		open_kvm(k->device, &k->kvm, e) && make_vm(k, cfg, e) &&
		start(k, cfg, e) && soft_root_open(cfg->root_path, &k->root, e);
}

static void kvm_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	vm_cpu_fini(&k->cpu);
	if (k->device) {
		const struct device_ops *ops = k->device->ops;
		ops->close(k->device, k->vm);
		ops->memory_free(k->device, k->ram, k->ram_bytes);
		ops->memory_free(k->device, k->window, VM_WINDOW_BYTES);
		ops->close(k->device, k->kvm);
		ops->free(k->device);
	}
	soft_root_close(k->root);
	free(k);
}

static bool kvm_launch(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch kvm: no memory");
	k->kvm = k->vm = -1;
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
	return vm_confine(&k->cpu, k->uid, k->change_id, NULL, e);
}

static int kvm_bell(const struct hal_keep *k)
{
	return k->cpu.bell;
}

static struct gate_area *kvm_area(struct hal_keep *k)
{
	return (void *)(k->window + VM_AREA_AT);
}

static bool kvm_take(struct hal_keep *k, bool *gone, char why[128],
	struct err *e)
{
	return vm_cpu_take(&k->cpu, gone, why, e);
}

static bool kvm_resume(struct hal_keep *k, struct err *e)
{
	return vm_cpu_resume(&k->cpu, e);
}

static bool kvm_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	if (request.len != REPORT_DATA_BYTES)
		return err_fail(e, ERR_INPUT, "evidence: report data of %zu",
			request.len);
	struct soft_facts f = k->facts;
	memcpy(f.report_data, request.ptr, sizeof f.report_data);
	if (!soft_root_sign(k->root, &f, evidence, e))
		return err_wrap(e, "evidence");
	if (!buf_put(endorsements, soft_root_spki(k->root)))
		return err_fail(e, ERR_LIMIT, "endorsements: no memory");
	return true;
}

const struct hal_tech hal_kvm = {
	.name = "kvm",
	.tee = GATE_TEE_KVM,
	.rank = 2,
	.probe = kvm_probe,
	.measure = kvm_measure,
	.launch = kvm_launch,
	.confine = kvm_confine,
	.bell = kvm_bell,
	.area = kvm_area,
	.take = kvm_take,
	.resume = kvm_resume,
	.evidence = kvm_evidence,
	.destroy = kvm_destroy,
};
