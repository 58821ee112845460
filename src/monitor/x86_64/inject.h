/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions for the guest. */
#ifndef MONITOR_X86_64_INJECT_H
#define MONITOR_X86_64_INJECT_H

#include "monitor/x86_64/monitor.h"

enum {
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_VE = 20,
	VECTOR_VC = 29
};

/* At the next entry; an error code of 0 goes with #GP and #PF. */
void inject_event(struct monitor *m, unsigned vector, uint32_t error);
/* A page fault at va; the error code is a guest's read of nothing. */
void inject_page_fault(struct monitor *m, uint64_t va);
/*
 * An exception with an error code whose frame is built here, as the processor
 * would (AMD64 manual, volume 2, §8.9): the guest stands at the handler's
 * first instruction then.  False: it has nowhere to put it.
 */
MUST_USE bool inject_frame(struct monitor *m, unsigned vector, uint64_t code);
/* #VC so, for which QEMU's EVENTINJ pushes no error code. */
MUST_USE bool inject_vc(struct monitor *m, uint64_t code);

#endif
