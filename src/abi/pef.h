/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loader and the shim in a secure VM of POWER9 agree on, beside what
 * abi/vm.h says of all virtual machines (docs/tee/pef.md).
 *
 * RAM is from 0 on: the shim's image, whose first 64 KiB have the interrupt
 * vectors, exec's file at the next 2 MiB, and behind it, each at a multiple of
 * 64 KiB, what the loader tells an ultravisor: RTAS' code, the ESM blob, the
 * device tree.  The window is elsewhere, and is shared by the shim itself; that
 * empties it, so the loader fills it when the shim says so.
 */
#ifndef ABI_PEF_H
#define ABI_PEF_H

/* Where the shim sees memory: all of it, in real mode, too. */
#define PEF_SHIM_VA 0xc000000000000000

#define PEF_WINDOW_GPA 0x1000000000

#ifndef __ASSEMBLER__

#include "abi/vm.h"

enum {
	PEF_UNIT = 0x10000, /* what can be secure, or shared */
	PEF_TREE_BYTES = PEF_UNIT,
	PEF_BLOB_MAX = PEF_UNIT,
};

/* Events (abi/vm.h) are characters for the terminal of that number, one
 * word of four bytes: H_PUT_TERM_CHAR. */
#define PEF_TERMINAL VM_PORT

/* And one more: the window is shared, the loader may fill it. */
#define PEF_EVENT_SHARED 5u

/* The key of spec/pef.h, out of the blob. */
#define PEF_KEY_BYTES 32u

#endif
#endif
