/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim's own tables (AMD64 manual, volume 2, chapter 5), for
 * common/paging.h.  The shim sees its image, each part with its own rights, the
 * window, and RAM behind the images.
 */
#ifndef SHIM_X86_64_VM_TABLES_H
#define SHIM_X86_64_VM_TABLES_H

#include "abi/vm.h"
#include "shim/common/paging.h"

/* Where the shim sees the window and RAM. */
#define TABLES_WINDOW_VA (VM_SHIM_VA + 0x200000 + VM_WINDOW_GPA)
#define TABLES_RAM_VA	 0xffff800000000000

/* From now on in use; RAM is not seen yet. */
void tables_init(struct paging *p, const struct vm_image_head *head);
/* RAM of so many bytes; free pages can be taken. */
void tables_add_ram(struct paging *p, uint64_t ram_bytes);

static inline void *tables_at(uint64_t gpa)
{
	return (void *)(TABLES_RAM_VA + gpa);
}

#endif
