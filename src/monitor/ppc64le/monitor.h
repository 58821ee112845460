/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software platform's POWER9 (docs/monitor.md): runs as QEMU's firmware in
 * hypervisor state, and plays to its one guest what an ultravisor enforces: the
 * tables through which all of the guest's memory is seen.  What an ultravisor
 * decides by cryptography is the host's half (soft/pef.c).
 *
 * The guest's addresses are numbers here: nothing dereferences them.
 */
#ifndef MONITOR_PPC64LE_MONITOR_H
#define MONITOR_PPC64LE_MONITOR_H

#include "abi/monitor.h"
#include "monitor/ppc64le/pages.h"
#include "monitor/ppc64le/vcpu_asm.h"

/* The guest's processor while the monitor runs. */
struct vcpu {
	uint64_t gpr[32];
	uint64_t nip, msr, cr, lr, ctr, xer;
	uint64_t stack; /* the monitor's, while the guest runs */
};
LAYOUT(struct vcpu, nip, VCPU_NIP);
LAYOUT(struct vcpu, xer, VCPU_XER);
LAYOUT(struct vcpu, stack, VCPU_STACK);

struct monitor {
	struct monitor_box *box;
	struct vcpu cpu;
	struct pages pages;
	uint64_t process_table; /* the guest's own word, as PATE has it */
	bool answered;		/* the host's answer is in the box */
};

/* --- bell.c ------------------------------------------------------------- */

bool bell_init(void);
void bell_ring(enum monitor_bell which);

/* --- main.c ------------------------------------------------------------- */

void monitor_log(struct monitor *m, const char *format, ...) PRINTF(2, 3);

/* --- calls.c ------------------------------------------------------------ */

/* Does what the host asked, if it did. */
void calls_serve(struct monitor *m);

/* --- vcpu.c ------------------------------------------------------------- */

/* The processor as a guest finds it: tables, facilities, timers. */
void vcpu_init(struct monitor *m);
/* Until the guest leaves to the host; the box says why. */
void vcpu_run(struct monitor *m);
/* From now on those tables of its processes are in use. */
void vcpu_set_process_table(struct monitor *m, uint64_t pate);
/* Nothing of what was translated is remembered. */
void vcpu_forget(void);

/* --- boot.S ------------------------------------------------------------- */

unsigned vcpu_enter(struct vcpu *v);

#endif
