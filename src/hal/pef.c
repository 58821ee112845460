/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `pef`: exec below a shim in a virtual machine that POWER9's
 * ultravisor took out of its hypervisor's hands.  There is no quote: evidence
 * is made by the Keep, with the key that its owner sealed into the ESM blob.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"
#include "hal/hal_priv.h"
#include "hal/pef_priv.h"
#include "soft/power.h"
#include "spec/kvm.h"
#include "spec/papr.h"
#include "spec/pef.h"

struct hal_keep {
	struct vm_served served; /* first */
	struct pef_machine p;
	struct hal_config cfg; /* what the window is filled with */
};

static bool probe_real(const struct hal_config *cfg, struct err *e)
{
	struct device *d;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = pef_probe_host(cfg, d, e);
	d->ops->free(d);
	return ok;
}

static bool pef_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	vm_device_probe(&vm_soft_power, cfg, &hal_pef, probe_real, &p);
	fmt(p.detail, sizeof p.detail, "%s",
		p.emulated ? "the software platform's ultravisor; no "
			     "protection from the host" :
			     "secure virtual machine of POWER9's ultravisor");
	*out = p;
	return true;
}

/* The ultravisor compares; what it should find is for owners to seal. */
static bool pef_measure(UNUSED const struct hal_config *cfg,
	UNUSED uint8_t out[64], UNUSED size_t *len, struct err *e)
{
	return err_fail(e, ERR_INPUT, "pef: compared by its ultravisor");
}

/* --- hypercalls ------------------------------------------------------------
 */

/* Sharing emptied the window: now it is the loader's to fill. */
static enum vm_turn fill_window(struct hal_keep *k)
{
	vm_window_fill(k->p.m.window, &k->cfg, GATE_TEE_PEF, k->p.m.ram_bytes,
		0);
	return VM_TURN_AGAIN;
}

static enum vm_turn event(struct hal_keep *k, struct spec_kvm_hcall *h,
	struct vm_cpu *c)
{
	uint32_t what = (uint32_t)(h->args[2] >> 32);
	h->ret = H_SUCCESS;
	if (what == PEF_EVENT_SHARED)
		return fill_window(k);
	enum vm_turn turn = vm_cpu_event(c, what);
	const char *refused = soft_power_refused(k->p.m.device);
	size_t n = strlen(c->why);
	if (turn == VM_TURN_GONE && *refused)
		fmt(c->why + n, sizeof c->why - n, ": %s", refused);
	return turn;
}

/* Number and size of the table, as KVM wants them. */
static uint64_t set_tables(struct hal_keep *k, const struct spec_kvm_hcall *h)
{
	struct spec_kvm_ppc_mmuv3_cfg c = {
		.flags = SPEC_KVM_PPC_MMUV3_RADIX | SPEC_KVM_PPC_MMUV3_GTSE,
		.process_table = h->args[1] | (h->args[3] & 0x1f),
	};
	int n = device_ioctl(k->p.m.device, k->p.m.vm,
		SPEC_KVM_PPC_CONFIGURE_V3_MMU, &c);
	return (uint64_t)(n < 0 ? H_PARAMETER : H_SUCCESS);
}

static enum vm_turn hypercall(struct hal_keep *k, struct vm_cpu *c)
{
	uint8_t *at = (uint8_t *)c->run + SPEC_KVM_RUN_UNION;
	enum vm_turn turn = VM_TURN_AGAIN;
	struct spec_kvm_hcall h;
	memcpy(&h, at, sizeof h);
	if (h.nr == H_PUT_TERM_CHAR && h.args[0] == PEF_TERMINAL &&
		h.args[1] == sizeof(uint32_t))
		turn = event(k, &h, c);
	else if (h.nr == H_REGISTER_PROC_TABLE)
		h.ret = set_tables(k, &h);
	else
		h.ret = (uint64_t)H_FUNCTION;
	memcpy(at, &h, sizeof h);
	return turn;
}

static enum vm_turn leave_by(void *ctx, struct vm_cpu *c)
{
	const struct kvm_run *r = c->run;
	if (r->exit_reason == KVM_EXIT_PAPR_HCALL)
		return hypercall(ctx, c);
	fmt(c->why, sizeof c->why, "%s (%u)", vm_exit_name(r->exit_reason),
		r->exit_reason);
	return VM_TURN_GONE;
}

/* --- launch ----------------------------------------------------------------
 */

static void pef_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	pef_machine_fini(&k->p);
	free(k);
}

static bool pef_launch_keep(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch pef: no memory");
	k->cfg = *cfg;
	bool ok = pef_launch(&k->p, &hal_pef, cfg, e);
	k->p.m.cpu.on_exit = leave_by;
	k->p.m.cpu.ctx = k;
	k->served = (struct vm_served){ &k->p.m.cpu, k->p.m.window };
	if (!ok || !vm_cpu_start(&k->p.m.cpu, e)) {
		pef_destroy(k);
		return err_wrap(e, "launch pef");
	}
	*out = k;
	return true;
}

/* --- serving ---------------------------------------------------------------
 */

static bool pef_confine(struct hal_keep *k, struct err *e)
{
	static const unsigned long requests[] = { SPEC_KVM_PPC_CONFIGURE_V3_MMU,
		0 };
	const struct vm_machine *m = &k->p.m;
	return vm_confine(&k->p.m.cpu, m->uid, m->change_id, requests, e);
}

/* The Keep's own evidence, and its key's public half. */
static bool pef_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	struct bytes vouch = buf_bytes(&k->p.vouch);
	struct bytes spki = bytes_from(request, PEF_BYTES);
	if (request.len != PEF_BYTES + PEF_SPKI_BYTES)
		return err_fail(e, ERR_INPUT, "evidence: %zu bytes",
			request.len);
	if (!buf_put(evidence, bytes_of(request.ptr, PEF_BYTES)) ||
		!buf_put(endorsements, vouch.len ? vouch : spki))
		return err_fail(e, ERR_LIMIT, "evidence: no memory");
	return true;
}

const struct hal_tech hal_pef = {
	.name = "pef",
	.tee = GATE_TEE_PEF,
	.rank = 7,
	.images = { .make = "make keep-ppc64le",
		.machine = EM_PPC64,
		.magic = VM_IMAGE_MAGIC,
		.version = VM_IMAGE_VERSION,
		.bytes_at = offsetof(struct vm_image_head, bytes) },
	.probe = pef_probe,
	.measure = pef_measure,
	.launch = pef_launch_keep,
	.confine = pef_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = pef_evidence,
	.destroy = pef_destroy,
};
