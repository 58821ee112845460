/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `tdx`: exec below a shim in a virtual machine whose memory and
 * registers the host can't read (Intel TDX).  Evidence is a quote over the TDX
 * module's report, made by the quoting service of the platform.
 */
#include <elf.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/hal_priv.h"
#include "hal/qgs.h"
#include "hal/tdx_priv.h"
#include "soft/device.h"
#include "spec/kvm.h"

enum { MAX_ENDORSEMENTS = 256 << 10 };

#define QUOTE_ROOM (VM_QUOTE_BYTES - sizeof(struct tdx_quote_head))

struct hal_keep {
	struct vm_served served; /* first */
	struct tdx_machine t;
	bool software;
	int qgs; /* on hardware: the connection for the quote, or -1 */
	struct buf endorsements;
};

static bool look(const struct hal_config *cfg, char detail[96], struct err *e)
{
	struct device *d;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = tdx_probe_host(cfg, d, detail, e);
	d->ops->free(d);
	return ok;
}

static bool probe_real(const struct hal_config *cfg, struct err *e)
{
	char detail[96];
	return look(cfg, detail, e);
}

static bool tdx_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	char more[96] = "";
	vm_device_probe(&vm_soft_pc, cfg, &hal_tdx, probe_real, &p);
	if (!p.emulated)
		(void)!look(cfg, more, NULL);
	fmt(p.detail, sizeof p.detail, "%s%s%s",
		p.emulated ? "the software platform's TDX; no protection from "
			     "the host" :
			     "trust domain of Intel TDX, its memory and "
			     "registers encrypted",
		*more ? "; " : "", more);
	*out = p;
	return true;
}

/* The module measures; what it should find is for verifiers to know. */
static bool tdx_measure(UNUSED const struct hal_config *cfg,
	UNUSED uint8_t out[64], UNUSED size_t *len, struct err *e)
{
	return err_fail(e, ERR_INPUT, "tdx: measured by its module");
}

/* --- quotes ----------------------------------------------------------------
 */

static bool make_quote(struct hal_keep *k, struct bytes report,
	struct buf *quote, struct err *e)
{
	if (!k->software)
		return qgs_quote(k->qgs, report, quote, e);
	buf_clear(&k->endorsements);
	return soft_device_quote(k->t.m.device, report, quote, &k->endorsements,
		e);
}

/* A quote in the place of the report, or a status that says that there is
 * none.  The guest waits, and may see it only when it is all there. */
static void put_quote(uint8_t *to, const struct buf *quote, bool ok)
{
	struct tdx_quote_head h = { .version = TDX_QUOTE_VERSION,
		.status = TDX_QUOTE_UNAVAILABLE };
	if (ok && quote->len <= QUOTE_ROOM) {
		h.status = TDX_QUOTE_DONE;
		h.out_bytes = (uint32_t)quote->len;
		memcpy(to + sizeof h, quote->ptr, quote->len);
	}
	memcpy(to, &h, sizeof h);
}

static uint64_t get_quote(struct hal_keep *k, uint64_t gpa, uint64_t bytes)
{
	uint8_t *at = k->t.m.window + VM_QUOTE_AT;
	uint8_t report[sizeof(struct tdx_report_struct)];
	struct tdx_quote_head h;
	auto_buf quote = { 0 };
	struct err e;
	memcpy(&h, at, sizeof h);
	if (gpa != VM_WINDOW_GPA + VM_QUOTE_AT || bytes != VM_QUOTE_BYTES ||
		h.version != TDX_QUOTE_VERSION || h.in_bytes != sizeof report)
		return TDX_CALL_OPERAND_INVALID;
	memcpy(report, at + sizeof h, sizeof report);
	put_quote(at, &quote, make_quote(k, BYTES_ARRAY(report), &quote, &e));
	return TDX_CALL_SUCCESS;
}

/* --- exits that only this technology has ------------------------------------
 */

