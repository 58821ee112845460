/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' loader of a trust domain (guest/td.c), step by step, so that a
 * test can leave a step out or spoil it. */
#ifndef TESTS_SOFT_TD_H
#define TESTS_SOFT_TD_H

#include "../guest/guest.h"
#include "soft/device.h"
#include "spec/kvm.h"
#include "spec/tdx.h"

#define TD_RAM_BYTES (GUEST_END_GPA - VM_RAM_GPA)

struct td {
	struct device *d;
	char root[64];
	int kvm, vm, memfd, reset_memfd, cpu;
	uint8_t *window, *ram, *reset, *image;
	size_t image_bytes;
	struct kvm_run *run;
	size_t run_bytes;
	struct vm_image_head head;
	/* What INIT_VM is told; the test may spoil it. */
	uint64_t attributes, xfam;
	uint8_t owner;	   /* each byte of MRCONFIGID */
	uint64_t hw_error; /* the module's, of the last command */
};

/* Device, machine and memory. */
void td_open(struct td *t);
void td_close(struct td *t);

int td_vm_op(struct td *t, uint32_t id, uint32_t flags, void *data);
int td_cpu_op(struct td *t, uint32_t id, uint32_t flags, void *data);
int td_enable(struct td *t, uint32_t cap, uint64_t arg);
int td_region(struct td *t, uint32_t slot, uint64_t gpa, uint64_t bytes,
	uint8_t *at, int memfd, uint64_t memfd_at);
int td_attributes(struct td *t, uint64_t gpa, uint64_t bytes, bool is_private);
int td_init(struct td *t);
/* Its processor, up to INIT_VCPU. */
int td_add_cpu(struct td *t);
int td_add(struct td *t, uint64_t gpa, const uint8_t *from, size_t bytes,
	bool measured);
int td_finalize(struct td *t);
/* All that comes before FINALIZE_VM. */
void td_prepare(struct td *t, enum td_do what, uint64_t number);
/* And that. */
void td_launch(struct td *t, enum td_do what, uint64_t number);

int td_enter(struct td *t);
/* Enters, and is told by VM_PORT. */
uint32_t td_event(struct td *t);
/* Until it has ended; fails the test when it does not. */
void td_to_end(struct td *t);
const struct guest_result *td_result(const struct td *t);

#endif
