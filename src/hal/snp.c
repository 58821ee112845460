/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `snp`: exec below a shim in a virtual machine whose memory and
 * registers the host can't read (AMD SEV-SNP).  Evidence is the firmware's
 * report, which passes here in a message that only exec can open.
 */
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/hal_priv.h"
#include "hal/snp_priv.h"
#include "soft/device.h"
#include "spec/ghcb.h"
#include "spec/kvm.h"

/* More than a chain of three and its revocation lists. */
enum { MAX_ENDORSEMENTS = 64 << 10 };

struct hal_keep {
	struct vm_served served; /* first */
	struct snp_machine s;
	struct buf endorsements;
	int lock; /* their file's, until the report is there; or -1 */
};

static bool look(char firmware[96], struct err *e)
{
	struct device *d;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = snp_probe_host(d, firmware, e);
	d->ops->free(d);
	return ok;
}

static bool probe_real(UNUSED const struct hal_config *cfg, struct err *e)
{
	char firmware[96];
	return look(firmware, e);
}

static bool snp_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	char more[96] = "";
	vm_device_probe(&vm_soft_pc, cfg, &hal_snp, probe_real, &p);
	if (!p.emulated)
		(void)!look(more, NULL);
	fmt(p.detail, sizeof p.detail, "%s%s%s",
		p.emulated ? "the software platform's SEV-SNP; no protection "
			     "from the host" :
			     "virtual machine of AMD SEV-SNP, its memory and "
			     "registers encrypted",
		*more ? "; " : "", more);
	*out = p;
	return true;
}

/* The firmware measures; what it should find is for verifiers to know. */
static bool snp_measure(UNUSED const struct hal_config *cfg,
	UNUSED uint8_t out[64], UNUSED size_t *len, struct err *e)
{
	return err_fail(e, ERR_INPUT, "snp: measured by its firmware");
}

/* --- launch ----------------------------------------------------------------
 */

static bool load_endorsements(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	/* Without the file there are none, and no verifier is satisfied. */
	return cfg->platform == HAL_SOFTWARE ?
		soft_device_endorsements(k->s.m.device, &k->endorsements, e) :
		vm_file_lock(cfg, "snp-endorsements", MAX_ENDORSEMENTS,
			&k->endorsements, &k->lock, e);
}

/* --- exits that only this technology has ------------------------------------
 */

/* One entry: our endorsements.  (GUID of no certificate of AMD's.) */
static void put_certificates(uint8_t *to, struct bytes b)
{
	const struct ghcb_certificate table[2] = {
		{ .guid = { 0x0e, 0x2c, 0x3a, 0x7d, 0x1f, 0x5b, 0x0a, 0x4e,
			  0x9d, 0x6c, 0x3e, 0x1f, 0x2a, 0x90, 0xb8, 0xd4 },
			.offset = sizeof table,
			.bytes = (uint32_t)b.len },
	};
	memset(to, 0, sizeof table);
	if (!b.len)
		return;
	memcpy(to, table, sizeof table);
	memcpy(to + sizeof table, b.ptr, b.len);
}

/* The guest wants them with its report, in pages of its choice. */
static enum vm_turn give_certificates(struct hal_keep *k, struct kvm_run *r)
{
	uint8_t *at = (uint8_t *)r + SPEC_KVM_RUN_UNION;
	size_t bytes =
		2 * sizeof(struct ghcb_certificate) + k->endorsements.len;
	size_t pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	struct spec_kvm_certs c;
	memcpy(&c, at, sizeof c);
	c.ret = 0;
	if (c.gpa != VM_WINDOW_GPA + VM_CERTS_AT ||
		c.npages > VM_CERTS_BYTES / PAGE_BYTES) {
		c.ret = EIO;
	} else if (c.npages < pages) {
		c.ret = ENOSPC;
		c.npages = pages;
	} else {
		put_certificates(k->s.m.window + VM_CERTS_AT,
			buf_bytes(&k->endorsements));
	}
	memcpy(at, &c, sizeof c);
	return VM_TURN_AGAIN;
}

static enum vm_turn leave_by(void *ctx, struct vm_cpu *c)
{
	struct hal_keep *k = ctx;
	struct kvm_run *r = c->run;
	return r->exit_reason == SPEC_KVM_EXIT_SNP_REQ_CERTS ?
		give_certificates(k, r) :
		vm_private_exit(&k->s.m, k->s.memfd, c);
}

static void snp_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	snp_machine_fini(&k->s);
	cleanup_fd(&k->lock);
	buf_fini(&k->endorsements);
	free(k);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	if (!snp_launch(&k->s, &hal_snp, cfg, e) ||
		!load_endorsements(k, cfg, e))
		return false;
	k->s.m.cpu.on_exit = leave_by;
	k->s.m.cpu.ctx = k;
	k->served = (struct vm_served){ &k->s.m.cpu, k->s.m.window };
	return vm_cpu_start(&k->s.m.cpu, e);
}

static bool snp_launch_keep(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch snp: no memory");
	k->lock = -1;
	if (!launch(k, cfg, e)) {
		snp_destroy(k);
		return err_wrap(e, "launch snp");
	}
	*out = k;
	return true;
}

/* --- serving ---------------------------------------------------------------
 */

static bool snp_confine(struct hal_keep *k, struct err *e)
{
	return vm_private_confine(&k->s.m, e);
}

/* The shim had the firmware answer before it rang. */
static bool snp_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	if (request.len != PAGE_BYTES)
		return err_fail(e, ERR_INPUT, "evidence: message of %zu",
			request.len);
	if (!buf_put(evidence,
		    bytes_of(k->s.m.window + VM_MESSAGE_AT, PAGE_BYTES)) ||
		!buf_put(endorsements, buf_bytes(&k->endorsements)))
		return err_fail(e, ERR_LIMIT, "evidence: no memory");
	cleanup_fd(&k->lock);
	k->lock = -1;
	return true;
}

const struct hal_tech hal_snp = {
	.name = "snp",
	.tee = GATE_TEE_SNP,
	.rank = 11,
	.images = { .make = "make",
		.machine = EM_X86_64,
		.magic = VM_IMAGE_MAGIC,
		.version = VM_IMAGE_VERSION,
		.bytes_at = offsetof(struct vm_image_head, bytes) },
	.probe = snp_probe,
	.measure = snp_measure,
	.launch = snp_launch_keep,
	.confine = snp_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = snp_evidence,
	.destroy = snp_destroy,
};
