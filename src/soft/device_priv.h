/* SPDX-License-Identifier: Apache-2.0 */
/* The software platform's kernel: what stands behind its handles. */
#ifndef SOFT_DEVICE_PRIV_H
#define SOFT_DEVICE_PRIV_H

#include <linux/kvm.h>

#include "device/device.h"
#include "soft/machine.h"

enum soft_handle {
	SOFT_HANDLE_KVM = 1,
	SOFT_HANDLE_VM,
	SOFT_HANDLE_CPU,
};

/* A pair of clocks, read together: tells how fast one of them is. */
struct soft_clock {
	uint64_t tsc;
	int64_t ns;
};

struct soft_device {
	struct device device;
	struct soft_machine machine;
	int image;
	uid_t uid;
	bool change_id;
	struct soft_clock begin;
	/* The one virtual machine and its processor. */
	bool has_vm, has_cpu;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	bool state_changed; /* the monitor has not seen it yet */
	bool begun;	    /* it knows the guest */
	bool broken;	    /* it failed: no run is any good */
};

/* --- kvm.c: results as ioctl(2), with -errno --------------------------------
 */

int soft_kvm_system(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_machine(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_cpu(struct soft_device *s, unsigned long request, void *arg);
int soft_kvm_enter(struct soft_device *s, struct kvm_run *run);
void soft_kvm_clock_start(struct soft_device *s);

#endif
