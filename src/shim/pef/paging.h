/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of two processes (Power ISA 3.0B, book III, §5.7.10): number 0, whose
 * addresses begin at PEF_SHIM_VA, is the shim; number 1 is exec.  The shim sees
 * its image, each part with its own rights, and all other memory, never
 * executable; nothing that is executable is writable under any address.
 */
#ifndef SHIM_PEF_PAGING_H
#define SHIM_PEF_PAGING_H

#include "abi/pef.h"
#include "shim/common/frames.h"
#include "shim/common/paging.h"
#include "shim/common/space.h"

#define PAGING_WINDOW_VA (PEF_SHIM_VA + PEF_WINDOW_GPA)

struct paging {
	struct frames frames;
	uint64_t exec_gpa, exec_bytes;
	uint64_t free_gpa; /* behind the images */
};

/* Tables for the shim's image, the window and exec's file.  Still in real
 * mode; the physical address of the processes' table. */
uint64_t paging_init(struct paging *p, const struct vm_image_head *head);
/* RAM of so many bytes; free pages can be taken. */
void paging_add_ram(struct paging *p, uint64_t ram_bytes);

static inline void *paging_at(uint64_t gpa)
{
	return (void *)(PEF_SHIM_VA + gpa);
}

extern const struct space_ops paging_space_ops; /* ctx: struct paging */

#endif
