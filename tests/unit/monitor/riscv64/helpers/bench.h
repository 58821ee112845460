/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor on a machine of arrays, and an enclave that is loaded call by call,
 * so that a test can leave one out or spoil it. */
#ifndef TESTS_UNIT_MONITOR_RISCV64_BENCH_H
#define TESTS_UNIT_MONITOR_RISCV64_BENCH_H

#include "monitor/riscv64/monitor.h"

enum { BENCH_ENCLAVE_BYTES = 0x400000, BENCH_UNTRUSTED_BYTES = 0x8000 };

#define BENCH_BASE  ((uint64_t)SANCTUM_ENCLAVES_AT)
#define BENCH_OTHER (BENCH_BASE + BENCH_ENCLAVE_BYTES)
#define BENCH_EV    0xffffffff80000000ull
#define BENCH_OS    ((uint64_t)SANCTUM_UNTRUSTED_AT)

extern struct monitor bench;
/* Called before anything is hashed, or NULL: what somebody else does meanwhile.
 */
extern void (*bench_meanwhile)(void);
/* A fresh one: memory without a bit. */
void bench_start(void);
uint8_t *bench_at(uint64_t at);

/* The calls, in the order in which they load it. */
enum bench_step {
	STEP_CREATE,
	STEP_HANDLER,
	STEP_ROOT,
	STEP_MIDDLE,
	STEP_LAST,
	STEP_PAGE,
	STEP_THREAD,
	STEP_WINDOW,
	STEP_INIT,
	STEPS,
};

/* Its call and arguments; a test may change a copy. */
struct bench_call {
	uint64_t number;
	uint64_t a[6];
};
struct bench_call bench_step(enum bench_step s);
enum sanctum_result bench_do(struct bench_call c);
/* All up to, not with, that one. */
void bench_load(enum bench_step up_to);

#endif
