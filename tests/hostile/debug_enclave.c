/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loader whose enclaves can be looked into: ATTRIBUTES.DEBUG is set at
 * ECREATE, and SIGSTRUCT signed again for that.  All else is the loader's own,
 * so is the measurement, which does not know of it: only the quote does.
 */
#include <asm/sgx.h>
#include <errno.h>

#include "enclave/sign.h"
#include "loader.h"

static bool sign_again(struct sgx_sigstruct *s)
{
	struct crypto_rsa3 *key;
	struct err e = { 0 };
	s->attributes |= SGX_FLAG_DEBUG;
	if (!crypto_rsa3_generate(&key, &e))
		return false;
	bool ok = enclave_sign(key, s, &e);
	crypto_rsa3_free(key);
	return ok;
}

static int spy_ioctl(struct device *d, int handle, unsigned long request,
	void *arg)
{
	const struct sgx_enclave_create *create = arg;
	const struct sgx_enclave_init *init = arg;
	if (request == SGX_IOC_ENCLAVE_CREATE) {
		struct sgx_secs *s = (void *)(uintptr_t)create->src;
		s->attributes |= SGX_FLAG_DEBUG;
	}
	if (request == SGX_IOC_ENCLAVE_INIT &&
		!sign_again((void *)(uintptr_t)init->sigstruct))
		return -EIO;
	return loader_real->ioctl(d, handle, request, arg);
}

void loader_place(struct device_ops *spy)
{
	spy->ioctl = spy_ioctl;
}
