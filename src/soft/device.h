/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software platform's `struct device` (device/device.h): plays the kernel
 * and the hardware for one Keep.  The processor is QEMU's, which interprets;
 * our own monitor runs in it as firmware (monitor/), and plays what a real
 * one has and QEMU's has not.
 *
 * It protects nobody from this host.  It is faithful in what it refuses.
 */
#ifndef SOFT_DEVICE_H
#define SOFT_DEVICE_H

#include <sys/types.h>

#include "base/buf.h"
#include "device/device.h"

struct soft_config {
	const char *image_dir; /* .../keep: the monitor is below it */
	const char *root_path; /* the software root's key: SNP; or NULL */
	const char *gdb_path;  /* a socket for gdb, of the caller's user; or
				  NULL */
	/* QEMU runs as this user, when change_id; the caller, who becomes it
	 * too, is then able to end it. */
	uid_t uid;
	bool change_id;
	uint64_t epc_bytes; /* SGX: the enclave page cache; 0: none */
};

/* Is all there that soft_device_new will need?  Says what is missing. */
MUST_USE bool soft_device_probe(const char *image_dir, struct err *e);
MUST_USE bool soft_device_new(const struct soft_config *c, struct device **out,
	struct err *e);
/* SNP, from LAUNCH_START on: the certificates of the processor's key, as
 * verifiers read them (attest/snp_chain.c); appended. */
MUST_USE bool soft_device_endorsements(struct device *d, struct buf *out,
	struct err *e);

/* SGX: whom reports are to be for, and a quote of one (432 bytes) that is; TDX:
 * a quote of a report (1024 bytes).  Its MAC is checked.  Quote and
 * endorsements are appended. */
MUST_USE bool soft_device_target(struct device *d, uint8_t out[512],
	struct err *e);
/* Makes its keys and certificates, while files can still be read. */
MUST_USE bool soft_device_quote_ready(struct device *d, struct err *e);
MUST_USE bool soft_device_quote(struct device *d, struct bytes report,
	struct buf *quote, struct buf *endorsements, struct err *e);

/* --- a hostile host, for tests of shims ------------------------------------
 */

/* SNP, before the launch: the guest's VMPL shall be that. */
void soft_device_level(struct device *d, uint8_t level);
/* SNP, and TDX where it is an NMI: this (EVENTINJ's format) comes to the guest
 * wherever it is, or exactly `after` more of its instructions; any thread,
 * while the guest runs or before it does. */
MUST_USE bool soft_device_inject(struct device *d, uint64_t event,
	uint32_t after, struct err *e);
/* SNP: f may change the GHCB (NULL: there is none) and the GHCB's MSR each
 * time before the guest goes on after VMGEXIT. */
typedef void soft_scribble(void *ctx, void *ghcb, uint64_t *msr);
void soft_device_scribble(struct device *d, soft_scribble *f, void *ctx);
/* TDX: f may change the registers (in the instructions' order) that the guest
 * gets back from TDG.VP.VMCALL; those that it did not name stay as they are. */
typedef void soft_scribble_call(void *ctx, uint64_t general[16]);
void soft_device_scribble_call(struct device *d, soft_scribble_call *f,
	void *ctx);

#endif
