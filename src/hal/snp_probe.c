/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/fmt.h"
#include "hal/snp_priv.h"
#include "spec/kvm.h"
#include "spec/psp.h"

/* The kernel says why it does not offer SNP by its module's parameter. */
static bool why_not(struct err *e)
{
	bool there;
	bool on = vm_probe_parameter("/sys/module/kvm_amd/parameters/sev_snp",
		&there);
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

/* --- the firmware ----------------------------------------------------------
 */

/* What attestation as we check it needs: reports of version 2 and later came
 * with 1.51 (AMD 56860, revision history). */
enum { ABI_MAJOR = 1, ABI_MINOR = 51 };

static bool firmware_status(struct device *d, int sev,
	struct spec_psp_snp_status *s, struct err *e)
{
	uint64_t at = (uintptr_t)s;
	struct spec_psp_cmd c = { .cmd = SPEC_PSP_SNP_STATUS,
		.data_low = (uint32_t)at,
		.data_high = (uint32_t)(at >> 32) };
	int n = device_ioctl(d, sev, SPEC_PSP_ISSUE, &c);
	return n >= 0 ||
		err_fail(e, ERR_HOST,
			"SNP firmware: %s, status 0x%x: it needs Linux 6.11 or "
			"later",
			strerror(-n), c.error);
}

static bool firmware_check(const struct spec_psp_snp_status *s, struct err *e)
{
	if (s->state != SPEC_PSP_SNP_INIT || !(s->rmp & 1))
		return err_fail(e, ERR_HOST,
			"SNP firmware is not initialised: turn IOMMU and SNP "
			"memory coverage on in the machine's setup, boot "
			"without iommu=pt");
	if (s->api_major < ABI_MAJOR ||
		(s->api_major == ABI_MAJOR && s->api_minor < ABI_MINOR))
		return err_fail(e, ERR_HOST,
			"SNP firmware %u.%u build %u is too old: update the "
			"machine's setup, or amd/amd_sev_*.sbin of the package "
			"amd64-microcode",
			s->api_major, s->api_minor, s->build);
	if (s->flags & SPEC_PSP_MASK_CHIP_KEY)
		return err_fail(e, ERR_HOST,
			"SNP firmware signs with no chip's key "
			"(MASK_CHIP_KEY): clear it by SNP_CONFIG");
	return true;
}

static bool firmware(struct device *d, int sev, char detail[96], struct err *e)
{
	struct spec_psp_snp_status s = { 0 };
	if (!firmware_status(d, sev, &s, e) || !firmware_check(&s, e))
		return false;
	fmt(detail, 96, "firmware %u.%u build %u, TCB %u.%u.%u.%u", s.api_major,
		s.api_minor, s.build, s.reported_tcb[0], s.reported_tcb[1],
		s.reported_tcb[6], s.reported_tcb[7]);
	return true;
}

bool snp_probe_host(struct device *d, char detail[96], struct err *e)
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
	bool ok = firmware(d, sev, detail, e);
	d->ops->close(d, sev);
	return ok;
}
