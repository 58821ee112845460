/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's device with some of its calls in other hands: loader.c. */
#ifndef TESTS_HOSTILE_LOADER_H
#define TESTS_HOSTILE_LOADER_H

#include "soft/device.h"

extern const struct device_ops *loader_real;
/* Each loader's own: which calls it takes. */
void loader_place(struct device_ops *spy);

#endif
