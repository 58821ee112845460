/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim decides of its domain, without asking anybody. */
#ifndef SHIM_TDX_JUDGE_H
#define SHIM_TDX_JUDGE_H

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/tdcall.h"
#include "spec/tdx.h"

/* Reasons of an end, before there is anything to say them with. */
enum {
	TDX_END_NO_TD = 16,
	TDX_END_GPAW = 17,
	TDX_END_ATTRIBUTES = 18,
	TDX_END_PROCESSORS = 19,
	TDX_END_EARLY = 20,
	TDX_END_EXCEPTION = 64 /* + vector */
};

/* 0, or why a Keep must not run in the domain that TDG.VP.INFO tells of. */
unsigned judge_domain(const struct cpu_tdcall *info, bool debug);
/* The module answers it itself: no host has a say. */
bool judge_native(uint32_t leaf);
/* Of leaves that the module leaves to the domain. */
struct cpu_id judge_cpuid(uint32_t leaf);
/* Where a MapGPA goes on that has come to `told`, on its way from `at` to
 * `end`; false: it can't have. */
bool judge_progress(uint64_t at, uint64_t end, uint64_t told);

#endif
