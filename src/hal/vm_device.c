/* SPDX-License-Identifier: Apache-2.0 */
/* Whose machine: this one's own, or the software platform's. */
#include "base/fmt.h"
#include "hal/vm_priv.h"
#include "soft/device.h"
#include "soft/power.h"
#include "soft/sanctum.h"

const struct vm_soft vm_soft_pc = { soft_device_probe, soft_device_new };
const struct vm_soft vm_soft_power = { soft_power_probe, soft_power_new };
const struct vm_soft vm_soft_sanctum = { soft_sanctum_probe, soft_sanctum_new };

bool vm_device_new(const struct vm_soft *soft, const struct hal_config *cfg,
	uid_t uid, bool change, struct device **out, struct err *e)
{
	const struct soft_config c = { .image_dir = cfg->image_dir,
		.root_path = cfg->root_path,
		.gdb_path = cfg->debug ? cfg->gdb_path : NULL,
		.uid = uid,
		.change_id = change,
		.epc_bytes = cfg->boot.memory_bytes + VM_RAM_SLACK };
	return cfg->platform == HAL_SOFTWARE ? soft->make(&c, out, e) :
					       device_linux_new(out, e);
}

static bool look(const struct vm_soft *soft, const struct hal_config *cfg,
	vm_probe_real *real, struct hal_probe *p)
{
	struct err own = { 0 }, played = { 0 };
	if (cfg->platform != HAL_SOFTWARE && real(cfg, &own))
		return true;
	p->emulated = cfg->platform != HAL_HARDWARE;
	bool ok = p->emulated && soft->probe(cfg->image_dir, &played);
	fmt(p->missing, sizeof p->missing, "%s%s%s", own.text,
		*own.text && *played.text ? "; software platform: " : "",
		played.text);
	return ok;
}

void vm_device_probe(const struct vm_soft *soft, const struct hal_config *cfg,
	const struct hal_tech *t, vm_probe_real *real, struct hal_probe *p)
{
	struct err why = { 0 };
	p->available = look(soft, cfg, real, p);
	/* What the software platform signs ends in its root. */
	p->software = p->emulated;
	p->confidential = !p->emulated;
	if (!p->available || hal_images_look(cfg, t, &why) == HAL_WHOLE)
		return;
	p->available = false;
	fmt(p->missing, sizeof p->missing, "%s", why.text);
}
