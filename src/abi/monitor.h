/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the software platform's two halves agree on (docs/monitor.md): the
 * host's, which plays kernel and firmware (soft/), and the monitor, which
 * plays the processor, inside QEMU (monitor/x86_64).
 *
 * The shared file is what the host maps; its first pages are the box, through
 * which the halves talk.  Everything else of it is for the guest's shared
 * pages.  Private pages are in RAM that only QEMU has.
 */
#ifndef ABI_MONITOR_H
#define ABI_MONITOR_H

/* --- the machine's physical memory -------------------------------------- */

/* RAM: the monitor, then its tables, then the guest's private pages. */
#define MONITOR_CODE_HPA   0x00100000
#define MONITOR_STACK_HPA  0x001f0000 /* grows down */
#define MONITOR_TABLES_HPA 0x00200000
/* The monitor puts the device's registers and the shared file there. */
#define MONITOR_BELL_HPA   0xfd000000
#define MONITOR_SHARED_HPA 0x4000000000

/* What the host's firmware image is long. */
#define MONITOR_IMAGE_BYTES 0x20000

#ifndef __ASSEMBLER__

#include "base/base.h"

/* --- the box ------------------------------------------------------------ */

#define MONITOR_MAGIC	0x4e4f4d44u /* "DMON" */
#define MONITOR_VERSION 1u

enum {
	MONITOR_SLOTS = 8,
	MONITOR_CPUIDS = 256,
	MONITOR_BOX_BYTES = 0x10000, /* of the shared file, at its begin */
	/* Behind the box: what the host hands in to be copied. */
	MONITOR_STAGE_AT = MONITOR_BOX_BYTES,
	MONITOR_STAGE_BYTES = 0x200000 - MONITOR_BOX_BYTES,
	/* From here on the file is guest memory. */
	MONITOR_GUEST_AT = 0x200000,
	/* x87, SSE, AVX, as XSAVE lays them out. */
	MONITOR_VECTOR_BYTES = 0x340,
};

/* Whom the monitor's bell wakes: who entered, or who called. */
enum monitor_bell { MONITOR_BELL_RUN, MONITOR_BELL_CALL, MONITOR_BELLS };

/* Which kind of guest. */
enum monitor_guest { MONITOR_PLAIN, MONITOR_SNP, MONITOR_SGX, MONITOR_TDX };

/* A memory slot: nobody's when bytes is 0. */
struct monitor_slot {
	uint64_t gpa;
	uint64_t bytes;
	uint64_t shared_at;   /* in the shared file */
	uint64_t private_hpa; /* 0: it has no private half */
};
LAYOUT_SIZE(struct monitor_slot, 0x20);

struct monitor_cpuid {
	uint32_t leaf, sub;
	uint32_t by_sub; /* sub matters */
	uint32_t eax, ebx, ecx, edx;
	uint32_t reserved_1c;
};
LAYOUT_SIZE(struct monitor_cpuid, 0x20);

/* As a VMCB has it (AMD64 manual, volume 2, appendix B). */
struct monitor_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};
LAYOUT_SIZE(struct monitor_segment, 0x10);

/* A processor's registers; the order of general ones is the instructions'. */
enum {
	MONITOR_RAX,
	MONITOR_RCX,
	MONITOR_RDX,
	MONITOR_RBX,
	MONITOR_RSP,
	MONITOR_RBP,
	MONITOR_RSI,
	MONITOR_RDI,
	MONITOR_GENERAL = 16,
};

struct monitor_state {
	uint64_t general[MONITOR_GENERAL];
	uint64_t rip, rflags;
	struct monitor_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint64_t cr0, cr3, cr4, efer, dr6, dr7, pat;
};

/* --- calls: the host asks, the monitor does ----------------------------- */

