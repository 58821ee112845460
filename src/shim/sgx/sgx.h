/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shim of an SGX enclave: exec at depth 0, the shim as its exception
 * handler at depth 1.  There is no privilege between the two; what keeps them
 * apart is that exec is measured, as the shim is.
 */
#ifndef SHIM_SGX_SGX_H
#define SHIM_SGX_SGX_H

#include "abi/enclave.h"
#include "arch/x86_64/enclu.h"
#include "shim/common/boot.h"
#include "shim/common/end.h"
#include "shim/common/personality.h"
#include "shim/sgx/memory.h"
#include "spec/sgx_enclave.h"

struct user {
	struct space space;
	struct memory memory;
	struct clock clock;
	struct random_source random;
	struct personality personality;
	uint64_t gate;	    /* exec's gate area: memory of its own; 0: none */
	uint64_t base, end; /* of exec's image */
	uint64_t entry, stack_pointer; /* to start with */
};

extern struct user shim_user;

/* The image's head, as it was measured. */
static inline const struct enclave_head *enclave_head(void)
{
	return (const struct enclave_head *)ENCLAVE_BASE;
}

/* --- entry.S ------------------------------------------------------------- */

extern struct sgx_ssa enclave_ssa[ENCLAVE_SSA_FRAMES];
/* What exec goes on with, when the host has no part in it. */
extern struct sgx_gprs enclave_frame;
/* Leaves; returns when the host has entered again. */
void enclave_leave(enum enclave_leave why, uint64_t a, uint64_t b, uint64_t c);
NORETURN void enclave_user(uint64_t rip, uint64_t rsp);
/* gate_shim.call. */
__attribute__((visibility("hidden"))) int64_t enclave_call(uint64_t number,
	const uint64_t args[6]);

/* --- boot.c -------------------------------------------------------------- */

/* XFRM: which state of the processor's exec may use. */
uint64_t shim_xfrm(void);

/* --- host.c: the loader's memory ----------------------------------------- */

/* The window at that address is outside the enclave, all of it; crashes by
 * name. */
void host_init(uint64_t window);
/* One copy, by whole aligned words (INTEL-SA-00615, INTEL-SA-00657).  `at` is
 * a multiple of 8 in the window; behind n bytes up to the next multiple of 8
 * the host sees zeros. */
void host_read(void *to, uint32_t at, size_t n);
void host_write(uint32_t at, const void *from, size_t n);

/* --- cpuid.c ------------------------------------------------------------- */

struct cpu_id;
/* The host's table, judged; crashes by name. */
void cpuid_init(void);
struct cpu_id cpuid_answer(uint32_t leaf, uint32_t sub);
/* The processor can go down a depth by itself. */
bool cpuid_has_edeccssa(void);

/* --- load.c -------------------------------------------------------------- */

/* exec's image is in place: what it finds in memory besides. */
void user_load(struct user *u);
/* exec's memory, for its calls. */
bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n);
bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n);
/* In words, without an address. */
void user_place(const struct user *u, uint64_t at, char out[48]);

/* --- report.c ------------------------------------------------------------ */

/* EREPORT of 64 bytes of data; target NULL: this enclave itself. */
void report_make(const struct sgx_targetinfo *target, const uint8_t data[64],
	struct sgx_report_mac *out);

#endif
