/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/tdx/host.h"

#include "shim/tdx/judge.h"

enum { TRIES = 1000, R10 = 10, R11, R12, R13, R14, R15 };

/* Registers that the host sees and changes. */
#define NAMED(last) (((1u << ((last) + 1)) - 1) & ~((1u << R10) - 1))

/* The host's status.  Of what it changed, only what was named has come back. */
static uint64_t call(uint64_t number, struct cpu_tdcall *c, unsigned last)
{
	c->rcx = NAMED(last);
	c->r10 = 0;
	c->r11 = number;
	/* The module refuses what is no call: this one is. */
	if (cpu_tdcall(TDX_VP_VMCALL, c) != TDX_SUCCESS)
		return TDX_CALL_UNSUPPORTED;
	return c->r10;
}

void host_end(unsigned reason)
{
	for (;;) {
		struct cpu_tdcall c = { .r12 = reason };
		call(TDX_CALL_FATAL_ERROR, &c, R13);
	}
}

bool host_out(uint16_t port, uint32_t value)
{
	struct cpu_tdcall c = { .r12 = sizeof value,
		.r13 = TDX_IO_OUT,
		.r14 = port,
		.r15 = value };
	return call(TDX_REASON_IO, &c, R15) == TDX_CALL_SUCCESS;
}

bool host_map(uint64_t from, uint64_t to, bool is_private)
{
	uint64_t half = is_private ? 0 : TDX_SHARED;
	uint64_t at = from * PAGE_BYTES | half, end = to * PAGE_BYTES | half;
	for (unsigned i = 0; i < TRIES; i++) {
		struct cpu_tdcall c = { .r12 = at, .r13 = end - at };
		uint64_t status = call(TDX_CALL_MAP_GPA, &c, R13);
		if (status == TDX_CALL_SUCCESS)
			return true;
		if (status != TDX_CALL_RETRY || !judge_progress(at, end, c.r11))
			return false;
		at = c.r11;
	}
	return false;
}

void host_quote(uint64_t gpa, uint64_t bytes)
{
	struct cpu_tdcall c = { .r12 = gpa | TDX_SHARED, .r13 = bytes };
	/* Without one the loader has nothing to hand on. */
	(void)call(TDX_CALL_GET_QUOTE, &c, R13);
}
