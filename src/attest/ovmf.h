/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware images of the OVMF kind as VMMs measure them: the table of GUIDs
 * at their end says where a launch wants its special pages (edk2,
 * OvmfPkg/ResetVector).  For reference values of other people's VMs; Keeps of
 * ours have no such firmware.
 */
#ifndef ATTEST_OVMF_H
#define ATTEST_OVMF_H

#include "attest/measure_snp.h"

enum { ATTEST_OVMF_SECTIONS = 32 };
struct attest_ovmf_section {
	uint32_t gpa, size, type;
};
struct attest_ovmf {
	uint64_t gpa;			/* the image ends at 4 GiB */
	uint32_t reset_eip, hashes_gpa; /* 0: it has none */
	struct attest_ovmf_section section[ATTEST_OVMF_SECTIONS];
	size_t sections;
};
MUST_USE bool attest_ovmf_parse(struct bytes image, struct attest_ovmf *out,
	struct err *e);

struct attest_ovmf_launch {
	struct bytes image;
	const uint8_t *seed; /* the digest after the image's pages; or NULL */
	bool has_kernel;     /* kernel, initrd and command line are measured */
	struct bytes kernel, initrd;
	const char *append; /* NULL counts as "" */
	struct attest_snp_vcpus vcpus;
};
MUST_USE bool attest_ovmf_launch(const struct attest_ovmf_launch *x,
	struct attest_snp_launch *l, struct err *e);

#endif
