/* SPDX-License-Identifier: Apache-2.0 */
/* How a Keep ends: with a sentence for people, which never has workload data in
 * it, or with exec's status. */
#ifndef SHIM_COMMON_END_H
#define SHIM_COMMON_END_H

#include "abi/vm.h"
#include "base/base.h"

NORETURN void shim_crash(const char *format, ...) PRINTF(1, 2);
/* unknown_calls: that were refused. */
NORETURN void shim_exit(int status, uint32_t unknown_calls);

/* --- what each shim gives ------------------------------------------------ */

/* What the host will be shown; NULL: so early it can't be told anything. */
struct vm_report *shim_report(void);
/* Tells it; nothing comes after. */
NORETURN void shim_end(enum vm_event event);

#endif
