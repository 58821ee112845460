/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loader and a shim that runs in an SGX enclave agree on
 * (docs/tee/sgx.md): where in the enclave what lies, the head of the shim's
 * image, how the loader enters and why the enclave leaves.  The window, the
 * hints and the report are those of abi/vm.h, in the loader's own memory:
 * hostile, and so is every register at an entry.
 */
#ifndef ABI_ENCLAVE_H
#define ABI_ENCLAVE_H

/* --- addresses ----------------------------------------------------------- */

/* The range.  Its place is fixed, so that an image holds no pointer that
 * somebody has to adjust; its size is measured, so it is the same whatever
 * memory a Keep may have. */
#define ENCLAVE_BASE  0x200000000000
#define ENCLAVE_BYTES 0x1000000000
/* From its base on: the shim's image; exec's; then heap, mappings, stack. */
#define ENCLAVE_EXEC_AT 0x01000000
#define ENCLAVE_MAPS_AT 0x0f000000
#define ENCLAVE_HEAP_AT 0x10000000

/* Of the pages from ENCLAVE_MAPS_AT on, which hold the shim's notes of all
 * pages, each speaks for so much. */
#define ENCLAVE_MAP_OF 0x02000000

/* --- a shim's image ------------------------------------------------------ */

#define ENCLAVE_MAGIC	     0x58474944 /* "DIGX" */
#define ENCLAVE_VERSION	     1
#define ENCLAVE_SSA_FRAMES   2
#define ENCLAVE_MAX_SEGMENTS 8

#ifndef __ASSEMBLER__

#include "abi/vm.h"

/* A segment of exec's, in whole pages from ENCLAVE_EXEC_AT on. */
struct enclave_segment {
	uint32_t at, bytes;
	uint32_t rights; /* SGX_PAGE_R ... */
	uint32_t reserved_0c;
};
LAYOUT_SIZE(struct enclave_segment, 0x10);

/* The first bytes of the image, which is loaded as it stands. */
struct enclave_head {
	uint32_t magic;
	uint32_t version;
	uint32_t bytes; /* of the image: whole pages, as the next three */
	/* Parts, in this order: code, constants, data. */
	uint32_t text_bytes, rodata_bytes;
	uint32_t tcs_at;    /* within the data: the TCS's page */
	uint32_t guards[2]; /* and pages that are left out, below stacks */
	/* Written by who lays the enclave out, before it is measured: */
	uint64_t entry;	       /* of exec, from its base on */
	uint64_t headers;      /* of its program, from its base on */
	uint32_t header_count; /* of its program headers */
	uint32_t heap_bytes;   /* pages added at the start; 0: none */
	uint32_t segment_count;
	uint32_t reserved_3c;
	struct enclave_segment segment[ENCLAVE_MAX_SEGMENTS];
};
LAYOUT(struct enclave_head, tcs_at, 0x14);
LAYOUT(struct enclave_head, entry, 0x20);
LAYOUT(struct enclave_head, segment, 0x40);
LAYOUT_SIZE(struct enclave_head, 0xc0);

/* --- entries and exits --------------------------------------------------- */

/* The loader enters with RDI: where its window is, the first time; later it
 * is of no meaning.  It enters and resumes from one place: RSP and RBP are
 * the same each time. */

/* Why the enclave left, in RDI.  Its arguments are in RSI, RDX and R8. */
enum enclave_leave {
	ENCLAVE_BELL = VM_EVENT_BELL,
	ENCLAVE_EXIT = VM_EVENT_EXIT,
	ENCLAVE_CRASH = VM_EVENT_CRASH,
	/* The exception was dealt with: resume. */
	ENCLAVE_RESUME = 4,
	/* Pages from RSI on, RDX bytes: restrict their rights to the lowest
	 * byte of R8; let the process use them as the next byte says. */
	ENCLAVE_RESTRICT = 5,
	/* The same: make them of type R8 (SGX_PT_TRIM); remove them. */
	ENCLAVE_RETYPE = 6,
	ENCLAVE_REMOVE = 7,
	/* Whoever entered had no business to: nothing was done. */
	ENCLAVE_NOTHING = 8,
	/* The same: add those that are not there; R8: let the process use them
	 * as that says (SGX_PAGE_R ...). */
	ENCLAVE_ADD = 9,
};

/* --- what the window holds beside abi/vm.h ------------------------------- */

#define ENCLAVE_CPUID_AT  0x80000u /* struct enclave_cpuid[] */
#define ENCLAVE_CPUIDS	  128u
#define ENCLAVE_TARGET_AT 0x82000u /* struct sgx_targetinfo of the quoter */

/* SGX1, where RDTSC is not to be had: the counter at the last entry. */
#define ENCLAVE_TICKS_AT 0x84000u

/* An answer of CPUID: an entry of zeros ends the list. */
struct enclave_cpuid {
	uint32_t leaf, sub;
	uint32_t eax, ebx, ecx, edx;
};
LAYOUT_SIZE(struct enclave_cpuid, 24);

#endif /* __ASSEMBLER__ */
#endif
