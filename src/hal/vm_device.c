/* SPDX-License-Identifier: Apache-2.0 */
/* Whose virtual machines: the kernel's, or the software platform's. */
#include "hal/vm_priv.h"
#include "soft/device.h"

bool vm_device_new(const struct hal_config *cfg, uid_t uid, bool change,
	struct device **out, struct err *e)
{
	const struct soft_config soft = { .image_dir = cfg->image_dir,
		.root_path = cfg->root_path,
		.gdb_path = cfg->debug ? cfg->gdb_path : NULL,
		.uid = uid,
		.change_id = change,
		.epc_bytes = cfg->boot.memory_bytes + VM_RAM_SLACK };
	return cfg->platform == HAL_SOFTWARE ? soft_device_new(&soft, out, e) :
					       device_linux_new(out, e);
}

/* This machine's own, before the software platform's. */
bool vm_device_probe(const struct hal_config *cfg, vm_probe_real *real,
	bool *emulated, struct err *e)
{
	struct err soft = { 0 };
	*emulated = false;
	if (cfg->platform != HAL_SOFTWARE && real(cfg, e))
		return true;
	if (cfg->platform == HAL_HARDWARE)
		return false;
	*emulated = true;
	if (soft_device_probe(cfg->image_dir, &soft))
		return true;
	if (cfg->platform == HAL_SOFTWARE)
		*e = soft;
	return false;
}
