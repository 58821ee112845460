/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "hal/snp_priv.h"
#include "helpers/vm.h"
#include "spec/kvm.h"
#include "spec/psp.h"
#include "spec/svm.h"

/* --- what is missing -------------------------------------------------------
 */

struct host {
	struct device device;
	int kvm, sev, types, result; /* of what is opened and asked */
	struct spec_psp_snp_status status;
};

static int host_open(struct device *d, const char *path)
{
	const struct host *h = (const void *)d;
	return strcmp(path, "/dev/sev") ? h->kvm : h->sev;
}

static int host_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	const struct host *h = (const void *)d;
	struct spec_psp_cmd *c = arg;
	if (request == KVM_GET_API_VERSION)
		return KVM_API_VERSION;
	if (request == KVM_CHECK_EXTENSION)
		return (uintptr_t)arg == SPEC_KVM_CAP_VM_TYPES ? h->types : 1;
	CHECK_INT(handle, h->sev);
	CHECK(request == SPEC_PSP_ISSUE);
	CHECK_INT(c->cmd, SPEC_PSP_SNP_STATUS);
	uint64_t at = c->data_low | (uint64_t)c->data_high << 32;
	memcpy((void *)(uintptr_t)at, &h->status, sizeof h->status);
	return h->result;
}

static void host_close(struct device *d, int handle)
{
	(void)d;
	(void)handle;
}

static const struct device_ops host_ops = { .open = host_open,
	.ioctl = host_ioctl,
	.close = host_close };

static const struct host good = { .device.ops = &host_ops,
	.kvm = 10,
	.sev = 11,
	.types = 1 | 1 << SPEC_KVM_SNP_VM,
	.status = { .api_major = 1,
		.api_minor = 55,
		.build = 29,
		.state = SPEC_PSP_SNP_INIT,
		.rmp = 1,
		.reported_tcb = { 4, 0, 0, 0, 0, 0, 24, 219 } } };

TEST(snp_a_host_that_has_all_tells_its_firmware)
{
	struct host h = good;
	char detail[96] = "";
	struct err e = { 0 };
	if (!snp_probe_host(&h.device, detail, &e))
		fail_msg("%s", e.text);
	CHECK_STR(detail, "firmware 1.55 build 29, TCB 4.0.24.219");
}

