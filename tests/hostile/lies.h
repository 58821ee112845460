/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile host does to one Keep, all of it out of one seed.  The
 * loader's own code runs unchanged: its calls of the software platform are
 * intercepted by the linker (module.mk), as a host's kernel could.
 */
#ifndef TESTS_HOSTILE_LIES_H
#define TESTS_HOSTILE_LIES_H

#include <pthread.h>

#include "abi/vm.h"
#include "device/device.h"

enum lie {
	LIE_NONE,	/* honest, for comparison */
	LIE_EVENT_AT,	/* any event, after so many instructions */
	LIE_EVENT_SOON, /* any event, a moment later */
	LIE_VC,		/* #VC as if CPUID had trapped, inside exec */
	LIE_STORM,	/* interrupts and NMIs, again and again */
	LIE_REPLY,	/* a field of the gate's reply */
	LIE_RACE,	/* shared pages change while they are read */
	LIE_GHCB,	/* the GHCB after an exit */
	LIE_MSR,	/* the GHCB's MSR after an exit */
	LIE_CPUID,	/* the CPUID page before its launch */
	LIE_HINTS,	/* the loader's hints, the gate's boot page */
	LIE_LEVEL,	/* the Keep is not at level 0 */
	LIE_MEMORY,	/* pages made shared, discarded, put elsewhere */
	LIE_CERTS,	/* what comes of the report's certificates */
	LIE_STATE,  /* changes of pages' states: not made, others, refused */
	LIE_CALL,   /* registers after a TDG.VP.VMCALL */
	LIE_QUOTE,  /* what comes of the report's quote */
	LIE_DOMAIN, /* what a domain is made with */
	LIES,
};

extern const char *const lie_names[LIES];

/* A host of that technology can tell it. */
bool lies_has(const char *tech, enum lie kind);

struct lies {
	enum lie kind;
	uint64_t state;	 /* of the generator */
	unsigned at;	 /* which bell, exit or call it is told at */
	unsigned bells;	 /* so far */
	unsigned exits;	 /* VMGEXITs or calls so far */
	unsigned certs;	 /* times that the guest wanted certificates */
	unsigned states; /* changes of pages' states that it asked for */
	unsigned quotes; /* times that it wanted its report quoted */
	bool told;	 /* something was */
	bool wanted;	 /* the guest waits for certificates, or a quote */
	bool runs;	 /* it was launched */
	char what[160];	 /* it was, for people */
	bool stop;	 /* atomic: the thread's end */
	bool running;	 /* there is a thread */
	pthread_t thread;
	/* The loader's. */
	bool tdx, sanctum, pef;
	bool at_end; /* of a domain's launch */
	struct device *device;
	const struct device_ops *real;
	uint8_t *window;
	int vm, memfd;
	uint64_t ram_bytes;
	void *ram;
};

/* The next Keep that this process launches is treated so. */
void lies_begin(struct lies *l, uint64_t seed, enum lie kind);
/* At the gate: after the honest reply was written. */
void lies_at_bell(struct lies *l, struct gate_area *area);
/* Before the Keep is destroyed. */
void lies_end(struct lies *l);

/* --- shared by lies.c, lies_snp.c, lies_tdx.c and lies_pef.c -------------- */

uint64_t lies_random(struct lies *l, uint64_t below);
/* Small numbers as often as large ones. */
uint64_t lies_some(struct lies *l, unsigned bits);
/* Stands between loader and device, for its memory, and for what is changed in
 * `spy` then. */
void lies_spy(struct lies *l, struct device *d, struct device_ops *spy);
/* A random byte of what is there. */
void lies_spoil(struct lies *l, void *at, size_t n);

#define TELL(l, ...)                                                  \
	do {                                                          \
		if (!(l)->told)                                       \
			fmt((l)->what, sizeof(l)->what, __VA_ARGS__); \
		(l)->told = true;                                     \
	} while (0)

/* Before a command goes to the kernel; false: it does not, *result is what
 * the loader hears.  Afterwards; true: the processor may run from here on. */
bool lies_snp_before(struct lies *l, uint32_t id, void *data, int *result);
bool lies_tdx_before(struct lies *l, uint32_t id, void *data, int vm);
/* The loader's answer on its way to the guest; the guest's question on its way
 * to the loader. */
void lies_snp_answer(struct lies *l, void *exit);
bool lies_snp_question(struct lies *l, uint32_t reason, void *exit);
void lies_tdx_answer(struct lies *l, void *exit);
bool lies_tdx_question(struct lies *l, uint32_t reason, void *exit);
/* When the device is there. */
void lies_snp_device(struct lies *l);
void lies_tdx_device(struct lies *l);

void lies_pef_begin(struct lies *l);
void lies_pef_memory(struct lies *l);
/* The processor may run from here on. */
void lies_at_finish(struct lies *l);

#endif
