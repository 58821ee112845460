/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with TDX and its module do and QEMU's processor does not:
 * private pages under the secure EPT, TDCALL, #VE in place of exits
 * (docs/monitor.md).
 */
#ifndef MONITOR_X86_64_TDX_H
#define MONITOR_X86_64_TDX_H

#include "monitor/x86_64/exits.h"
#include "monitor/x86_64/monitor.h"
#include "spec/tdx.h"

/* The processor's intercepts for such a guest. */
void tdx_init(struct monitor *m);
enum exit_turn tdx_exit(struct monitor *m);
/* After the host's answer to TDG.VP.VMCALL or a report; before the guest runs
 * again. */
void tdx_resume(struct monitor *m);
/* #VE; or a double fault, as long as the last one's reason was not asked. */
enum exit_turn tdx_ve(struct monitor *m, enum tdx_reason reason,
	uint64_t qualification, uint64_t gpa);
/* A private page that its domain may not use: the host has to do something
 * first, or has nothing to do any more; or it is the domain's to handle. */
enum exit_turn tdx_private_fault(struct monitor *m, uint64_t gpa, bool pending);
/* The host's half of a first access: the page becomes the domain's, to be
 * accepted.  False: it is not private, not there, or somebody's. */
MUST_USE bool tdx_augment(struct monitor *m, uint64_t gpa);

/* tdx_insn.c: #UD, which may be TDCALL. */
enum exit_turn tdx_on_undefined(struct monitor *m);

/* --- calls (tdx_calls.c) ------------------------------------------------ */

enum monitor_result tdx_call_add(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result tdx_call_start(struct monitor *m,
	const struct monitor_call *c);
/* Forgets the private pages behind [gpa, gpa + bytes). */
enum monitor_result tdx_remove(struct monitor *m, uint64_t gpa, uint64_t bytes);

#endif
