/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a technology on RISC-V gives to the rest of the shim: one folder beside
 * this one fills it in.  All else is the same for all of them.
 */
#ifndef SHIM_RISCV64_PLATFORM_H
#define SHIM_RISCV64_PLATFORM_H

#include "abi/vm.h"
#include "shim/riscv64/traps.h"

/* Where the image is linked to (shim.ld). */
#define SHIM_VA 0xffffffff80200000

/* What the shim was entered with, judged: offsets are from the memory's begin.
 */
struct platform_memory {
	uint64_t base, bytes;	   /* physical; all of it is the Keep's */
	uint64_t shim_at, exec_at; /* offsets */
	uint64_t exec_bytes;	   /* of exec's file */
	uint64_t window_at, window_bytes; /* physical; the host's, too */
};

/* First of all, on the first tables: only the image may be touched.  a: as
 * entered. */
void platform_init(const uint64_t a[6], struct platform_memory *out);
/* Of RDTIME. */
uint64_t platform_timebase_khz(void);
/* 64 random bits; false: the source is broken. */
bool platform_random(uint64_t *out);
/* Tells the loader; returns when it lets the Keep run on. */
void platform_event(enum vm_event event);
/* What exec is told. */
void platform_shim(struct gate_shim *out);
/* A system call that is the technology's own; false: it is not. */
bool platform_call(uint64_t number, const uint64_t args[6], int64_t *result);

#endif
