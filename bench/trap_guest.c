/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below a shim, in the place of exec: what a call costs that the shim serves
 * itself, in ticks of the time-stamp counter, by SYSCALL and by the shim's way
 * without a trap, where it has one (0: it has not).  Told in the arguments of
 * a request at the gate.
 */
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/gate.h"

enum { CALLS = 2000 };

typedef int64_t call_fn(uint64_t number, const uint64_t args[6]);

static uint64_t by_trap(void)
{
	uint64_t begin = __builtin_ia32_rdtsc();
	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getpid);
	return (__builtin_ia32_rdtsc() - begin) / CALLS;
}

static uint64_t by_call(void)
{
	static const uint64_t none[6];
	const struct gate_shim *s =
		(const void *)(uintptr_t)getauxval(GATE_AUX_SHIM);
	call_fn *f;
	if (!s || !s->call)
		return 0;
	memcpy(&f, &s->call, sizeof f);
	uint64_t begin = __builtin_ia32_rdtsc();
	for (int i = 0; i < CALLS; i++)
		f(SYS_getpid, none);
	return (__builtin_ia32_rdtsc() - begin) / CALLS;
}

int main(void)
{
	struct gate_area *a = mmap(NULL, GATE_AREA_BYTES,
		PROT_READ | PROT_WRITE, MAP_SHARED, GATE_AREA_FD, 0);
	if (a == MAP_FAILED)
		return 1;
	a->request = (struct gate_request){ .op = GATE_TIME_HINT,
		.seq = 1,
		.arg0 = by_trap(),
		.arg1 = by_call() };
	return write(GATE_BELL_FD, "", 1) != 1;
}
