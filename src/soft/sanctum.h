/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software platform's RISC-V machine: the driver of a kernel that has one
 * (abi/sanctum_driver.h), the boot ROM that measures the monitor, and the
 * manufacturer whose key the software root vouches for.  The monitor itself is
 * the real one (monitor/riscv64), in QEMU's M-mode.
 */
#ifndef SOFT_SANCTUM_H
#define SOFT_SANCTUM_H

#include "abi/sanctum.h"
#include "base/buf.h"
#include "soft/device.h"
#include "soft/root.h"

/* Is all there that soft_sanctum_new will need?  Says what is missing. */
MUST_USE bool soft_sanctum_probe(const char *image_dir, struct err *e);
/* The boot ROM runs; its root_path is needed. */
MUST_USE bool soft_sanctum_new(const struct soft_config *c, struct device **out,
	struct err *e);
/* What vouches for its keys (spec/sanctum.h); appended. */
MUST_USE bool soft_sanctum_endorsements(struct device *d, struct buf *out,
	struct err *e);

/* Why it fails every request from now on; "": it does not, or another device
 * does. */
const char *soft_sanctum_said(struct device *d);

/* --- for tests ---------------------------------------------------------- */

/* Before its first call: an operating system in untrusted memory is started
 * there, and is who asks the monitor. */
void soft_sanctum_system(struct device *d, const void *entry);
/* Starts the machine, without any call; memory for enclaves. */
MUST_USE bool soft_sanctum_start(struct device *d, uint64_t enclave_bytes,
	struct err *e);
/* Interrupts the processor, for nothing. */
void soft_sanctum_interrupt(struct device *d);
/* The monitor's last words. */
const char *soft_sanctum_log(struct device *d, size_t *len);

/* --- sanctum_rom.c ------------------------------------------------------ */

/* What a boot ROM does: measures the monitor, makes its key out of the
 * device's, signs both; keys of manufacturer and device are made here, for this
 * start. */
MUST_USE bool soft_sanctum_rom(const struct soft_root *root,
	struct bytes monitor, struct sanctum_record *record,
	struct buf *endorsements, struct err *e);

#endif
