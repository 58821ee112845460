/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile host's event after so many of the guest's instructions: each of
 * them is an exit then (#DB by RFLAGS.TF).  A guest sees nothing of it but the
 * flag, in what it or its processor has saved.
 */
#ifndef MONITOR_X86_64_STEP_H
#define MONITOR_X86_64_STEP_H

#include "monitor/x86_64/exits.h"

void step_arm(struct monitor *m, uint64_t event, uint32_t instructions);
/* Before each VMRUN. */
void step_enter(struct monitor *m);
/* After it.  False: the exit was not of this. */
bool step_exit(struct monitor *m, enum exit_turn *turn);

#endif
