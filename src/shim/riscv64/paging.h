/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables (RISC-V privileged architecture, §4.4: Sv39).  The shim sees its
 * image, each part with its own rights, the window, and memory behind the
 * images, never executable; nothing that is executable is writable under any
 * address.  Memory is named by its offset from the begin.
 */
#ifndef SHIM_RISCV64_PAGING_H
#define SHIM_RISCV64_PAGING_H

#include "shim/common/frames.h"
#include "shim/common/paging.h"
#include "shim/common/space.h"
#include "shim/riscv64/platform.h"

/* Where the shim sees the window and memory. */
#define PAGING_WINDOW_VA 0xffffffff40000000
#define PAGING_RAM_VA	 0xffffffc000000000
/* exec's half ends here. */
#define PAGING_USER_END (1ull << 38)

struct paging {
	struct frames frames;
	struct platform_memory memory;
	uint64_t free_at; /* behind the images */
};

/* The shim's own tables, from now on in use, and free pages. */
void paging_init(struct paging *p, const struct platform_memory *m);

static inline void *paging_at(uint64_t offset)
{
	return (void *)(PAGING_RAM_VA + offset);
}

/* May exec use it so (enum space_prot, one of them)? */
bool paging_allows(struct paging *p, uint64_t va, uint8_t want);

extern const struct space_ops paging_space_ops; /* ctx: struct paging */

#endif
