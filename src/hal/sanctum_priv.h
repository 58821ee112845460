/* SPDX-License-Identifier: Apache-2.0 */
/* Technology `sanctum`: the parts behind sanctum.c. */
#ifndef HAL_SANCTUM_PRIV_H
#define HAL_SANCTUM_PRIV_H

#include "abi/sanctum.h"
#include "hal/vm_priv.h"

struct sanctum_machine {
	struct device *device;
	int handle; /* the driver's */
	uint8_t *window;
	uint8_t *images; /* to be copied by the monitor; NULL when it has */
	size_t images_bytes;
	struct sanctum_shim_head head;
	size_t exec_bytes;
	uint64_t memory_bytes; /* the enclave's */
	uint64_t enclave;      /* its number */
	bool created;
	struct vm_cpu cpu;
	uid_t uid;
	bool change_id;
};

/* --- sanctum_launch.c --------------------------------------------------- */

/* Up to, not with, its thread; all-zero is accepted by _fini. */
MUST_USE bool sanctum_launch(struct sanctum_machine *m,
	const struct hal_tech *tech, const struct hal_config *cfg,
	struct err *e);
void sanctum_machine_fini(struct sanctum_machine *m);

#endif
