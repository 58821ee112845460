/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of two processes (Power ISA 3.0B, book III, §5.7.10), for
 * common/paging.h: number 0, whose addresses begin at PEF_SHIM_VA, is the shim;
 * number 1 is exec.  The shim sees its image, each part with its own rights,
 * and all other memory.
 */
#ifndef SHIM_PEF_TABLES_H
#define SHIM_PEF_TABLES_H

#include "abi/pef.h"
#include "shim/common/paging.h"

#define TABLES_WINDOW_VA (PEF_SHIM_VA + PEF_WINDOW_GPA)

/* For the shim's image, the window and exec's file.  Still in real mode; the
 * physical address of the processes' table. */
uint64_t tables_init(struct paging *p, const struct vm_image_head *head);

#endif
