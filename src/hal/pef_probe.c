/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "hal/pef_priv.h"

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
