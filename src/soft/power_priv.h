/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOFT_POWER_PRIV_H
#define SOFT_POWER_PRIV_H

#include "crypto/wrap.h"
#include "esm/blob.h"
#include "soft/machine.h"
#include "soft/power.h"
#include "soft/root.h"
#include "spec/kvm_ppc.h"

enum { POWER_WORDS = 10 };

struct soft_power {
	struct device device;
	struct soft_machine machine;
	int image;
	int gdb; /* a listening socket, or -1 */
	uid_t uid;
	bool change_id;
	struct soft_root *root;
	struct crypto_wrap *tpm; /* the machine's */
	bool has_vm, has_cpu, papr, may_secure;
	bool begun; /* the monitor knows the guest */
	bool broken;
	bool asked; /* userspace answers a hypercall */
	struct spec_kvm_ppc_regs regs;
	/* A secure guest's, from UV_ESM on. */
	bool secure;
	struct err refused; /* why it is not, for people */
	struct buf blob;
	uint8_t symkey[ESM_SYMKEY_BYTES];
	uint64_t file_read; /* so far, of the one file that was asked for */
	char file_name[65];
	soft_power_scribble *scribble;
	void *scribble_ctx;
};

extern const struct device_ops soft_power_ops;

/* --- power_seal.c ------------------------------------------------------- */

/* The key that a TPM would hold, made at its first use. */
MUST_USE bool soft_power_tpm(const char *root_path, struct crypto_wrap **out,
	struct err *e);

/* --- ultravisor.c ------------------------------------------------------- */

/* r3 to r12 of an ultracall; those of its answer.  False: the monitor failed.
 */
MUST_USE bool soft_ultracall(struct soft_power *s, uint64_t words[POWER_WORDS],
	struct err *e);

#endif
