/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "hal/snp_priv.h"
#include "spec/kvm.h"

/* "Y" or "1" in a module's parameter file. */
static bool parameter_on(const char *path, bool *there)
{
	char c = 0;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	*there = fd >= 0 && read(fd, &c, 1) == 1;
	return c == 'Y' || c == '1';
}

/* The kernel says why it does not offer SNP by its module's parameter. */
static bool why_not(struct err *e)
{
	bool there;
	bool on =
		parameter_on("/sys/module/kvm_amd/parameters/sev_snp", &there);
	if (!there)
		return err_fail(e, ERR_HOST,
			"no AMD processor, or no kvm_amd of Linux 6.11 or "
			"later");
	if (!on)
		return err_fail(e, ERR_HOST,
			"kvm_amd.sev_snp is off: turn SNP on in the firmware "
			"(SMEE, SEV-ES ASIDs, SNP memory coverage), boot with "
			"kvm_amd.sev_snp=1");
	return err_fail(e, ERR_HOST, "KVM offers no SNP machines");
}

bool snp_probe_host(struct device *d, struct err *e)
{
	int kvm = -1, sev;
	if (!vm_open_kvm(d, &kvm, e))
		return false;
	int types = device_ioctl(d, kvm, KVM_CHECK_EXTENSION,
		(void *)SPEC_KVM_CAP_VM_TYPES);
	d->ops->close(d, kvm);
	if (types <= 0 || !(types & 1 << SPEC_KVM_SNP_VM))
		return why_not(e);
	sev = d->ops->open(d, "/dev/sev");
	if (sev < 0)
		return err_fail(e, ERR_HOST,
			"/dev/sev: %s: let this user read and write it",
			strerror(-sev));
	d->ops->close(d, sev);
	return true;
}
