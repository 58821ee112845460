/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `sanctum`: exec below a shim in an enclave of a RISC-V security
 * monitor, which walls off its memory and signs what it measured.  Evidence is
 * the monitor's; no host has a part in it but to add who vouches for the
 * manufacturer.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "abi/sanctum_driver.h"
#include "base/fmt.h"
#include "hal/hal_priv.h"
#include "hal/sanctum_priv.h"
#include "soft/sanctum.h"
#include "spec/sanctum.h"

enum { MAX_ENDORSEMENTS = 64 << 10 };

struct hal_keep {
	struct vm_served served; /* first */
	struct sanctum_machine m;
	struct buf endorsements;
};

/* --- the probe ---------------------------------------------------------- */

static bool probe_real(UNUSED const struct hal_config *cfg, struct err *e)
{
	struct device *d;
	if (!device_linux_new(&d, e))
		return false;
	int n = d->ops->open(d, SANCTUM_DRIVER_PATH);
	if (n >= 0)
		d->ops->close(d, n);
	d->ops->free(d);
	return n >= 0 ||
		err_fail(e, ERR_HOST,
			"no " SANCTUM_DRIVER_PATH
			": a RISC-V processor whose firmware is the monitor, "
			"and a kernel with a driver for it: Linux has none");
}

static bool sanctum_probe(const struct hal_config *cfg, struct hal_probe *out,
	UNUSED struct err *e)
{
	struct hal_probe p = { 0 };
	vm_device_probe(&vm_soft_sanctum, cfg, &hal_sanctum, probe_real, &p);
	fmt(p.detail, sizeof p.detail, "%s",
		p.emulated ? "the software platform's RISC-V under the Sanctum "
			     "monitor; no protection from the host" :
			     "enclave of a Sanctum security monitor, its "
			     "memory walled off");
	*out = p;
	return true;
}

/* The monitor measures; what it should find is for verifiers to know. */
static bool sanctum_measure(UNUSED const struct hal_config *cfg,
	UNUSED uint8_t out[64], UNUSED size_t *len, struct err *e)
{
	return err_fail(e, ERR_INPUT, "sanctum: measured by its monitor");
}

/* --- launch ------------------------------------------------------------- */

static void sanctum_destroy(struct hal_keep *k)
{
	if (!k)
		return;
	sanctum_machine_fini(&k->m);
	buf_fini(&k->endorsements);
	free(k);
}

static bool launch(struct hal_keep *k, const struct hal_config *cfg,
	struct err *e)
{
	if (!sanctum_launch(&k->m, &hal_sanctum, cfg, e))
		return false;
	bool ok = cfg->platform == HAL_SOFTWARE ?
		soft_sanctum_endorsements(k->m.device, &k->endorsements, e) :
		vm_file_beside_root(cfg, "sanctum-endorsements",
			MAX_ENDORSEMENTS, &k->endorsements, e);
	k->served = (struct vm_served){ &k->m.cpu, k->m.window };
	return ok && vm_cpu_start(&k->m.cpu, e);
}

static bool sanctum_launch_keep(const struct hal_config *cfg,
	struct hal_keep **out, struct err *e)
{
	struct hal_keep *k = calloc(1, sizeof *k);
	if (!k)
		return err_fail(e, ERR_LIMIT, "launch sanctum: no memory");
	if (!launch(k, cfg, e)) {
		sanctum_destroy(k);
		return err_wrap(e, "launch sanctum");
	}
	*out = k;
	return true;
}

/* --- serving ------------------------------------------------------------ */

static bool sanctum_confine(struct hal_keep *k, struct err *e)
{
	static const unsigned long requests[] = { SANCTUM_IOC_RUN, 0 };
	return vm_confine(&k->m.cpu, k->m.uid, k->m.change_id, requests, e);
}

/* The Keep has its evidence; it asks for what stands above it. */
static bool sanctum_evidence(struct hal_keep *k, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e)
{
	if (request.len != SANCTUM_LONG_BYTES)
		return err_fail(e, ERR_INPUT, "evidence: %zu bytes",
			request.len);
	return (buf_put(evidence, request) &&
		       buf_put(endorsements, buf_bytes(&k->endorsements))) ||
		err_fail(e, ERR_LIMIT, "evidence: no memory");
}

const struct hal_tech hal_sanctum = {
	.name = "sanctum",
	.tee = GATE_TEE_SANCTUM,
	.rank = 8,
	.images = { .make = "make keep-riscv64",
		.machine = EM_RISCV,
		.magic = SANCTUM_SHIM_MAGIC,
		.version = SANCTUM_SHIM_VERSION,
		.bytes_at = offsetof(struct sanctum_shim_head, bytes) },
	.probe = sanctum_probe,
	.measure = sanctum_measure,
	.launch = sanctum_launch_keep,
	.confine = sanctum_confine,
	.bell = vm_bell,
	.area = vm_area,
	.take = vm_take,
	.resume = vm_resume,
	.evidence = sanctum_evidence,
	.destroy = sanctum_destroy,
};
