/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM_MEMORY_ENCRYPT_OP for an SNP guest
 * (Documentation/virt/kvm/x86/amd-memory-encryption.rst).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "soft/device_priv.h"
#include "spec/svm.h"

enum {
	BATCH = MONITOR_STAGE_BYTES / PAGE_BYTES,
	PROTOCOL_MAX = 2,
	CR4_MCE = 1 << 6,
	EFER_SVME = 1 << 12,
};

/* --- launch ------------------------------------------------------------- */

static int init(struct soft_device *s, const struct spec_kvm_sev_init *i)
{
	struct soft_snp *n = &s->snp;
	if (n->active || s->machine.pid || i->flags ||
		(i->vmsa_features & ~SOFT_VMSA_FEATURES) ||
		i->ghcb_version > PROTOCOL_MAX || i->ghcb_version == 1)
		return -EINVAL;
	n->active = true;
	n->vmsa_features = i->vmsa_features | SVM_FEATURE_SNP;
	n->registered = UINT64_MAX;
	return 0;
}

/* What the firmware knows that the processor has: features, no counters. */
static bool real_cpuid(void *ctx, const struct snp_cpuid_entry *ask,
	uint32_t out[4])
{
	const struct soft_device *n = ctx;
	struct monitor_cpuid c;
	uint32_t said[4] = { ask->eax, ask->ebx, ask->ecx, ask->edx };
	uint32_t ours[4] = { 0 };
	memcpy(out, said, sizeof said);
	if (!n->real_count)
		return true;
	if (soft_kvm_cpuid(n->real, n->real_count, ask->eax_in, ask->ecx_in,
		    &c)) {
		const uint32_t has[4] = { c.eax, c.ebx, c.ecx, c.edx };
		memcpy(ours, has, sizeof ours);
	}
	switch (ask->eax_in) {
	case 1:
		/* OSXSAVE is the guest's own doing. */
		out[2] = said[2] & (ours[2] | 1u << 27);
		out[3] = said[3] & ours[3];
		break;
	case 7:
		for (unsigned r = 1; r < 4; r++)
			out[r] = said[r] & ours[r];
		break;
	case 0xd:
		out[0] = ask->ecx_in < 2 ? said[0] & ours[0] : said[0];
		break;
	case 0x80000001:
		out[2] = said[2] & ours[2];
		out[3] = said[3] & ours[3];
		break;
	default:
		break;
	}
	return true;
}

static int start(struct soft_device *s, const struct spec_kvm_snp_start *a,
	struct spec_kvm_sev_cmd *cmd)
{
	struct soft_snp *n = &s->snp;
	struct err e;
	if (!n->active || n->psp || a->flags)
		return -EINVAL;
	if (!psp_new(s->root_path, &n->psp, &e))
		return -EIO;
	psp_set_cpuid(n->psp, real_cpuid, s);
	cmd->error = psp_start(n->psp, a->policy, a->gosvw);
	if (cmd->error == SNP_OK)
		return 0;
	psp_free(n->psp);
	n->psp = NULL;
	return -EIO;
}

static bool type_ok(uint8_t type)
{
	return type == SNP_PAGE_NORMAL || type == SNP_PAGE_ZERO ||
		type == SNP_PAGE_UNMEASURED || type == SNP_PAGE_SECRETS ||
		type == SNP_PAGE_CPUID;
}

