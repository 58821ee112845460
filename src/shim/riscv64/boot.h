/* SPDX-License-Identifier: Apache-2.0 */
/* How far the shim has come. */
#ifndef SHIM_RISCV64_BOOT_H
#define SHIM_RISCV64_BOOT_H

#include "shim/common/boot.h"
#include "shim/riscv64/user.h"

/* The shim's own tables are there: the window can be reached. */
bool shim_booted(void);

#endif
