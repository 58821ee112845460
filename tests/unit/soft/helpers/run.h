/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' loader: the guest (guest/) on the software platform, step by
 * step, so that a test can leave a step out or spoil it. */
#ifndef TESTS_SOFT_RUN_H
#define TESTS_SOFT_RUN_H

#include "../guest/guest.h"
#include "soft/device.h"
#include "spec/kvm.h"
#include "spec/snp_guest.h"

#define RUN_RAM_BYTES (GUEST_END_GPA - VM_RAM_GPA)
#define RUN_POLICY    0x30000ull

struct run {
	struct device *d;
	char root[64];
	int kvm, sev, vm, memfd, cpu;
	uint8_t *window, *ram;
	struct kvm_run *run;
	size_t run_bytes;
	struct vm_image_head head;
	bool snp;
	uint32_t error; /* the firmware's, of the last command */
};

/* Below the output folder. */
void run_path(char out[4096], const char *below);
/* Device, machine, memory, processor; for SNP: initialised. */
void run_open(struct run *r, bool snp);
void run_close(struct run *r);

int run_region(struct run *r, uint32_t slot, uint64_t gpa, uint64_t bytes,
	uint8_t *at, uint64_t memfd_at);
int run_attributes(struct run *r, uint64_t gpa, uint64_t bytes,
	bool is_private);
int run_op(struct run *r, uint32_t id, void *data);
int run_start(struct run *r, uint64_t policy);
int run_update(struct run *r, uint64_t gpa, uint8_t *from, size_t bytes,
	uint8_t type);
int run_finish(struct run *r);
/* Registers: what the guest shall do. */
void run_set(struct run *r, enum guest_do what, uint64_t number);
/* All of it. */
void run_launch(struct run *r, enum guest_do what, uint64_t number);

int run_enter(struct run *r);
/* Until it halts; fails the test when it does not. */
void run_to_end(struct run *r);
const struct guest_result *run_result(const struct run *r);

#endif
