/* SPDX-License-Identifier: Apache-2.0 */
/* exec on x86-64: common/user.h, and what only this ISA knows. */
#ifndef SHIM_X86_64_VM_USER_H
#define SHIM_X86_64_VM_USER_H

#include "shim/common/user.h"
#include "shim/x86_64_vm/tables.h"
#include "shim/x86_64_vm/traps.h"

/* A page fault of exec's; false: it had no right. */
bool user_fault(struct user *u, uint64_t at, uint64_t error);
/* The call with that number on x86-64 (calls.c). */
int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6]);

#endif
