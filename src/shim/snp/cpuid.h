/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID out of the page that the firmware checked at the launch.  The host
 * filled it in, so it is judged first; CPUID itself is never asked, because
 * under SNP the host would answer.
 */
#ifndef SHIM_SNP_CPUID_H
#define SHIM_SNP_CPUID_H

#include "arch/x86_64/cpu.h"
#include "base/err.h"
#include "spec/snp_guest.h"

/* c_bit: as the measured head has it. */
MUST_USE bool snp_cpuid_check(const struct snp_cpuid_page *p, uint32_t c_bit,
	struct err *e);
/* As the processor would answer with that XCR0; zeros for what it lacks. */
struct cpu_id snp_cpuid(const struct snp_cpuid_page *p, uint32_t leaf,
	uint32_t sub, uint64_t xcr0);

#endif
