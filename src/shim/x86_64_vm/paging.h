/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables (AMD64 manual, volume 2, chapter 5).  The shim sees its image,
 * each part with its own rights, the window, and RAM behind the images, never
 * executable; nothing that is executable is writable under any address.
 */
#ifndef SHIM_X86_64_VM_PAGING_H
#define SHIM_X86_64_VM_PAGING_H

#include "abi/vm.h"
#include "shim/common/frames.h"
#include "shim/common/paging.h"
#include "shim/common/space.h"

/* Where the shim sees the window and RAM. */
#define PAGING_WINDOW_VA (VM_SHIM_VA + 0x200000 + VM_WINDOW_GPA)
#define PAGING_RAM_VA	 0xffff800000000000

struct paging {
	struct frames frames;
	uint64_t encrypted; /* the bit of private pages; 0: none */
	uint64_t shared;    /* the bit of shared ones; 0: none */
	uint64_t exec_gpa, exec_bytes;
	uint64_t free_gpa; /* behind the images */
};

/* The shim's own tables, from now on in use; RAM is not seen yet. */
void paging_init(struct paging *p, const struct vm_image_head *head);
/* RAM of so many bytes; free pages can be taken. */
void paging_add_ram(struct paging *p, uint64_t ram_bytes);

static inline void *paging_at(uint64_t gpa)
{
	return (void *)(PAGING_RAM_VA + gpa);
}

/* Does that page fault say what is not so? */
bool paging_allows(struct paging *p, uint64_t va, uint64_t error);

extern const struct space_ops paging_space_ops; /* ctx: struct paging */

#endif
