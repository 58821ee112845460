/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loader and a shim that runs in a virtual machine agree on
 * (docs/shim.md, "Boot"): the guest's physical memory, the head of a shim's
 * image, the state in which its one processor starts, and the events that it
 * tells the loader.
 *
 * The first page of the window and everything in it is the host's: hostile.
 * The image's head is measured with the rest of the image.
 */
#ifndef ABI_VM_H
#define ABI_VM_H

/* Assemblers read the numbers too: those they need have no suffix. */
#ifndef __ASSEMBLER__
#include "abi/gate.h"
#endif

/* --- guest-physical memory ---------------------------------------------- */

/* The window: never private, the loader maps it too. */
#define VM_WINDOW_GPA	0x00100000u
#define VM_WINDOW_BYTES 0x00100000u
/* RAM, private where the technology has that.  Contiguous. */
#define VM_RAM_GPA 0x00200000
/* tdx: the page in which the processor starts, private; nothing else is in its
 * 2 MiB, RAM neither. */
#define VM_RESET_GPA 0xfffff000

/* Places in the window. */
#define VM_HINTS_AT    0x00000u /* struct vm_hints */
#define VM_AREA_AT     0x01000u /* struct gate_area */
#define VM_REPORT_AT   0x42000u /* struct vm_report */
#define VM_RELEASE_AT  0x42800u /* struct vm_release */
#define VM_GHCB_AT     0x43000u /* snp: one page for each processor */
#define VM_MESSAGE_AT  0x80000u /* snp: guest request and its response */
#define VM_CERTS_AT    0x82000u /* snp: certificates that come with it */
#define VM_CERTS_BYTES 0x11000u
#define VM_QUOTE_AT    0x80000u /* tdx: struct tdx_quote_head, report, quote */
#define VM_QUOTE_BYTES 0x10000u

/* Images in RAM: the shim at its begin, exec's file, byte by byte, at the
 * next boundary of this. */
#define VM_IMAGE_ALIGN 0x00200000u

/* RAM that a Keep needs beyond what its tenant may use: the shim's own, page
 * tables, exec's image and heap. */
#define VM_RAM_SLACK 0x04000000u

/* --- a shim's image ------------------------------------------------------ */

#define VM_IMAGE_MAGIC	   0x4d494853 /* "SHIM" */
#define VM_IMAGE_VERSION   2
#define VM_IMAGE_MAX_BYTES VM_IMAGE_ALIGN
#define VM_SHIM_VA	   0xffffffff80000000

#ifndef __ASSEMBLER__

/* The first bytes of the image, which is loaded as it stands. */
struct vm_image_head {
	uint32_t magic;
	uint32_t version;
	uint32_t tee;	/* enum gate_tee */
	uint32_t bytes; /* of the image: whole pages */
	uint64_t entry; /* virtual address of the first instruction */
	/* Offsets of a level-4, level-3 and level-2 table that map VM_SHIM_VA
	 * to the image, as long as the shim has none of its own. */
	uint32_t tables[3];
	uint32_t secrets; /* offset of the page that is filled so; 0: none */
	uint32_t cpuid;	  /* the same, for the CPUID page */
	/* Written by the loader before it measures: */
	uint32_t c_bit;	     /* number of the encryption bit; 0: none */
	uint32_t exec_bytes; /* length of exec's file */
	uint32_t debug;	     /* 1: a shim that hides nothing; measured, too */
	/* The image's own again: */
	uint32_t reset; /* offset of the page for VM_RESET_GPA; 0: none */
	uint32_t reserved_3c;
};
LAYOUT(struct vm_image_head, entry, 0x10);
LAYOUT(struct vm_image_head, tables, 0x18);
LAYOUT(struct vm_image_head, exec_bytes, 0x30);
LAYOUT(struct vm_image_head, reset, 0x38);
LAYOUT_SIZE(struct vm_image_head, 0x40);

/* --- the host's hints ---------------------------------------------------- */

#define VM_HINTS_MAGIC	 0x54484d56u /* "VMHT" */
#define VM_HINTS_VERSION 1u

struct vm_hints {
	uint32_t magic;
	uint32_t version;
	uint64_t ram_bytes; /* from VM_RAM_GPA on */
	uint64_t real_ns;   /* the host's clock: ns since 1970 */
	uint32_t tsc_khz;   /* when CPUID does not tell */
	uint32_t reserved_1c;
};
LAYOUT(struct vm_hints, ram_bytes, 0x08);
LAYOUT(struct vm_hints, tsc_khz, 0x18);
LAYOUT_SIZE(struct vm_hints, 0x20);

/* --- events -------------------------------------------------------------- */

/* A 32-bit OUT to this port tells an event (TDX, SNP: its paravirtual twin).
 * The loader does not enter again before it has dealt with the event. */
#define VM_PORT 0x0d6au

enum vm_event {
	VM_EVENT_BELL = 1,  /* a request is in the gate area */
	VM_EVENT_EXIT = 2,  /* exec ended; the report has its status */
	VM_EVENT_CRASH = 3, /* the report says why; nobody enters again */
	/* Nobody needs what is in that RAM: the loader may drop it.  (snp: a
	 * change of the pages' state instead.) */
	VM_EVENT_RELEASE = 4,
};

/* The shim writes it before that event. */
struct vm_release {
	uint64_t from; /* guest-physical addresses, of whole 2 MiB */
	uint64_t to;
};
LAYOUT(struct vm_release, to, 0x08);
LAYOUT_SIZE(struct vm_release, 0x10);

/* The shim writes it, once, for people: no workload data is in it. */
struct vm_report {
	uint32_t status;	/* exec's exit status */
	uint32_t unknown_calls; /* system calls that were refused (ENOSYS) */
	uint32_t text_len;
	uint32_t reserved_0c;
	char text[0x400 - 0x10];
};
LAYOUT(struct vm_report, text, 0x10);
LAYOUT_SIZE(struct vm_report, 0x400);

#endif /* __ASSEMBLER__ */
#endif
