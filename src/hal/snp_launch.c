/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SNP machine by Linux's upstream interface (Documentation/virt/kvm/x86/
 * amd-memory-encryption.rst).  RAM is private from the start; the window is
 * not.
 */
#include <errno.h>

#include "hal/snp_priv.h"
#include "spec/ghcb.h"
#include "spec/kvm.h"
#include "spec/snp.h"
#include "spec/svm.h"

enum { SLOT_WINDOW = 0, SLOT_RAM = 1, TRIES = 64 };

/* Simultaneous multithreading is the policy's business at the verifier, no
 * debugging, no migration. */
#define POLICY (SNP_POLICY_ONE | SNP_POLICY_SMT)

#define LEAF_SEV  0x8000001fu
#define SEV_FLAGS 0x1au /* SEV, SEV-ES, SEV-SNP */

/* What came of a command: the kernel's result, the firmware's status. */
struct outcome {
	int result;
	uint32_t firmware;
};

static bool command(struct snp_machine *s, enum spec_kvm_sev id, void *data,
	const char *name, struct outcome *out, struct err *e)
{
	struct spec_kvm_sev_cmd c = {
		.id = id,
		.data = (uintptr_t)data,
		.sev_fd = (uint32_t)s->sev,
	};
	int n = device_ioctl(s->m.device, s->m.vm, KVM_MEMORY_ENCRYPT_OP, &c);
	if (out)
		*out = (struct outcome){ n, c.error };
	return n >= 0 ||
		err_fail(e, ERR_HOST, "%s: %s, firmware 0x%x", name,
			strerror(-n), c.error);
}

/* --- memory ----------------------------------------------------------------
 */

static bool make_memory(struct snp_machine *s, struct err *e)
{
	struct vm_machine *m = &s->m;
	const struct vm_region window = { .slot = SLOT_WINDOW,
		.gpa = VM_WINDOW_GPA,
		.at = m->window,
		.bytes = VM_WINDOW_BYTES,
		.memfd = -1 };
	if (!vm_private_make(m, m->ram_bytes, &s->memfd, e))
		return false;
	const struct vm_region ram = { .slot = SLOT_RAM,
		.gpa = VM_RAM_GPA,
		.at = m->ram,
		.bytes = m->ram_bytes,
		.memfd = s->memfd };
	return vm_private_map(m, &window, e) && vm_private_map(m, &ram, e);
}

/* --- the processor ---------------------------------------------------------
 */

static bool make_cpu(struct snp_machine *s, const struct hal_config *cfg,
	struct err *e)
{
	if (!vm_machine_add_cpu(&s->m, e))
		return false;
	struct kvm_cpuid_entry2 *sev = vm_machine_leaf(&s->m, LEAF_SEV);
	if (!sev || !(sev->ebx & 0x3f))
		return err_fail(e, ERR_HOST, "KVM tells no encryption bit");
	s->c_bit = sev->ebx & 0x3f;
	sev->eax |= SEV_FLAGS;
	return vm_machine_set_cpu(&s->m, cfg, GATE_TEE_SNP, s->c_bit, e);
}

/* --- pages -----------------------------------------------------------------
 */

/* The kernel may stop half-way, and says how far it came. */
static bool give(struct snp_machine *s, enum snp_page_type type, uint64_t gpa,
	void *from, size_t bytes, struct outcome *out, struct err *e)
{
	struct spec_kvm_snp_update u = {
		.gfn_start = gpa / PAGE_BYTES,
		.uaddr = (uintptr_t)from,
		.len = bytes,
		.type = (uint8_t)type,
	};
	struct outcome o = { 0 };
	bool ok = false;
	for (unsigned i = 0; i < TRIES && u.len; i++) {
		ok = command(s, SPEC_KVM_SNP_UPDATE, &u, "SNP_LAUNCH_UPDATE",
			&o, e);
		if (!ok && o.result != -EAGAIN && o.result != -EINTR)
			break;
	}
	if (out)
		*out = o;
	if (ok && u.len)
		ok = err_fail(e, ERR_HOST,
			"SNP_LAUNCH_UPDATE: it never came to its end");
	return ok || err_wrap(e, "pages at 0x%llx", (unsigned long long)gpa);
}

/* The firmware refuses what the processor can't do (the kernel makes of that
 * EIO), and writes beside it what it can: the shim judges what is left. */
static bool give_cpuid(struct snp_machine *s, uint64_t gpa, struct err *e)
{
	struct snp_cpuid_page p;
	struct outcome o;
	if (!snp_cpuid_fill(s->m.cpuid, &p, e))
		return false;
	if (give(s, SNP_PAGE_CPUID, gpa, &p, sizeof p, &o, e))
		return true;
	return o.result == -EIO && o.firmware == SNP_INVALID_PARAM &&
		give(s, SNP_PAGE_CPUID, gpa, &p, sizeof p, NULL, e);
}

static bool give_shim(struct snp_machine *s, struct err *e)
{
	const struct vm_image_head *h = &s->m.images.head;
	/* Whole runs between the pages that are not ordinary. */
	for (uint32_t at = 0, next; at < h->bytes; at = next) {
		uint64_t gpa = VM_RAM_GPA + at;
		bool ok;
		next = at + PAGE_BYTES;
		if (at && at == h->cpuid) {
			ok = give_cpuid(s, gpa, e);
		} else if (at && at == h->secrets) {
			ok = give(s, SNP_PAGE_SECRETS, gpa, s->m.ram + at,
				PAGE_BYTES, NULL, e);
		} else {
			while (next < h->bytes && next != h->cpuid &&
				next != h->secrets)
				next += PAGE_BYTES;
			ok = give(s, SNP_PAGE_NORMAL, gpa, s->m.ram + at,
				next - at, NULL, e);
		}
		if (!ok)
			return false;
	}
	return true;
}

