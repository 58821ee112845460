/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor: plays, inside QEMU, a processor that can run a Keep's guest.
 * A VMRUN loop, nested page tables, the answers to what a guest's processor
 * is asked, and a box through which the host's half says what to run
 * (abi/monitor.h, docs/monitor.md).  One processor; no dynamic memory but
 * pages of tables.
 */
#ifndef MONITOR_X86_64_MONITOR_H
#define MONITOR_X86_64_MONITOR_H

#include "abi/monitor.h"
#include "monitor/x86_64/epcm.h"
#include "monitor/x86_64/npt.h"
#include "monitor/x86_64/rmp.h"
#include "monitor/x86_64/sept.h"
#include "spec/svm.h"

struct vcpu {
	struct svm_vmcb *vmcb;
	uint64_t general[MONITOR_GENERAL]; /* rax and rsp: in the VMCB */
	uint8_t *msrpm;
};

/* An enclave. */
struct monitor_sgx {
	struct epcm epcm;
	uint64_t attributes, xfrm;
	uint32_t miscselect;
	bool created, initialised;
	bool inside;
	struct sgx_tcs *tcs; /* in use */
	uint64_t aep;	     /* outside, where AEX goes */
	/* What a hostile host does next (sgx_disturb.c). */
	struct {
		uint64_t chances;      /* until then; 0: none */
		uint64_t instructions; /* until then; 0: none */
		uint64_t what;	       /* EXITINFO, error code above it */
		uint64_t address;
	} disturb;
	/* EREPORT, EGETKEY: where the host's answer goes. */
	bool finishing;
	uint64_t answer_at;
};

/* A trust domain. */
struct monitor_td {
	uint64_t attributes;
	uint32_t processors;
	uint16_t given;	 /* registers that the host may change, until it did */
	void *report_to; /* where the host's answer goes */
	struct {
		bool valid; /* its domain did not ask for it yet */
		uint64_t reason, qualification, gpa, instruction;
	} ve;
};

struct monitor {
	struct monitor_box *box;
	enum monitor_guest kind;
	struct npt npt;
	struct vcpu cpu;
	struct monitor_slot slots[MONITOR_SLOTS];
	struct monitor_cpuid cpuid[MONITOR_CPUIDS];
	uint32_t cpuid_count;
	/* SNP. */
	struct rmp rmp;
	uint64_t ghcb_msr;
	uint64_t sev_features;
	uint64_t injected; /* EVENTINJ at the next entry, from a hostile host */
	struct {
		uint64_t event;
		uint32_t left; /* instructions until it is injected */
		uint64_t rip;  /* of the last one */
		bool masked;   /* the guest has SYSCALL clear TF */
	} step;		       /* step.c */
	bool launched;
	struct monitor_sgx sgx;
	/* TDX. */
	struct sept sept;
	struct monitor_td td;
	struct {
		bool on; /* flat.c */
		uint64_t cr0, cr3, cr4;
	} flat;
};

/* Where physical memory is; in unit tests it is an array. */
void *monitor_memory(uint64_t hpa);

/* Appends a line to the box's log. */
void monitor_log(struct monitor *m, const char *format, ...) PRINTF(2, 3);

/* --- bell.c: the device that wakes both sides --------------------------- */

/* Finds it and puts it where abi/monitor.h says; false: not there. */
bool bell_init(void);
void bell_ring(enum monitor_bell which);
/* Interrupts go to boot.S; a fault of the monitor's own is logged. */
void bell_init_interrupts(void);

/* --- calls.c ------------------------------------------------------------ */

/* Does what the host asks, when it asks. */
void calls_serve(struct monitor *m);

/* --- vcpu.c ------------------------------------------------------------- */

void vcpu_init(struct monitor *m);
void vcpu_set_state(struct vcpu *c, const struct monitor_state *s);
/* Runs it until there is something to tell the host: in box->exit. */
void vcpu_run(struct monitor *m);

/* --- state.c ------------------------------------------------------------- */

/* VMRUN would run it. */
bool state_is_legal(const struct svm_save *s);

/* --- cpuid.c ------------------------------------------------------------ */

/* All that this processor can, with what guests can't use taken out. */
uint32_t cpuid_list(struct monitor_cpuid *out, uint32_t max);
/* As the guest's table says; false: it says nothing. */
MUST_USE bool cpuid_find(const struct monitor *m, uint32_t leaf, uint32_t sub,
	struct monitor_cpuid *out);
/* Zeros where it says nothing. */
struct monitor_cpuid cpuid_answer(const struct monitor *m, uint32_t leaf,
	uint32_t sub);

/* --- slots -------------------------------------------------------------- */

/* The slot that holds this page, or NULL. */
const struct monitor_slot *monitor_slot_at(const struct monitor *m,
	uint64_t gpa);

#endif
