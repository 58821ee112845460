/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's own tables (RISC-V privileged architecture, §4.4: Sv39), for
 * common/paging.h.  The shim sees its image, each part with its own rights, the
 * window, and memory behind the images.
 */
#ifndef SHIM_RISCV64_TABLES_H
#define SHIM_RISCV64_TABLES_H

#include "shim/common/paging.h"
#include "shim/riscv64/platform.h"

/* Where the shim sees the window and memory. */
#define TABLES_WINDOW_VA 0xffffffff40000000
#define TABLES_RAM_VA	 0xffffffc000000000

/* From now on in use; free pages can be taken. */
void tables_init(struct paging *p, const struct platform_memory *m);

#endif
