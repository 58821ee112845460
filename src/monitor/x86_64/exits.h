/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest's exit means. */
#ifndef MONITOR_X86_64_EXITS_H
#define MONITOR_X86_64_EXITS_H

#include "monitor/x86_64/monitor.h"

enum exit_turn {
	EXIT_RESUME,
	EXIT_LEAVE, /* box->exit says why */
};

/* A plain guest's. */
enum exit_turn exit_plain(struct monitor *m);
/* Leaves, naming what VMRUN said. */
enum exit_turn exit_leave(struct monitor *m, enum monitor_exit_reason reason);
/* The host's answer to an access to a port. */
void exit_finish_io(struct monitor *m);
/* The instruction is done. */
void exit_skip(struct monitor *m, unsigned bytes);

#endif