static bool give_exec(struct snp_machine *s, struct err *e)
{
	const struct vm_images *v = &s->m.images;
	return give(s, SNP_PAGE_NORMAL, VM_RAM_GPA + v->exec_at,
		s->m.ram + v->exec_at, v->end - v->exec_at, NULL, e);
}

/* --- the launch ------------------------------------------------------------
 */

/* SEV_FEATURES that a host can't be trusted to leave on are measured with the
 * processor's state, so that what is asked for here is what a verifier knows:
 * nobody else's breakpoints, no event but #HV.  Linux before 6.11 can't tell;
 * it offers none then. */
static uint64_t features(const struct snp_machine *s)
{
	uint64_t offered = 0;
	struct kvm_device_attr a = { .group = SPEC_KVM_GRP_SEV,
		.attr = SPEC_KVM_SEV_VMSA_FEATURES,
		.addr = (uintptr_t)&offered };
	if (device_ioctl(s->m.device, s->m.kvm, KVM_GET_DEVICE_ATTR, &a) < 0)
		return 0;
	return offered & (SVM_FEATURE_DEBUG_SWAP | SVM_FEATURE_RESTRICTED);
}

static bool init(struct snp_machine *s, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct spec_kvm_sev_init i = { .ghcb_version = GHCB_PROTOCOL };
	struct vm_machine *m = &s->m;
	if (!vm_machine_open(m, &vm_soft_pc, cfg, SPEC_KVM_SNP_VM, e))
		return false;
	i.vmsa_features = features(s);
	s->sev = m->device->ops->open(m->device, "/dev/sev");
	if (s->sev < 0)
		return err_fail(e, ERR_HOST, "/dev/sev: %s", strerror(-s->sev));
	if (!vm_private_hypercalls(m, e) ||
		!command(s, SPEC_KVM_SEV_INIT2, &i, "SEV_INIT2", NULL, e))
		return false;
	/* Linux before 6.20 has no certificates, and says so to the guest. */
	(void)!command(s, SPEC_KVM_SNP_ENABLE_CERTS, NULL, "certificates", NULL,
		NULL);
	return make_memory(s, e) &&
		vm_images_load(cfg->image_dir, tech, m->ram, m->ram_bytes,
			&m->images, e) &&
		make_cpu(s, cfg, e);
}

/* --- its end ---------------------------------------------------------------
 */

struct id {
	struct buf block, auth;
};

/* Who signed these images: the firmware checks it against what it measured,
 * and names the keys in its reports (AMD 56860, §8.18). */
static bool read_id(const struct hal_config *cfg, struct id *id, struct err *e)
{
	if (!vm_file_beside_root(cfg, "snp-id-block",
		    sizeof(struct snp_id_block), &id->block, e) ||
		!vm_file_beside_root(cfg, "snp-id-auth",
			sizeof(struct snp_id_auth), &id->auth, e))
		return false;
	if (!id->block.len && !id->auth.len)
		return true;
	return (id->block.len == sizeof(struct snp_id_block) &&
		       id->auth.len == sizeof(struct snp_id_auth)) ||
		err_fail(e, ERR_HOST,
			"snp-id-block and snp-id-auth: %zu and %zu bytes",
			id->block.len, id->auth.len);
}

static bool end_launch(struct snp_machine *s, const struct hal_config *cfg,
	const struct id *id, struct err *e)
{
	struct spec_kvm_snp_finish f = {
		.id_block_en = id->block.len != 0,
		.id_block_uaddr = (uintptr_t)id->block.ptr,
		.id_auth_uaddr = (uintptr_t)id->auth.ptr,
	};
	memcpy(f.host_data, cfg->boot.owner_key_hash, sizeof f.host_data);
	if (id->block.len) {
		struct snp_id_auth a;
		memcpy(&a, id->auth.ptr, sizeof a);
		f.auth_key_en = a.author_algo != 0;
	}
	return command(s, SPEC_KVM_SNP_FINISH, &f, "SNP_LAUNCH_FINISH", NULL,
		e);
}

static bool finish(struct snp_machine *s, const struct hal_config *cfg,
	struct err *e)
{
	struct id id = { 0 };
	bool ok = read_id(cfg, &id, e) && end_launch(s, cfg, &id, e);
	buf_fini(&id.block);
	buf_fini(&id.auth);
	return ok;
}

bool snp_launch(struct snp_machine *s, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e)
{
	struct spec_kvm_snp_start start = { .policy = POLICY };
	s->sev = s->memfd = -1;
	if (cfg->debug)
		start.policy |= SNP_POLICY_DEBUG;
	if (!init(s, tech, cfg, e))
		return false;
	if (cfg->debug)
		vm_images_debug(&s->m.images, s->m.ram);
	vm_images_fill(&s->m.images, s->c_bit, s->m.ram);
	return command(s, SPEC_KVM_SNP_START, &start, "SNP_LAUNCH_START", NULL,
		       e) &&
		give_shim(s, e) && give_exec(s, e) && finish(s, cfg, e);
}

void snp_machine_fini(struct snp_machine *s)
{
	struct device *d = s->m.device;
	if (!d)
		return;
	vm_cpu_fini(&s->m.cpu);
	d->ops->close(d, s->memfd);
	d->ops->close(d, s->sev);
	vm_machine_fini(&s->m);
}