/* Through the firmware, then into the guest, as far as the firmware goes. */
static int update_batch(struct soft_device *s, struct spec_kvm_snp_update *u,
	uint32_t *error)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	size_t most = size_min(u->len / PAGE_BYTES, BATCH), n = 0;
	uint64_t gpa = u->gfn_start * PAGE_BYTES;
	uint8_t *from = (uint8_t *)(uintptr_t)u->uaddr;
	bool zero = u->type == SNP_PAGE_ZERO;
	for (; n < most && *error == SNP_OK; n += *error == SNP_OK) {
		uint8_t *page = stage + n * PAGE_BYTES;
		if (!zero)
			memcpy(page, from + n * PAGE_BYTES, PAGE_BYTES);
		*error = psp_update(s->snp.psp, u->type, gpa + n * PAGE_BYTES,
			page);
		/* What it would accept (KVM gives it back, too). */
		if (*error != SNP_OK && u->type == SNP_PAGE_CPUID)
			memcpy(from + n * PAGE_BYTES, page, PAGE_BYTES);
	}
	int r = n ? soft_kvm_call(s, MONITOR_PAGES,
			    (uint64_t[4]){ gpa, n, u->type, s->snp.level }) :
		    0;
	explicit_bzero(stage, most * PAGE_BYTES);
	if (r < 0)
		return r;
	u->gfn_start += n;
	u->len -= n * PAGE_BYTES;
	u->uaddr += zero ? 0 : n * PAGE_BYTES;
	return *error == SNP_OK ? 0 : -EIO;
}

static int update(struct soft_device *s, struct spec_kvm_snp_update *u,
	struct spec_kvm_sev_cmd *cmd)
{
	if (!s->snp.psp || u->flags || u->len % PAGE_BYTES || !u->len ||
		!type_ok(u->type))
		return -EINVAL;
	int r = soft_kvm_begin(s);
	if (r == 0 && s->snp.launched) {
		cmd->error = SNP_INVALID_GUEST_STATE;
		r = -EIO;
	}
	while (r == 0 && u->len)
		r = update_batch(s, u, &cmd->error);
	return r;
}

/* As KVM's sev_es_sync_vmsa. */
static void put_vmsa(const struct soft_device *s, const struct kvm_sregs *g,
	const struct kvm_regs *r, struct svm_save *v)
{
	struct monitor_state t;
	soft_kvm_put_state(g, r, &t);
	*v = (struct svm_save){ .cr0 = t.cr0,
		.cr3 = t.cr3,
		.cr4 = t.cr4 | CR4_MCE,
		.efer = t.efer | EFER_SVME,
		.dr6 = t.dr6,
		.dr7 = t.dr7,
		.pat = t.pat,
		.rip = t.rip,
		.rflags = t.rflags,
		.rax = t.general[MONITOR_RAX],
		.rcx = t.general[MONITOR_RCX],
		.rdx = t.general[MONITOR_RDX],
		.rbx = t.general[MONITOR_RBX],
		.rsp = t.general[MONITOR_RSP],
		.rbp = t.general[MONITOR_RBP],
		.rsi = t.general[MONITOR_RSI],
		.rdi = t.general[MONITOR_RDI],
		.vmpl = s->snp.level,
		.sev_features = s->snp.vmsa_features,
		.xcr0 = 1,
		.mxcsr = 0x1f80,
		.x87_fcw = 0x37f };
	memcpy(v->r8_to_15, t.general + 8, sizeof v->r8_to_15);
	memcpy(&v->es, &t.es, sizeof v->es * 10);
}

_Static_assert(offsetof(struct svm_save, tr) - offsetof(struct svm_save, es) ==
		offsetof(struct monitor_state, tr) -
			offsetof(struct monitor_state, es),
	"segments in the same order");

static int measure_cpu(struct soft_device *s, const struct kvm_sregs *g,
	const struct kvm_regs *r, struct spec_kvm_sev_cmd *cmd)
{
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	struct svm_save *v = calloc(1, sizeof *v);
	if (!v)
		return -ENOMEM;
	put_vmsa(s, g, r, v);
	memcpy(stage, v, sizeof *v);
	free(v);
	cmd->error = psp_update(s->snp.psp, SNP_PAGE_VMSA, SNP_VMSA_GPA, stage);
	return cmd->error == SNP_OK ? 0 : -EIO;
}

