/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest without paging, in flat 32-bit code: QEMU 7.2 would then leave the
 * nested tables out, too.  It runs under tables of ours that map what is below
 * 4 GiB to itself, in compatibility mode, until it switches paging on; what it
 * does with CR0, CR3 and CR4 up to there is played.
 */
#ifndef MONITOR_X86_64_FLAT_H
#define MONITOR_X86_64_FLAT_H

#include "monitor/x86_64/exits.h"

/* The processor is in the state without paging that was set.  False: no
 * memory for tables. */
MUST_USE bool flat_begin(struct monitor *m);
/* The guest's value, which is another one until paging is on. */
uint64_t flat_efer(const struct monitor *m);
/* An exit of CR0, CR3 or CR4; false: it is none, or no instruction that is
 * played. */
bool flat_exit(struct monitor *m);

#endif
