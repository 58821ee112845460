/* SPDX-License-Identifier: Apache-2.0 */
/* Technology `pef`: its machine, and what of it is on this host. */
#ifndef HAL_PEF_PRIV_H
#define HAL_PEF_PRIV_H

#include "abi/pef.h"
#include "esm/blob.h"
#include "hal/vm_priv.h"
#include "spec/kvm_ppc.h"

struct pef_machine {
	struct vm_machine m;
	struct buf blob;  /* the owner's, or the software platform's own */
	struct buf vouch; /* of the latter: what its root says of the key */
};

/* Up to a processor that can start. */
MUST_USE bool pef_launch(struct pef_machine *p, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e);
void pef_machine_fini(struct pef_machine *p);

/* --- pef_probe.c -------------------------------------------------------- */

/* A POWER9 with an ultravisor, and a kernel that knows it. */
MUST_USE bool pef_probe_host(const struct hal_config *cfg, struct device *d,
	struct err *e);

#endif
