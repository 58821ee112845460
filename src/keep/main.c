/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: the program inside a Keep (docs/exec.md).  It has no arguments, no
 * environment and no files; it talks through the gate and nothing else.
 */
#include <malloc.h>
#include <stdlib.h>

#include "base/must.h"
#include "keep/calls.h"
#include "keep/confine.h"
#include "keep/keep.h"

/* A bug of ours: nothing is said, the loader sees its Keep gone. */
void must_failed(const char *what, const char *file, int line)
{
	(void)what;
	(void)file;
	(void)line;
	_Exit(GATE_EXIT_INTERNAL);
}

/*
 * Buffers of connections come and go with each turn: their memory stays, up
 * to a bound, since giving it back and having it anew costs more than the
 * turn (a page fault for each page; an enclave's cost exits).  What is larger
 * has mappings of its own, which are given back.
 */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 4 << 20);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

int main(void)
{
	static struct keep keep;
	/* A zone without a name: dates of certificates are in UTC, and the C
	 * library does not look for a file to learn so. */
	static char zone[] = "TZ=:";
	struct err e = { .kind = ERR_NONE };
	enum gate_exit reason = GATE_EXIT_INTERNAL;
	keep_memory();
	if (putenv(zone))
		return reason;
	if (!keep_confine(&e))
		return reason;
	reason = keep_live(&keep, GATE_BELL_FD, GATE_AREA_FD, keep_calls_code(),
		&e);
	/* The host hears of the end when there is nothing left to find. */
	struct keep_gate gate = keep.gate;
	keep.gate.area = NULL;
	keep_fini(&keep);
	keep_gate_exit(&gate, reason);
	return reason;
}
