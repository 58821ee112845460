/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `sgx`: exec below a shim in an enclave of this process (Intel
 * SGX), whose memory the host can't read.  Evidence is a quote over the
 * enclave's report, made by the quoting enclave of the platform.
 */
#include <asm/sgx.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"
#include "enclave/pages.h"
#include "hal/hal_priv.h"
#include "hal/sgx_priv.h"
#include "soft/device.h"

enum { MAX_ENDORSEMENTS = 256 << 10 };

struct hal_keep {
	struct vm_served served; /* first */
	struct sgx_machine m;
	bool software;
	struct buf endorsements; /* on hardware: what the host has */
};

static bool probe_real(const struct hal_config *cfg, struct err *e)
{
	struct device *d;
	if (!device_linux_new(&d, e))
		return false;
	bool ok = sgx_probe_host(cfg, d, e);
	d->ops->free(d);
	return ok;
}

static void describe(char *out, size_t size)
{
	struct device *d;
	struct err e = { 0 };
	if (!device_linux_new(&d, &e))
		return;
	sgx_describe(d, out, size);
	d->ops->free(d);
}

static bool sgx_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	vm_device_probe(&vm_soft_pc, cfg, &hal_sgx, probe_real, &p);
	fmt(p.detail, sizeof p.detail, "%s",
		p.emulated ? "the software platform's SGX; no protection from "
			     "the host" :
			     "enclave of Intel SGX, its memory encrypted");
	if (p.available && !p.emulated)
		describe(p.detail, sizeof p.detail);
	*out = p;
	return true;
}

static bool sgx_measure(const struct hal_config *cfg, uint8_t out[64],
	size_t *len, struct err *e)
{
	struct sgx_images i = { .shim = { .len = 0 } };
	bool ok = sgx_images_load(cfg->image_dir, &hal_sgx, &i, e) &&
		enclave_measure(buf_bytes(&i.shim), buf_bytes(&i.exec), 0, out,
			e);
	sgx_images_fini(&i);
	*len = 32;
	return ok;
}

/* --- launch ----------------------------------------------------------------
 */

/* Beside the software root: collateral, as verifiers read it (attest/intel.h).
 * A host without it gives none: the tenant's own has to do. */
static bool read_endorsements(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	return vm_file_beside_root(cfg, "sgx-endorsements", MAX_ENDORSEMENTS,
		&k->endorsements, e);
}

static void sgx_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	sgx_machine_fini(&k->m);
	buf_fini(&k->endorsements);
	free(k);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	k->software = cfg->platform == HAL_SOFTWARE;
	if (!sgx_launch(&k->m, &hal_sgx, cfg, e))
		return false;
	k->served = (struct vm_served){ &k->m.cpu, k->m.window };
	return (k->software || read_endorsements(k, cfg, e)) &&
		vm_cpu_start(&k->m.cpu, e) &&
		(!k->software || soft_device_quote_ready(k->m.device, e));
}

static bool sgx_launch_keep(const struct hal_config *cfg, struct hal_keep **out,
	struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch sgx: no memory");
	if (!launch(k, cfg, e)) {
		sgx_destroy(k);
		return err_wrap(e, "launch sgx");
	}
	*out = k;
	return true;
}

/* --- serving ---------------------------------------------------------------
 */

static bool sgx_confine(struct hal_keep *k, struct err *e)
{
	static const unsigned long requests[] = {
		SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
		SGX_IOC_ENCLAVE_MODIFY_TYPES,
		SGX_IOC_ENCLAVE_REMOVE_PAGES,
		0,
	};
	return vm_confine(&k->m.cpu, k->m.uid, k->m.change_id, requests, e);
}

static bool sgx_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	if (request.len != sizeof(struct sgx_report_mac))
		return err_fail(e, ERR_INPUT, "evidence: report of %zu bytes",
			request.len);
	if (k->software)
		return soft_device_quote(k->m.device, request, evidence,
			endorsements, e);
	if (!aesm_quote(&k->m.aesm, request, evidence, e))
		return false;
	return buf_put(endorsements, buf_bytes(&k->endorsements)) ||
		err_fail(e, ERR_LIMIT, "evidence: no memory");
}

const struct hal_tech hal_sgx = {
	.name = "sgx",
	.tee = GATE_TEE_SGX,
	.rank = 9,
	.images = { .make = "make",
		.machine = EM_X86_64,
		.magic = ENCLAVE_MAGIC,
		.version = ENCLAVE_VERSION,
		.bytes_at = offsetof(struct enclave_head, bytes) },
	.probe = sgx_probe,
	.measure = sgx_measure,
	.launch = sgx_launch_keep,
	.confine = sgx_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = sgx_evidence,
	.destroy = sgx_destroy,
};