/* Each processor's page is measured, last; the first one's stays staged. */
static int launch_cpus(struct soft_device *s, struct spec_kvm_sev_cmd *cmd)
{
	const struct soft_other *o = &s->other;
	uint8_t *stage = (uint8_t *)s->machine.box + MONITOR_STAGE_AT;
	uint8_t first[PAGE_BYTES];
	int r = measure_cpu(s, &s->sregs, &s->regs, cmd);
	if (r < 0 || !o->there)
		return r;
	memcpy(first, stage, sizeof first);
	r = measure_cpu(s, &o->sregs, &o->regs, cmd);
	memcpy(stage, first, sizeof first);
	return r;
}

static int finish(struct soft_device *s, const struct spec_kvm_snp_finish *f,
	struct spec_kvm_sev_cmd *cmd)
{
	struct soft_snp *n = &s->snp;
	if (!n->psp || !s->has_cpu || f->flags ||
		(f->id_block_en && (!f->id_block_uaddr || !f->id_auth_uaddr)))
		return -EINVAL;
	int r = soft_kvm_begin(s);
	if (r == 0)
		r = launch_cpus(s, cmd);
	if (r < 0)
		return r;
	const struct snp_id_block *id = NULL;
	const struct snp_id_auth *auth = NULL;
	if (f->id_block_en) {
		id = (const void *)(uintptr_t)f->id_block_uaddr;
		auth = (const void *)(uintptr_t)f->id_auth_uaddr;
	}
	cmd->error = psp_finish(n->psp, id, auth, f->auth_key_en, f->host_data);
	if (cmd->error != SNP_OK)
		return -EIO;
	r = soft_kvm_call(s, MONITOR_VMSA, (uint64_t[4]){ 0 });
	n->launched = r == 0;
	n->msr = (uint64_t)GHCB_PROTOCOL << 48 | 1ull << 32 | 47ull << 24 |
		GHCB_INFO_SEV;
	return r;
}

int soft_snp_firmware(unsigned long request, void *arg)
{
	struct spec_psp_cmd *c = arg;
	struct spec_psp_snp_status s = { .state = SPEC_PSP_SNP_INIT, .rmp = 1 };
	if (request != SPEC_PSP_ISSUE || c->cmd != SPEC_PSP_SNP_STATUS)
		return -EINVAL;
	psp_version(&s);
	uint64_t at = c->data_low | (uint64_t)c->data_high << 32;
	memcpy((void *)(uintptr_t)at, &s, sizeof s);
	c->error = SNP_OK;
	return 0;
}

static int enable_certs(struct soft_snp *n)
{
	if (!n->active || n->launched)
		return -EINVAL;
	n->certs = true;
	return 0;
}

int soft_snp_encrypt_op(struct soft_device *s, struct spec_kvm_sev_cmd *cmd)
{
	void *data;
	if (s->kind != MONITOR_SNP)
		return -ENOTTY;
	if (!cmd)
		return 0;
	data = (void *)(uintptr_t)cmd->data;
	if (cmd->id == SPEC_KVM_SNP_ENABLE_CERTS)
		return enable_certs(&s->snp);
	if (!data)
		return -EFAULT;
	/* Those that talk to the firmware do so through /dev/sev. */
	if (cmd->id != SPEC_KVM_SEV_INIT2 && cmd->sev_fd != SOFT_HANDLE_SEV)
		return -EBADF;
	switch (cmd->id) {
	case SPEC_KVM_SEV_INIT2:
		return s->snp.active ? -EPERM : init(s, data);
	case SPEC_KVM_SNP_START:
		return start(s, data, cmd);
	case SPEC_KVM_SNP_UPDATE:
		return update(s, data, cmd);
	case SPEC_KVM_SNP_FINISH:
		return finish(s, data, cmd);
	default:
		return s->snp.active ? -EPERM : -EINVAL;
	}
}

void soft_snp_fini(struct soft_snp *n)
{
	psp_free(n->psp);
}
