/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with SEV-SNP does and QEMU's does not: private pages under
 * the RMP, instructions of its own, #VC in place of exits (docs/monitor.md).
 */
#ifndef MONITOR_X86_64_SNP_H
#define MONITOR_X86_64_SNP_H

#include "monitor/x86_64/exits.h"
#include "monitor/x86_64/monitor.h"

/* The processor's intercepts and registers for such a guest. */
void snp_init(struct monitor *m);
/* What its exit means. */
enum exit_turn snp_exit(struct monitor *m);
/* After the host's answer to VMGEXIT; before the guest runs again. */
void snp_resume(struct monitor *m);

/* snp_insn.c: #UD, which may be an instruction that QEMU does not have. */
enum exit_turn snp_on_undefined(struct monitor *m);
/* #VC, or the end of a guest that can't take it. */
enum exit_turn snp_vc(struct monitor *m, uint64_t code);
/* The host is told that gpa (with its C-bit) is not as it should be. */
enum exit_turn snp_host_fault(struct monitor *m, uint64_t gpa);

/* --- calls (snp_calls.c) ------------------------------------------------ */

enum monitor_result snp_call_pages(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result snp_call_vmsa(struct monitor *m,
	const struct monitor_call *c);
/* Where the private page of gpa is. */
MUST_USE bool snp_private_page(const struct monitor *m, uint64_t gpa,
	uint64_t *hpa);

#endif
