/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for exec (tests/fake/guest.c) in a virtual machine: on this
 * machine's own where it has that technology, else on the software platform. */
#ifndef TESTS_UNIT_HAL_VM_H
#define TESTS_UNIT_HAL_VM_H

#include "../../../fake/guest.h"
#include "device/device.h"
#include "hal/hal.h"

struct place {
	char images[4096];
	char dir[64]; /* ours, for the root key */
	char root[96];
	struct hal_config cfg;
	const struct hal_tech *tech;
};

/* What stands for the operations of the next devices, or NULL; they are
 * intercepted by the linker (src/hal/module.mk). */
extern const struct device_ops *(*place_spy)(const struct device_ops *real);

/* What stands for the kernel's own device, or NULL. */
extern bool (*place_linux)(struct device **out, struct err *e);

/* Images and configuration, but for the technology and the root key's path. */
void place_prepare(struct place *p, enum hal_platform platform,
	enum guest what);
/* Skips where there is neither. */
void place_open(struct place *p, const char *tech, enum guest what);
void place_close(struct place *p);
struct hal_keep *place_launch(struct place *p);
/* Waits for the Keep to ring (true) or to go; fails the test when it does
 * neither for long. */
bool place_took(struct place *p, struct hal_keep *k, char why[128]);
/* How it ends, when it never asks. */
void place_ends(const char *tech, enum guest what, const char *how);
/* How it dies, of everything that tests/fake/guest.c knows to do wrong. */
void place_deaths(const char *tech);
/* Of a list: that one ends so. */
struct place_death {
	enum guest what;
	const char *how;
};
void place_dies(const char *tech, const struct place_death *d, size_t n);

#endif