static void lacks(const struct host *h, const char *what, const char *mend)
{
	struct host copy = *h;
	char detail[96] = "";
	struct err e = { 0 };
	CHECK(!snp_probe_host(&copy.device, detail, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, what);
	CHECK_HAS(e.text, mend);
}

TEST(snp_what_a_host_lacks_is_named_with_its_mend)
{
	struct host h = good;
	h.kvm = -ENOENT;
	lacks(&h, "no /dev/kvm", "load kvm_amd");
	h = good;
	h.kvm = -EACCES;
	lacks(&h, "/dev/kvm: Permission denied", "group kvm");
	h = good;
	h.types = 1;
	lacks(&h, "", "");
	h = good;
	h.sev = -EACCES;
	lacks(&h, "/dev/sev: Permission denied",
		"let this user read and write");
	h = good;
	h.result = -ENOTTY;
	lacks(&h, "SNP firmware", "Linux 6.11");
	h = good;
	h.status.state = 0;
	lacks(&h, "not initialised", "SNP memory coverage");
	h = good;
	h.status.rmp = 0;
	lacks(&h, "not initialised", "IOMMU");
	h = good;
	h.status.api_minor = 49;
	lacks(&h, "1.49 build 29 is too old", "amd64-microcode");
	h = good;
	h.status.flags = SPEC_PSP_MASK_CHIP_KEY;
	lacks(&h, "MASK_CHIP_KEY", "SNP_CONFIG");
}

/* --- a Keep -----------------------------------------------------------------
 */

TEST(snp_keep_lives_on_memory_time_and_randomness)
{
	place_ends("snp", GUEST_LIVE, "exit status 0");
}

TEST(snp_keep_finds_the_walls_of_its_shim)
{
	place_ends("snp", GUEST_WALLS, "exit status 0");
}

TEST(snp_keep_may_use_all_memory_that_was_promised)
{
	place_ends("snp", GUEST_FULL, "exit status 0");
}

TEST(snp_says_how_a_keep_died)
{
	place_deaths("snp");
}

TEST(snp_keep_ends_when_it_is_told_to_whatever_it_does)
{
	struct place p;
	place_open(&p, "snp", GUEST_SPIN);
	p.tech->destroy(place_launch(&p));
	place_close(&p);
}

/* --- a kernel that promises too much ----------------------------------------
 */

static const struct device_ops *real;
static unsigned asked, refused;

/* ENQCMD, which QEMU's processor has not. */
static int promise(struct device *d, int handle, unsigned long request,
	void *arg)
{
	int n = real->ioctl(d, handle, request, arg);
	const struct spec_kvm_sev_cmd *cmd = arg;
	if (request == KVM_GET_SUPPORTED_CPUID && n >= 0) {
		struct kvm_cpuid2 *c = arg;
		for (uint32_t i = 0; i < c->nent; i++)
			if (c->entries[i].function == 7 && !c->entries[i].index)
				c->entries[i].ecx |= 1u << 29;
	}
	if (request == KVM_MEMORY_ENCRYPT_OP && cmd &&
		cmd->id == SPEC_KVM_SNP_UPDATE) {
		asked++;
		refused += n == -EIO && cmd->error == SNP_INVALID_PARAM;
	}
	return n;
}

static const struct device_ops *spy(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.ioctl = promise;
	return &mine;
}

/* --- a kernel that offers more than ours -------------------------------------
 */

static uint64_t wanted;

static int offer(struct device *d, int handle, unsigned long request, void *arg)
{
	const uint64_t all = ~0ull;
	if (request == KVM_GET_DEVICE_ATTR) {
		const struct kvm_device_attr *a = arg;
		memcpy((void *)(uintptr_t)a->addr, &all, sizeof all);
		return 0;
	}
	const struct spec_kvm_sev_cmd *cmd = arg;
	if (request == KVM_MEMORY_ENCRYPT_OP && cmd &&
		cmd->id == SPEC_KVM_SEV_INIT2) {
		struct spec_kvm_sev_init i;
		memcpy(&i, (const void *)(uintptr_t)cmd->data, sizeof i);
		wanted = i.vmsa_features;
	}
	return real->ioctl(d, handle, request, arg);
}

static const struct device_ops *spy_offer(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.ioctl = offer;
	return &mine;
}

TEST(snp_of_a_kernel_s_features_those_are_asked_for_that_a_verifier_knows)
{
	struct place p;
	struct snp_machine s = { 0 };
	struct err e = { 0 };
	place_open(&p, "snp", GUEST_QUIT);
	if (p.cfg.platform != HAL_SOFTWARE)
		SKIP_TEST("this machine's own SNP offers what it has");
	place_spy = spy_offer;
	/* The software platform has no Restricted Injection, and says so. */
	CHECK(!snp_launch(&s, p.tech, &p.cfg, &e));
	place_spy = NULL;
	CHECK_HAS(e.text, "SEV_INIT2: Invalid argument");
	CHECK(wanted == (SVM_FEATURE_DEBUG_SWAP | SVM_FEATURE_RESTRICTED));
	snp_machine_fini(&s);
	place_close(&p);
}

/* --- what a Keep gives back
 * ---------------------------------------------------
 */

static uint64_t shared_bytes, private_bytes, gone_bytes;

static int watch(struct device *d, int handle, unsigned long request, void *arg)
{
	const struct spec_kvm_attributes *a = arg;
	if (request == SPEC_KVM_SET_MEMORY_ATTRIBUTES)
		*(a->attributes ? &private_bytes : &shared_bytes) += a->size;
	return real->ioctl(d, handle, request, arg);
}

static int watch_discard(struct device *d, int handle, uint64_t at,
	uint64_t len)
{
	gone_bytes += len;
	return real->discard(d, handle, at, len);
}

static const struct device_ops *spy_states(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.ioctl = watch;
	mine.discard = watch_discard;
	return &mine;
}

TEST(snp_keep_gives_back_memory_that_it_needs_no_more)
{
	struct place p;
	char why[128] = "";
	place_open(&p, "snp", GUEST_FULL);
	place_spy = spy_states;
	struct hal_keep *k = place_launch(&p);
	place_spy = NULL;
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	/* Of 64 MiB, all but some; at the launch, all was made private. */
	CHECK(shared_bytes >= 40u << 20);
	CHECK(gone_bytes == shared_bytes);
	CHECK(private_bytes >= 128u << 20);
	p.tech->destroy(k);
	place_close(&p);
}

TEST(snp_what_the_firmware_corrected_of_a_cpuid_page_is_taken)
{
	struct place p;
	struct snp_machine s = { 0 };
	struct err e = { 0 };
	place_open(&p, "snp", GUEST_QUIT);
	if (p.cfg.platform != HAL_SOFTWARE)
		SKIP_TEST("this machine's own SNP promises what it has");
	place_spy = spy;
	if (!snp_launch(&s, p.tech, &p.cfg, &e))
		fail_msg("%s", e.text);
	place_spy = NULL;
	CHECK_INT(refused, 1);
	CHECK(asked > 2);
	snp_machine_fini(&s);
	place_close(&p);
}
