/* SPDX-License-Identifier: Apache-2.0 */
/* Technology `tdx`: the parts behind tdx.c. */
#ifndef HAL_TDX_PRIV_H
#define HAL_TDX_PRIV_H

#include "hal/vm_priv.h"
#include "spec/tdx.h"

struct spec_kvm_tdx_capabilities;

/* --- the launch (tdx_launch.c) ----------------------------------------------
 */

struct tdx_machine {
	struct vm_machine m;
	int memfd, reset_memfd; /* private memory */
	uint8_t *reset;		/* the host's half of VM_RESET_GPA's page */
	struct spec_kvm_tdx_capabilities *can;
};

/* Makes the machine, has the TDX module measure all of its pages in order, and
 * ends the launch: the processor may start.  Accepts all-zero at _fini. */
MUST_USE bool tdx_launch(struct tdx_machine *t, const struct hal_tech *tech,
	const struct hal_config *cfg, struct err *e);
void tdx_machine_fini(struct tdx_machine *t);
/* What domains can have here; the caller's to free. */
MUST_USE bool tdx_capabilities(struct device *d, int vm,
	struct spec_kvm_tdx_capabilities **out, struct err *e);

/* --- what a host has (tdx_probe.c) -------------------------------------------
 */

/* Why not, and how to mend it; detail: what domains have here. */
MUST_USE bool tdx_probe_host(const struct hal_config *cfg, struct device *d,
	char detail[96], struct err *e);
/* The quoting service: what the file `tdx-quoting` beside the software root
 * names, or QGS's. */
void tdx_quoting(const struct hal_config *cfg, char *out, size_t size);

#endif