enum monitor_op {
	/* Fills in `cpuid`: what QEMU's processor can. */
	MONITOR_CPUID,
	/* Begins a guest of kind a, with `cpuid` and `slots` as they are. */
	MONITOR_GUEST,
	/* Takes over slot number a, which has changed. */
	MONITOR_SLOT,
	/* Takes over `state`. */
	MONITOR_STATE,
	/* SNP, until the guest first runs: b pages (enum snp_page_type c) at
	 * guest-physical a become the guest's, with what the stage holds; VMPL
	 * d has rights, too. */
	MONITOR_PAGES,
	/* SNP: the stage holds the processor's VMSA. */
	MONITOR_VMSA,
	/* SNP, TDX: [a, a + b) shall be private (c 1) or shared (c 0). */
	MONITOR_ATTRIBUTES,
	/* SNP, TDX: forgets the private pages behind [a, a + b). */
	MONITOR_DISCARD,
	/* SNP, TDX: a is EVENTINJ at the guest's next entry, or after b more of
	 * its instructions. */
	MONITOR_INJECT,
	/* SGX: ENCLS.  Where a page is refused, d is the enum sgx_error and b
	 * how many came before it.  The stage holds the SECS. */
	MONITOR_SGX_CREATE,
	/* b pages from a on, SECINFO c, with what the stage holds. */
	MONITOR_SGX_ADD,
	MONITOR_SGX_INIT,
	/* b pages from a on: rights (EMODPR) or type (EMODT) c; EREMOVE. */
	MONITOR_SGX_RESTRICT,
	MONITOR_SGX_RETYPE,
	MONITOR_SGX_REMOVE,
	/* EAUG of those of b pages from a on that are not there. */
	MONITOR_SGX_AUGMENT,
	/* The enclave is interrupted at the a-th chance: at entries and at
	 * exits that only the monitor sees; all ones: whenever the processor
	 * is (by a bell).  And after b more of its instructions.  c other than
	 * 0: by an exception, as EXITINFO has it, with an error code in its
	 * upper half, at address d. */
	MONITOR_SGX_INTERRUPT,
	/* SGX: the time-stamp counter stands at the processor's and a. */
	MONITOR_SGX_COUNTER,
	/* TDX, until the guest first runs: b pages at guest-physical a become
	 * the guest's, with what the stage holds. */
	MONITOR_TDX_ADD,
	/* TDX: the processor starts in `state`; a are the attributes, b the
	 * number of processors that were made. */
	MONITOR_TDX_START,
	/* Sanctum: the stage holds a of abi/sanctum.h's calls. */
	MONITOR_SANCTUM,
	MONITOR_OPS,
};

enum monitor_result {
	MONITOR_OK,
	MONITOR_WRONG,	     /* op or argument unknown */
	MONITOR_FULL,	     /* no memory for tables */
	MONITOR_STATE_WRONG, /* of a page: it is somebody's already, or nobody's
			      */
};

struct monitor_call {
	uint32_t op;
	uint32_t result;
	uint64_t a, b, c, d;
};
LAYOUT_SIZE(struct monitor_call, 0x28);

/* --- exits: why the processor no longer runs ---------------------------- */

enum monitor_exit_reason {
	MONITOR_EXIT_KICKED,
	MONITOR_EXIT_OUT,
	MONITOR_EXIT_IN,
	MONITOR_EXIT_HALT,
	MONITOR_EXIT_SHUTDOWN,
	MONITOR_EXIT_MMIO,
	MONITOR_EXIT_REFUSED, /* VMRUN did: the state is none */
	MONITOR_EXIT_BUG,     /* the monitor met what it can't play */
	MONITOR_EXIT_VMGEXIT, /* `msr` is the GHCB's */
	MONITOR_EXIT_FAULT,   /* `gpa` is not as the guest wants it: private
				 when `size` is 1 */
	/* SGX.  `state` has the registers. */
	MONITOR_EXIT_EEXIT,
	MONITOR_EXIT_AEX,    /* `size`: vector, or MONITOR_NO_VECTOR; `value`:
				its error code; `gpa`: the address of #PF */
	MONITOR_EXIT_FAILED, /* the same, of EENTER and ERESUME themselves */
	/* EREPORT (`port` 0), EGETKEY (1): its operands are in the stage.  The
	 * host's answer is there, too; `value` is what RAX shall be. */
	MONITOR_EXIT_ENCLU,
	/* TDX.  TDG.VP.VMCALL: of `state`, the general registers that the guest
	 * names in RCX.  The host's answer is there, too. */
	MONITOR_EXIT_TDVMCALL,
	/* TDG.MR.REPORT (`port` 0): the stage holds the report data, and in
	 * the answer the report; TDG.MR.RTMR.EXTEND (1) of register `value`:
	 * the digest. */
	MONITOR_EXIT_TDREPORT,
	/* The guest used a page, at `gpa`, that it had not accepted. */
	MONITOR_EXIT_PENDING,
	/* Sanctum: ENTER's result (`port`) and event (`value`). */
	MONITOR_EXIT_SANCTUM,
	MONITOR_EXITS,
};

