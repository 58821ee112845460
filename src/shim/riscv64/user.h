/* SPDX-License-Identifier: Apache-2.0 */
/* exec on RISC-V: common/user.h, and what only this ISA knows. */
#ifndef SHIM_RISCV64_USER_H
#define SHIM_RISCV64_USER_H

#include "shim/common/user.h"
#include "shim/riscv64/tables.h"

/* A page fault of exec's; false: it had no right. */
bool user_fault(struct user *u, uint64_t at, enum cause cause);
/* The call with that number on riscv64. */
int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6]);

#endif
