/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/qgs.h"
#include "hal/tdx_priv.h"
#include "spec/kvm.h"

/* The kernel says why it does not offer TDX by its module's parameter. */
static bool why_not(struct err *e)
{
	bool there;
	bool on = vm_probe_parameter("/sys/module/kvm_intel/parameters/tdx",
		&there);
	if (!there)
		return err_fail(e, ERR_HOST,
			"no Intel processor, or no kvm_intel of Linux 6.16 or "
			"later");
	if (!on)
		return err_fail(e, ERR_HOST,
			"kvm_intel.tdx is off: turn TDX on in the machine's "
			"setup (TME-MT, key IDs, SEAM loader), boot with "
			"kvm_intel.tdx=1 nohibernate");
	return err_fail(e, ERR_HOST, "KVM offers no trust domains");
}

void tdx_quoting(const struct hal_config *cfg, char *out, size_t size)
{
	vm_named_beside_root(cfg, "tdx-quoting", QGS_SOCKET, out, size);
}

static bool find_quoting(const struct hal_config *cfg, struct err *e)
{
	char where[128];
	auto_fd fd = -1;
	tdx_quoting(cfg, where, sizeof where);
	return qgs_open(where, &fd, e) ||
		err_wrap(e, "install and start qgsd of tdx-qgs");
}

static bool domains(struct device *d, int kvm, char detail[96], struct err *e)
{
	struct spec_kvm_tdx_capabilities *c;
	int vm = device_ioctl(d, kvm, KVM_CREATE_VM,
		(void *)(uintptr_t)SPEC_KVM_TDX_VM);
	if (vm < 0)
		return err_fail(e, ERR_HOST,
			"KVM makes no trust domain: %s: all key IDs may be in "
			"use",
			strerror(-vm));
	bool ok = tdx_capabilities(d, vm, &c, e);
	d->ops->close(d, vm);
	if (!ok)
		return false;
	fmt(detail, 96, "attributes 0x%llx, state 0x%llx",
		(unsigned long long)c->supported_attrs,
		(unsigned long long)c->supported_xfam);
	free(c);
	return true;
}

static bool kernel(struct device *d, int kvm, char detail[96], struct err *e)
{
	int types = device_ioctl(d, kvm, KVM_CHECK_EXTENSION,
		(void *)SPEC_KVM_CAP_VM_TYPES);
	if (types <= 0 || !(types & 1 << SPEC_KVM_TDX_VM))
		return why_not(e);
	return domains(d, kvm, detail, e);
}

bool tdx_probe_host(const struct hal_config *cfg, struct device *d,
	char detail[96], struct err *e)
{
	int kvm = -1;
	if (!vm_open_kvm(d, &kvm, e))
		return false;
	bool ok = kernel(d, kvm, detail, e);
	d->ops->close(d, kvm);
	return ok && find_quoting(cfg, e);
}