#define MONITOR_NO_VECTOR 0xffffu

struct monitor_exit {
	uint32_t reason;
	uint32_t size; /* bytes of an access to a port */
	uint64_t gpa;  /* MMIO */
	uint32_t port;
	uint32_t value; /* OUT; the host's answer to an IN */
	uint64_t rip;
	/* What VMRUN said. */
	uint64_t code, info_1, info_2;
	uint64_t msr; /* the host's answer, too */
};
LAYOUT_SIZE(struct monitor_exit, 0x40);

/* For people who measure. */
enum monitor_count {
	MONITOR_COUNT_HOST,   /* the host rang */
	MONITOR_COUNT_MEMORY, /* nested page faults */
	MONITOR_COUNT_CPUID,
	MONITOR_COUNT_MSR,
	MONITOR_COUNT_PORT,
	MONITOR_COUNT_VMGEXIT,
	MONITOR_COUNT_RMP, /* PVALIDATE, RMPADJUST; ENCLU; TDCALL */
	MONITOR_COUNT_OTHER,
	/* No exits: pages of an enclave that were added while it ran; those
	 * of them, an exit each on hardware, that it touched before. */
	MONITOR_COUNT_PAGES,
	MONITOR_COUNT_TOUCHED,
	MONITOR_COUNTS,
};

/* --- everything --------------------------------------------------------- */

/*
 * Each side writes only its own fields.  A number that grew asks; the other
 * side's copy of it answers, after all else was written.
 */
struct monitor_box {
	/* the host's */
	uint32_t magic, version;
	uint32_t run_asked, call_asked;
	uint32_t kick; /* no run any more */
	uint32_t spin; /* rounds before the monitor halts */
	uint8_t reserved_018[0x40 - 0x18];
	/* the monitor's */
	uint32_t alive; /* MONITOR_MAGIC, once it listens */
	uint32_t run_done, call_done;
	uint32_t asleep; /* must be woken, by an interrupt */
	uint64_t exits;	 /* of the guest, all in all */
	/* of them, by what they were for */
	uint32_t counts[MONITOR_COUNTS];

	struct monitor_call call;
	struct monitor_exit exit;
	uint8_t reserved_0e8[0x100 - 0xe8];
	struct monitor_slot slots[MONITOR_SLOTS];
	struct monitor_state state;
	uint32_t cpuid_count;
	uint32_t log_bytes;
	/* RAM, by what it is for: nested page tables from MONITOR_TABLES_HPA
	 * on; SNP, TDX: a bit for each page below gpa_end, the RMP (TDX: what
	 * stands for it, of the same size), private pages.
	 */
	uint64_t tables_end;
	uint64_t gpa_end;
	uint64_t attributes_hpa;
	uint64_t rmp_hpa;
	uint64_t private_hpa, private_end;
	/* Sanctum, the host's: which enclave runs. */
	uint64_t enclave;
	uint8_t reserved_3a8[0x400 - 0x3a8];
	/* SGX: vector state outside, before EENTER and after EEXIT. */
	uint8_t vectors[MONITOR_VECTOR_BYTES];
	uint8_t reserved_740[0x1000 - 0x740];
	struct monitor_cpuid cpuid[MONITOR_CPUIDS];
	char log[0x2000]; /* for people: the monitor's last words */
};
LAYOUT(struct monitor_box, alive, 0x40);
LAYOUT(struct monitor_box, call, 0x80);
LAYOUT(struct monitor_box, exit, 0xa8);
LAYOUT(struct monitor_box, slots, 0x100);
LAYOUT(struct monitor_box, state, 0x200);
LAYOUT(struct monitor_box, cpuid_count, 0x368);
LAYOUT(struct monitor_box, enclave, 0x3a0);
LAYOUT(struct monitor_box, vectors, 0x400);
LAYOUT(struct monitor_box, cpuid, 0x1000);
LAYOUT(struct monitor_box, log, 0x3000);
_Static_assert(sizeof(struct monitor_box) <= MONITOR_BOX_BYTES, "box");

#endif /* __ASSEMBLER__ */
#endif
