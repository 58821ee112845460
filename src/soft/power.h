/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software platform's POWER9 with an ultravisor: a `struct device` that
 * answers as Linux's KVM-HV does on one.  QEMU is the processor, our monitor in
 * it holds secure memory (monitor/ppc64le), and here is what an ultravisor
 * does by cryptography: ESM blobs, and the key of the machine's TPM.
 */
#ifndef SOFT_POWER_H
#define SOFT_POWER_H

#include "base/buf.h"
#include "device/device.h"
#include "soft/device.h"

/* Is all there that soft_power_new will need?  Says what is missing. */
MUST_USE bool soft_power_probe(const char *image_dir, struct err *e);
MUST_USE bool soft_power_new(const struct soft_config *c, struct device **out,
	struct err *e);

struct esm_digests;
/*
 * What this machine's own owner would do for a Keep: seals a new key to the
 * machine and those digests, and has the software root vouch for it
 * (spec/pef.h). Both are appended.
 */
MUST_USE bool soft_power_seal(struct device *d, const struct esm_digests *want,
	struct buf *blob, struct buf *vouch, struct err *e);

/* Why its ultravisor refused the guest: an ultravisor's console; "": it did
 * not. */
const char *soft_power_refused(const struct device *d);

/* --- a hostile hypervisor, for tests of shims ------------------------------
 */

/* f may change r3 to r12 before the guest goes on behind a hypercall. */
typedef void soft_power_scribble(void *ctx, uint64_t words[10]);
void soft_power_scribbles(struct device *d, soft_power_scribble *f, void *ctx);

#endif
