/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are the same for all guests with private pages
 * (memory_calls.c). */
#ifndef MONITOR_X86_64_CALLS_H
#define MONITOR_X86_64_CALLS_H

#include "monitor/x86_64/monitor.h"

enum monitor_result call_attributes(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result call_discard(struct monitor *m,
	const struct monitor_call *c);
enum monitor_result call_inject(struct monitor *m,
	const struct monitor_call *c);

#endif
