/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with SGX does and QEMU's does not: an enclave's entries
 * and exits, its state save area, its pages under the EPCM, ENCLU
 * (docs/monitor.md).  The guest is the inside of the enclave and nothing
 * else: outside is the host's own process.
 */
#ifndef MONITOR_X86_64_SGX_H
#define MONITOR_X86_64_SGX_H

#include "monitor/x86_64/exits.h"
#include "monitor/x86_64/monitor.h"

/* The processor's state for such a guest. */
enum monitor_result sgx_init(struct monitor *m);
/* EENTER or ERESUME, as `state` says, or the end of an ENCLU that the host
 * took part in.  EXIT_LEAVE: it failed. */
enum exit_turn sgx_enter(struct monitor *m);
/* What its exit means. */
enum exit_turn sgx_exit(struct monitor *m);

/* --- sgx_disturb.c: a hostile host's doings --------------------------------
 */

/* The processor was interrupted. */
enum exit_turn sgx_interrupt(struct monitor *m);
/* A chance: at an entry, and at an exit that nobody sees. */
enum exit_turn sgx_disturb(struct monitor *m);
/* Before and after each VMRUN: counts instructions.  True: the exit was for
 * that. */
void sgx_disturb_enter(struct monitor *m);
bool sgx_disturb_exit(struct monitor *m, enum exit_turn *turn);

/* --- for sgx_insn.c --------------------------------------------------------
 */

/* An asynchronous exit: SSA, and out (SDM, §36.4). */
enum exit_turn sgx_aex(struct monitor *m, unsigned vector, uint32_t error,
	uint64_t address);
/* #UD, which may be ENCLU. */
enum exit_turn sgx_on_undefined(struct monitor *m);
/* #GP, but of an instruction that is #UD in an enclave. */
bool sgx_is_port(const struct monitor *m);
/* The host has filled in what EREPORT or EGETKEY give. */
enum exit_turn sgx_finish(struct monitor *m);
/* EEXIT hides no vector state. */
void sgx_give_vectors(struct monitor *m);
/* The TCS in use is no more. */
void sgx_leave(struct monitor *m);
/* n bytes of one page of the enclave, which may be so used; NULL: `turn` is a
 * page fault's. */
void *sgx_reach(struct monitor *m, uint64_t at, size_t n, uint64_t rights,
	enum exit_turn *turn);
/* A new page, pending.  False: none. */
bool sgx_augment(struct monitor *m, uint64_t at);
/* The enclave touches it: where there is none the kernel adds one, as Linux
 * does after EINIT.  NULL: none. */
struct epcm_entry *sgx_page(struct monitor *m, uint64_t at);
/* The page's rights have changed. */
void sgx_forget(struct monitor *m, uint64_t at);

/* --- calls (sgx_calls.c) ---------------------------------------------------
 */

enum monitor_result sgx_call_create(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_add(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_init(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_restrict(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_retype(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_remove(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_augment(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_interrupt(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result sgx_call_counter(struct monitor *m,
	const struct monitor_call *c);

#endif
