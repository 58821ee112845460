/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security monitor (docs/tee/sanctum.md): the only code in M-mode.  It
 * walls off enclaves by PMP, measures what is loaded into them, and signs what
 * they measured.  One processor; no dynamic memory.
 *
 * Its callers: an operating system in S-mode by ECALL, or where there is none
 * (the software platform) the loader through a box in shared memory with the
 * same calls; and an enclave in S-mode by ECALL.  None of them is trusted.
 */
#ifndef MONITOR_RISCV64_MONITOR_H
#define MONITOR_RISCV64_MONITOR_H

#include "abi/monitor.h"
#include "abi/sanctum.h"
#include "monitor/riscv64/context.h"
#include "monitor/riscv64/crypto.h"
#include "monitor/riscv64/pmp.h"

enum {
	ENCLAVES = 8,
	MONITOR_TIMEBASE_KHZ = 10000, /* of this platform's RDTIME */
};

/* Each call that changes one says from where to where (enclave.c). */
enum enclave_state {
	ENCLAVE_NONE,
	ENCLAVE_CREATED,
	ENCLAVE_HANDLER, /* has its handler */
	ENCLAVE_TABLES,	 /* and at least a page table */
	ENCLAVE_PAGES,	 /* and at least a page */
	ENCLAVE_READY,	 /* measured: nothing of it changes any more */
	ENCLAVE_RUNNING,
	ENCLAVE_ENDED, /* it faulted */
	ENCLAVE_STATES,
};

struct enclave {
	enum enclave_state state;
	uint64_t base, bytes;	   /* physical */
	uint64_t next;		   /* nothing below was not loaded */
	uint64_t ev_base, ev_mask; /* virtual */
	uint64_t mailboxes;
	bool debug;
	bool has_thread;
	uint64_t root; /* physical: page table */
	uint64_t window_at, window_bytes;
	struct hash hash; /* measurement so far */
	uint8_t measurement[HASH_BYTES];
	uint8_t seed[KEY_BYTES], pk[KEY_BYTES];
	uint8_t attestation[SIGNATURE_BYTES];
	struct context context;
	bool entered;	  /* once, at least */
	bool interrupted; /* not by a call of its own */
};

struct monitor {
	struct monitor_box *box; /* where there is no operating system */
	struct sanctum_record record;
	struct {
		const uint8_t *ptr;
		uint64_t len;
	} handler;
	struct enclave enclave[ENCLAVES];
};

/* Where physical memory is; in unit tests it is an array. */
void *monitor_memory(uint64_t at);
/* Appends a line to the box's log. */
void monitor_log(const char *format, ...) PRINTF(1, 2);

/* --- enclave.c: the operating system's calls ---------------------------- */

/* All but SANCTUM_ENTER: judged, then done, or nothing changes.  value: out. */
enum sanctum_result enclave_call(struct monitor *m, uint64_t number,
	const uint64_t a[6], uint64_t *value);
/* SANCTUM_ENTER, up to running it; NULL: *why says why not. */
struct enclave *enclave_enter(struct monitor *m, uint64_t number,
	enum sanctum_result *why);
/* What S- and U-mode may use. */
void enclave_protect_inside(const struct enclave *v, struct pmp *p);
void enclave_protect_outside(const struct monitor *m, struct pmp *p);

/* --- tables.c: an enclave's first page tables --------------------------- */

/* The entry of va in a table of that level (1: of pages); 0: no table leads
 * there.  Physical. */
uint64_t tables_entry(const struct enclave *v, uint64_t va, unsigned level);
/* Makes it lead to `at`; false: there is no such entry, or it is taken. */
MUST_USE bool tables_set(const struct enclave *v, uint64_t va, unsigned level,
	uint64_t at, uint64_t rights);

/* --- evidence.c: keys --------------------------------------------------- */

/* The enclave's, and the monitor's signature of it (spec/sanctum.h). */
MUST_USE bool evidence_key(const struct sanctum_record *r, struct enclave *v);
/* Evidence for these 64 bytes of the enclave's. */
struct sanctum_evidence;
MUST_USE bool evidence_make(const struct sanctum_record *r,
	const struct enclave *v, const uint8_t data[64],
	struct sanctum_evidence *out);

/* --- random.c ----------------------------------------------------------- */

/* False: the source is broken, for good. */
MUST_USE bool random_draw(uint64_t *out);

/* --- context.c ---------------------------------------------------------- */

void context_init(void);
void context_protect(const struct pmp *p);

/* --- run.c: who runs ---------------------------------------------------- */

/* Runs it until it leaves: OK and its event, INTERRUPTED (also after so many
 * ticks, unless 0) or FAULTED.  Calls that it makes meanwhile are answered. */
enum sanctum_result run_enclave(struct monitor *m, struct enclave *v,
	uint64_t ticks, uint64_t *event);
/* Never returns. */
NORETURN void run_system(struct monitor *m);
/* Some that was asked to be stopped: the loader's word. */
bool run_stopped(const struct monitor *m);

/* --- timer.c ------------------------------------------------------------ */

/* An interrupt after so many ticks; 0: none. */
void timer_set(uint64_t ticks);

/* --- bell.c: the device that wakes both sides --------------------------- */

/* Finds it and puts it where abi/sanctum.h says; false: not there. */
bool bell_init(void);
void bell_ring(enum monitor_bell which);
/* The interrupt that woke us is dealt with. */
void bell_clear(void);

#endif
