/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "hal/pef_priv.h"
#include "soft/power.h"

/* Where Linux shows what the firmware said of an ultravisor. */
#define ULTRAVISOR "/proc/device-tree/ibm,ultravisor"

bool pef_probe_host(UNUSED const struct hal_config *cfg, struct device *d,
	struct err *e)
{
	int kvm = -1;
	if (access(ULTRAVISOR, F_OK) != 0)
		return err_fail(e, ERR_HOST,
			"no ultravisor: a POWER9 is needed whose firmware "
			"starts one");
	if (!vm_open_kvm(d, &kvm, e))
		return false;
	int n = device_ioctl(d, kvm, KVM_CHECK_EXTENSION,
		(void *)SPEC_KVM_CAP_PPC_SECURE_GUEST);
	d->ops->close(d, kvm);
	return n > 0 ||
		err_fail(e, ERR_HOST,
			"the kernel's KVM has no secure guests: Linux 5.8 or "
			"later is needed, with CONFIG_PPC_UV");
}

bool pef_device_probe(const struct hal_config *cfg, vm_probe_real *real,
	bool *emulated, struct err *e)
{
	struct err soft = { 0 };
	*emulated = false;
	if (cfg->platform != HAL_SOFTWARE && real(cfg, e))
		return true;
	if (cfg->platform == HAL_HARDWARE)
		return false;
	*emulated = true;
	if (soft_power_probe(cfg->image_dir, &soft))
		return true;
	if (cfg->platform == HAL_SOFTWARE)
		*e = soft;
	return false;
}

bool pef_device_new(const struct hal_config *cfg, uid_t uid, bool change,
	struct device **out, struct err *e)
{
	const struct soft_config soft = { .image_dir = cfg->image_dir,
		.root_path = cfg->root_path,
		.gdb_path = cfg->debug ? cfg->gdb_path : NULL,
		.uid = uid,
		.change_id = change };
	return cfg->platform == HAL_SOFTWARE ? soft_power_new(&soft, out, e) :
					       device_linux_new(out, e);
}
