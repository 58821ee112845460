/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers that system calls have on RISC-V of 64 bits. */
#ifndef SHIM_COMMON_CALLS_RISCV64_H
#define SHIM_COMMON_CALLS_RISCV64_H

#include "shim/common/personality.h"

enum call calls_riscv64(uint64_t number);

#endif