static enum vm_turn answer_call(struct hal_keep *k, struct kvm_run *r)
{
	uint8_t *at = (uint8_t *)r + SPEC_KVM_RUN_UNION;
	struct spec_kvm_tdx_exit x;
	memcpy(&x, at, sizeof x);
	/* What is not known stays refused, as the kernel has it. */
	if (x.nr == TDX_CALL_GET_QUOTE)
		x.ret = get_quote(k, x.get_quote.gpa, x.get_quote.size);
	memcpy(at, &x, sizeof x);
	return VM_TURN_AGAIN;
}

static enum vm_turn leave_by(void *ctx, struct vm_cpu *c)
{
	struct hal_keep *k = ctx;
	struct kvm_run *r = c->run;
	return r->exit_reason == SPEC_KVM_EXIT_TDX ?
		answer_call(k, r) :
		vm_private_exit(&k->t.m, k->t.memfd, c);
}

/* --- launch ----------------------------------------------------------------
 */

static void tdx_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	tdx_machine_fini(&k->t);
	cleanup_fd(&k->qgs);
	buf_fini(&k->endorsements);
	free(k);
}

/* While there are files to read and sockets to open. */
static bool prepare_quote(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	char where[128];
	if (k->software)
		return soft_device_quote_ready(k->t.m.device, e);
	tdx_quoting(cfg, where, sizeof where);
	return qgs_open(where, &k->qgs, e) &&
		vm_file_beside_root(cfg, "tdx-endorsements", MAX_ENDORSEMENTS,
			&k->endorsements, e);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	k->software = cfg->platform == HAL_SOFTWARE;
	if (!tdx_launch(&k->t, &hal_tdx, cfg, e) || !prepare_quote(k, cfg, e))
		return false;
	k->t.m.cpu.on_exit = leave_by;
	k->t.m.cpu.ctx = k;
	k->served = (struct vm_served){ &k->t.m.cpu, k->t.m.window };
	return vm_cpu_start(&k->t.m.cpu, e);
}

static bool tdx_launch_keep(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch tdx: no memory");
	k->qgs = -1;
	if (!launch(k, cfg, e)) {
		tdx_destroy(k);
		return err_wrap(e, "launch tdx");
	}
	*out = k;
	return true;
}

/* --- serving ---------------------------------------------------------------
 */

static bool tdx_confine(struct hal_keep *k, struct err *e)
{
	return vm_private_confine(&k->t.m, e);
}

/* The shim had the report quoted before it rang. */
static bool tdx_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	const uint8_t *at = k->t.m.window + VM_QUOTE_AT;
	struct tdx_quote_head h;
	memcpy(&h, at, sizeof h);
	if (request.len != sizeof(struct tdx_report_struct))
		return err_fail(e, ERR_INPUT, "evidence: report of %zu bytes",
			request.len);
	if (h.status != TDX_QUOTE_DONE || h.out_bytes > QUOTE_ROOM)
		return err_fail(e, ERR_HOST,
			"evidence: no quote: is the quoting service's own "
			"platform registered?");
	if (!buf_put(evidence, bytes_of(at + sizeof h, h.out_bytes)) ||
		!buf_put(endorsements, buf_bytes(&k->endorsements)))
		return err_fail(e, ERR_LIMIT, "evidence: no memory");
	return true;
}

const struct hal_tech hal_tdx = {
	.name = "tdx",
	.tee = GATE_TEE_TDX,
	.rank = 10,
	.images = { .make = "make",
		.machine = EM_X86_64,
		.magic = VM_IMAGE_MAGIC,
		.version = VM_IMAGE_VERSION,
		.bytes_at = offsetof(struct vm_image_head, bytes) },
	.probe = tdx_probe,
	.measure = tdx_measure,
	.launch = tdx_launch_keep,
	.confine = tdx_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = tdx_evidence,
	.destroy = tdx_destroy,
};
