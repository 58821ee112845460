/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of the security monitor (monitor/riscv64, docs/tee/sanctum.md),
 * after MIT's security_monitor: an operating system asks for enclaves, an
 * enclave asks for what it can't do itself.  By ECALL from S-mode: number in
 * A7, arguments in A0 to A5, result and value come back in A0 and A1.
 *
 * Also what a loader and a shim agree on: where in the enclave what lies, and
 * with what it is entered.  The window is the host's: hostile.
 */
#ifndef ABI_SANCTUM_H
#define ABI_SANCTUM_H

/* --- the machine's physical memory -------------------------------------- */

/* The monitor's: its image, what the boot ROM hands over, data, stack. */
#define SANCTUM_MONITOR_AT    0x80000000
#define SANCTUM_RECORD_AT     0x80040000
#define SANCTUM_MONITOR_BYTES 0x00200000
/* Enclaves', up to the end of RAM. */
#define SANCTUM_ENCLAVES_AT 0x80200000
/* The operating system's; on the software platform the file that the loader
 * maps, too. */
#define SANCTUM_UNTRUSTED_AT 0x400000000

/* --- an enclave --------------------------------------------------------- */

/* Its virtual addresses: the last 2 GiB.  The first page is the handler's,
 * the monitor's own code. */
#define SANCTUM_EV_BASE 0xffffffff80000000
#define SANCTUM_EV_MASK 0xffffffff80000000
/* From its base on, virtual and physical addresses alike: the shim's image,
 * exec's file.  Between handler and shim are page tables, physically. */
#define SANCTUM_TABLES_AT 0x00001000
#define SANCTUM_SHIM_AT	  0x00200000
#define SANCTUM_EXEC_AT	  0x00400000

/* Rights of a page, as Sv39 has them (RISC-V privileged architecture, §4.4.1):
 * what a call may name. */
#define SANCTUM_V 0x01
#define SANCTUM_R 0x02
#define SANCTUM_W 0x04
#define SANCTUM_X 0x08

/* --- calls -------------------------------------------------------------- */

/*
 * The operating system's.  a0 is the enclave's number, but for CREATE:
 *
 *	CREATE	a0, a1: physical range; a2, a3: ev_base, ev_mask; a4: mailboxes,
 *		0; a5: debug; value: the enclave's number
 *	HANDLER	a1: physical page
 *	TABLE	a1: physical page; a2: virtual address; a3: level; a4: rights
 *	PAGE	a1: physical page; a2: virtual address; a3: from; a4: rights
 *	THREAD	a1: entry; a2: stack; a3: timer limit, 0
 *	WINDOW	a1: untrusted memory; a2: bytes
 *	ENTER	a1: ticks of RDTIME until it is interrupted, 0: never; value:
 *		the event, when it left
 */
#define SANCTUM_CREATE	1
#define SANCTUM_HANDLER 2
#define SANCTUM_TABLE	3
#define SANCTUM_PAGE	4
#define SANCTUM_THREAD	5
#define SANCTUM_WINDOW	6
#define SANCTUM_INIT	7
#define SANCTUM_ENTER	8
#define SANCTUM_DELETE	9

/*
 * An enclave's:
 *
 *	LEAVE	a0: event; returns when it is entered again
 *	ATTEST	a0: physical address of 64 bytes of report data; a1: where
 *		evidence goes (spec/sanctum.h)
 *	RANDOM	value: 64 random bits
 *	FAULT	a0, a1, a2: scause, sepc, stval; the handler's
 */
#define SANCTUM_LEAVE  16
#define SANCTUM_ATTEST 17
#define SANCTUM_RANDOM 18
#define SANCTUM_FAULT  19

/* --- a shim's image ----------------------------------------------------- */

#define SANCTUM_SHIM_MAGIC   0x52534744 /* "DGSR" */
#define SANCTUM_SHIM_VERSION 1
#define SANCTUM_SHIM_MAX     0x00200000

#ifndef __ASSEMBLER__

