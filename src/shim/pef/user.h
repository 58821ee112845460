/* SPDX-License-Identifier: Apache-2.0 */
/* exec on POWER: common/user.h, and what only this ISA knows. */
#ifndef SHIM_PEF_USER_H
#define SHIM_PEF_USER_H

#include "shim/common/boot.h"
#include "shim/common/user.h"
#include "shim/pef/tables.h"
#include "shim/pef/traps.h"

/* The window is the host's: it can be told. */
bool shim_booted(void);

/* A data fault of exec's (DSISR); false: it had no right. */
bool user_fault(struct user *u, uint64_t at, uint64_t error);

#endif
