/* SPDX-License-Identifier: Apache-2.0 */
/* What every shim does between the processor's own start and exec's. */
#ifndef SHIM_COMMON_BOOT_H
#define SHIM_COMMON_BOOT_H

#include "abi/vm.h"
#include "base/err.h"
#include "shim/common/personality.h"

/* The host writes them still: copied once, then judged.  None end the Keep. */
struct vm_hints boot_hints(const struct vm_hints *at);
/* Clock and randomness of exec's calls begin, or the Keep ends by name. */
void boot_calls(struct personality *p, const struct vm_hints *h);

/* --- what each shim gives ------------------------------------------------- */

/* This is a debug Keep, which is measured: it hides nothing. */
bool shim_debug(void);
/* Of the processor, and how fast it counts: 0, or what clock.h refuses, if
 * nobody knows. */
uint64_t shim_counter(void);
uint32_t shim_counter_khz(const struct vm_hints *h);
/* random_init from the processor's sources. */
MUST_USE bool shim_random(struct random_source *r, struct err *e);
/* Rings; returns when the answer is there. */
void shim_bell(void);

#endif