#include "base/base.h"

enum sanctum_result {
	SANCTUM_OK,
	SANCTUM_UNKNOWN, /* no such call of this caller's */
	SANCTUM_VALUE,	 /* an argument is wrong */
	SANCTUM_STATE,	 /* not in this state */
	SANCTUM_FULL,	 /* no enclave is free */
	SANCTUM_FAILED,	 /* the entropy source */
	/* SANCTUM_ENTER: it did not leave of its own accord. */
	SANCTUM_INTERRUPTED, /* enter again, and it goes on */
	SANCTUM_FAULTED,     /* its handler gave up; it never runs again */
	SANCTUM_RESULT_COUNT,
};

/* One call, where many are handed in at once. */
struct sanctum_call {
	uint64_t number;
	uint64_t a[6];
	uint64_t value;
	uint64_t result;
};
LAYOUT_SIZE(struct sanctum_call, 0x48);

/* What an enclave finds in A0 to A5 when it is entered the first time: all of
 * it the monitor's word. */
struct sanctum_entry {
	uint64_t base; /* its memory */
	uint64_t bytes;
	uint64_t window_at; /* untrusted memory that it sees */
	uint64_t window_bytes;
	uint64_t timebase_khz; /* of RDTIME */
	uint64_t debug;
};
LAYOUT_SIZE(struct sanctum_entry, 0x30);

/* The first bytes of the image, which is loaded as it stands, at
 * SANCTUM_SHIM_AT.  Code, constants, data: whole pages, in this order. */
struct sanctum_shim_head {
	uint32_t magic;
	uint32_t version;
	uint32_t bytes; /* of the image */
	uint32_t text_bytes;
	uint32_t rodata_bytes;
	uint32_t stack_at; /* offset: its end */
	uint64_t entry;	   /* virtual address of the first instruction */
	/* Written by who loads it, before it is measured: */
	uint32_t exec_bytes; /* length of exec's file */
	uint32_t reserved_24;
};
LAYOUT(struct sanctum_shim_head, entry, 0x18);
LAYOUT_SIZE(struct sanctum_shim_head, 0x28);

/* --- the monitor's image ------------------------------------------------ */

#define SANCTUM_IMAGE_MAGIC   0x4d534744u /* "DGSM" */
#define SANCTUM_IMAGE_VERSION 1u
#define SANCTUM_IMAGE_MAX     0x40000u

/* Its first bytes: an instruction, then this. */
struct sanctum_image_head {
	uint32_t jump;
	uint32_t magic;
	uint32_t version;
	uint32_t handler_at; /* in the image */
	uint32_t handler_bytes;
	uint32_t reserved_14;
};
LAYOUT(struct sanctum_image_head, handler_at, 0x0c);
LAYOUT_SIZE(struct sanctum_image_head, 0x18);

/* --- what the boot ROM hands over
 * ---------------------------------------------
 */

#define SANCTUM_RECORD_MAGIC   0x43454244u /* "DBEC" */
#define SANCTUM_RECORD_VERSION 1u

/* At SANCTUM_RECORD_AT.  The boot ROM measured the monitor, made its key out of
 * the device's and that measurement, and signed it (spec/sanctum.h). */
struct sanctum_record {
	uint32_t magic;
	uint32_t version;
	uint64_t ram_end; /* physical */
	uint64_t untrusted_bytes;
	uint64_t system_at;  /* an operating system's entry; 0: there is none */
	uint8_t sm_seed[32]; /* RFC 8032's private key */
	uint8_t manufacturer_pk[32];
	uint8_t device_pk[32];
	uint8_t sm_measurement[64];
	uint8_t sm_pk[32];
	uint8_t device_signature[64];
	uint8_t sm_signature[64];
};
LAYOUT(struct sanctum_record, sm_seed, 0x20);
LAYOUT(struct sanctum_record, sm_measurement, 0x80);
LAYOUT_SIZE(struct sanctum_record, 0x160);

#endif /* __ASSEMBLER__ */
#endif
