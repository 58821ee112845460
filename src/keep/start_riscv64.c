/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>

#include "keep/start.h"

const struct start_kinds start_kinds = {
	.relative = R_RISCV_RELATIVE,
	.thread = R_RISCV_TLS_TPREL64,
	.indirect = R_RISCV_IRELATIVE,
	.nothing = R_RISCV_NONE,
};
