/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has of SGX, and how to get what it lacks. */
#include <asm/sgx.h>
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/sgx_priv.h"

enum {
	LEAF_FEATURES = 7,
	LEAF_XSAVE = 0xd,
	LEAF_SGX = 0x12,
	F7_EBX_SGX = 1 << 2,
	F7_ECX_LC = 1 << 30,
	SGX1 = 1,
	SGX2 = 2,
	KSS = 1 << 7,
	EPC_SECTIONS = 8,
};

/* x87, SSE, AVX, AVX-512: what a frame of one page has room for. */
#define XFRM_TAKEN 0xe7ull
#define AVX512	   0xe0ull

/* Of EPC: less than a Keep whose memory is fixed. */
#define EPC_LITTLE (256ull << 20)

static bool ask(struct device *d, uint32_t leaf, uint32_t sub, uint32_t r[4],
	struct err *e)
{
	int n = d->ops->cpuid(d, leaf, sub, r);
	return n >= 0 || err_fail(e, ERR_HOST, "CPUID: %s", strerror(-n));
}

static bool epc_size(struct device *d, uint64_t *bytes, struct err *e)
{
	uint32_t r[4];
	*bytes = 0;
	for (uint32_t i = 0; i < EPC_SECTIONS; i++) {
		if (!ask(d, LEAF_SGX, 2 + i, r, e))
			return false;
		if ((r[0] & 15) != 1)
			break;
		*bytes +=
			(uint64_t)(r[3] & 0xfffff) << 32 | (r[2] & 0xfffff000u);
	}
	return true;
}

static bool read_all(struct device *d, struct sgx_features *f, struct err *e)
{
	uint32_t r[4], x[4], s[4];
	if (!ask(d, LEAF_FEATURES, 0, r, e) || !ask(d, LEAF_XSAVE, 0, x, e) ||
		!ask(d, LEAF_SGX, 0, s, e))
		return false;
	if (!(r[1] & F7_EBX_SGX))
		return err_fail(e, ERR_HOST,
			"the processor has no SGX, or the BIOS hides it: "
			"enable SGX there (\"Enabled\", not \"Software "
			"controlled\")");
	if (!(s[0] & SGX1))
		return err_fail(e, ERR_HOST,
			"SGX is switched off: enable it in the BIOS, with PRM "
			"or EPC memory");
	f->launch_control = r[2] & F7_ECX_LC;
	f->sgx2 = s[0] & SGX2;
	f->exinfo = s[1] & SGX_MISC_EXINFO;
	f->size_bits = s[3] >> 8 & 0xff;
	uint64_t has = x[0];
	if (!ask(d, LEAF_SGX, 1, s, e))
		return false;
	f->kss = s[0] & KSS;
	f->xfrm = has & s[2] & XFRM_TAKEN;
	if ((f->xfrm & AVX512) != AVX512)
		f->xfrm &= ~AVX512;
	return epc_size(d, &f->epc_bytes, e);
}

bool sgx_features(struct device *d, struct sgx_features *out, struct err *e)
{
	struct sgx_features f = { 0 };
	if (!read_all(d, &f, e))
		return false;
	if (!f.epc_bytes)
		return err_fail(e, ERR_HOST,
			"no enclave memory: give some to the EPC in the BIOS");
	if (!f.launch_control)
		return err_fail(e, ERR_HOST,
			"no flexible launch control: the BIOS must leave "
			"IA32_SGXLEPUBKEYHASH unlocked, or the processor is "
			"too old");
	if (1ull << f.size_bits < ENCLAVE_BYTES)
		return err_fail(e, ERR_HOST,
			"enclaves of 2^%u bytes at most, 2^36 needed",
			f.size_bits);
	*out = f;
	return true;
}

bool sgx_kernel_has_edmm(struct device *d, int handle)
{
	struct sgx_enclave_restrict_permissions none = { 0 };
	return device_ioctl(d, handle, SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS,
		       &none) != -ENOTTY;
}

void sgx_quoting_socket(const struct hal_config *cfg, char *out, size_t size)
{
	vm_named_beside_root(cfg, "sgx-quoting", AESM_SOCKET, out, size);
}

/* What would make programs faster, or room for them, with its mend. */
void sgx_describe(struct device *d, char *out, size_t size)
{
	struct sgx_features f = { 0 };
	struct err e = { 0 };
	int n = d->ops->open(d, "/dev/sgx_enclave");
	bool known = n >= 0 && sgx_features(d, &f, &e);
	bool kernel = known && sgx_kernel_has_edmm(d, n);
	const char *fixed = !f.sgx2 || !f.exinfo ? "the processor has no SGX2" :
		!kernel ? "Linux 6.0 would change that" :
			  NULL;
	if (n >= 0)
		d->ops->close(d, n);
	if (!known)
		return;
	fmt(out, size, "enclave of Intel SGX, %llu MiB of EPC%s%s; memory %s%s",
		(unsigned long long)(f.epc_bytes >> 20),
		f.epc_bytes < EPC_LITTLE ?
			" (will be paged: the BIOS may give more)" :
			"",
		f.kss ? ", owner in CONFIGID" : "",
		fixed ? "is fixed, programs are interpreted: " :
			"grows, programs are compiled",
		fixed ? fixed : "");
}

/* The service's enclaves hold the provisioning key: that file is for its user,
 * not for ours, who can see only that it is there. */
static bool can_provision(struct device *d)
{
	int n = d->ops->open(d, "/dev/sgx_provision");
	if (n >= 0)
		d->ops->close(d, n);
	return n != -ENOENT;
}

bool sgx_probe_host(const struct hal_config *cfg, struct device *d,
	struct err *e)
{
	struct sgx_features f;
	char socket[108];
	if (!sgx_features(d, &f, e))
		return false;
	int n = d->ops->open(d, "/dev/sgx_enclave");
	if (n == -ENOENT)
		return err_fail(e, ERR_HOST,
			"no /dev/sgx_enclave: Linux 5.11 or newer with "
			"CONFIG_X86_SGX is needed");
	if (n < 0)
		return err_fail(e, ERR_HOST,
			"/dev/sgx_enclave: %s: add this user to the group sgx",
			strerror(-n));
	d->ops->close(d, n);
	sgx_quoting_socket(cfg, socket, sizeof socket);
	bool own = !strcmp(socket, AESM_SOCKET);
	if (own && !can_provision(d))
		return err_fail(e, ERR_HOST,
			"no /dev/sgx_provision, which quoting needs: Linux "
			"5.11 or newer and udev's group sgx_prv with aesmd in "
			"it");
	return aesm_probe(socket, e) ||
		err_fail(e, ERR_HOST,
			"no quoting service at %s: install sgx-aesm-service "
			"and its ECDSA plugins, or name another in sgx-quoting",
			socket);
}
