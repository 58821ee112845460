/* SPDX-License-Identifier: Apache-2.0 */
/* Technology `sgx`: the parts behind sgx.c. */
#ifndef HAL_SGX_PRIV_H
#define HAL_SGX_PRIV_H

#include "abi/enclave.h"
#include "base/buf.h"
#include "hal/aesm.h"
#include "hal/vm_priv.h"
#include "spec/sgx_enclave.h"

/* Both images, as files. */
struct sgx_images {
	struct buf shim, exec;
};

/* What this processor has (SDM, volume 3D, §37.7). */
struct sgx_features {
	bool sgx2;   /* pages can be added and changed */
	bool exinfo; /* and faults are told of: both, or neither is used */
	bool kss;
	bool launch_control;
	uint64_t xfrm; /* state that enclaves may use, and we take along */
	uint64_t epc_bytes;
	unsigned size_bits; /* of the largest enclave */
};

struct sgx_machine {
	struct device *device;
	int handle; /* the enclave */
	bool reserved;
	uint8_t *window;
	size_t memory_bytes;
	struct sgx_features features;
	uint32_t heap_bytes; /* of memory that is fixed; 0: it grows */
	uint64_t usable;     /* of it, by exec */
	uint64_t tcs;
	struct vm_cpu cpu;
	struct aesm aesm; /* on hardware */
	/* What the thread does next. */
	uint32_t function;
	/* The last exception, for when the shim could not handle it. */
	unsigned vector;
	uint64_t address;
	uid_t uid;
	bool change_id;
};

/* --- sgx_probe.c -----------------------------------------------------------
 */

/* False: it can't run a Keep's enclave; e says what is missing, and how to get
 * it. */
MUST_USE bool sgx_features(struct device *d, struct sgx_features *out,
	struct err *e);
MUST_USE bool sgx_probe_host(const struct hal_config *cfg, struct device *d,
	struct err *e);
/* In words, what it has; nothing is written where it has none. */
void sgx_describe(struct device *d, char *out, size_t size);
/* The kernel can add and change pages (Linux 6.0); handle: a new enclave's. */
bool sgx_kernel_has_edmm(struct device *d, int handle);
/* The quoting service's socket: what the file `sgx-quoting` names, or AESM's.
 */
void sgx_quoting_socket(const struct hal_config *cfg, char *out, size_t size);

/* --- sgx_launch.c ----------------------------------------------------------
 */

MUST_USE bool sgx_images_load(const char *image_dir,
	const struct hal_tech *tech, struct sgx_images *out, struct err *e);
void sgx_images_fini(struct sgx_images *i);
/* Up to, not with, its thread; all-zero is accepted by _fini. */
MUST_USE bool sgx_launch(struct sgx_machine *m, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e);
void sgx_machine_fini(struct sgx_machine *m);

/* --- sgx_sign.c ------------------------------------------------------------
 */

/* The release's SIGSTRUCT where there is one for that measurement, or one by
 * this host's own key, which is made on first use. */
MUST_USE bool sgx_sigstruct(const struct hal_config *cfg,
	const uint8_t mrenclave[32], struct sgx_sigstruct *out, struct err *e);

/* --- sgx_cpu.c -------------------------------------------------------------
 */

/* What the enclave asks the kernel for (ENCLAVE_RESTRICT, _RETYPE, _REMOVE,
 * _ADD). */
enum vm_turn sgx_serve_pages(struct sgx_machine *m, struct vm_cpu *c,
	struct device_enclave *x);
/* struct vm_cpu's hooks; ctx: struct sgx_machine. */
enum vm_turn sgx_enter(void *ctx, struct vm_cpu *c);
void sgx_stop(void *ctx, struct vm_cpu *c);

#endif
