/* SPDX-License-Identifier: Apache-2.0 */
/* The shim's calls to its host (spec/tdx.h).  What comes back is hostile: it is
 * judged here, or by the caller. */
#ifndef SHIM_TDX_HOST_H
#define SHIM_TDX_HOST_H

#include "base/base.h"

/* Ends the machine, when nothing else is there to tell it with. */
NORETURN void host_end(unsigned reason);
/* A 32-bit OUT; false: the host refused. */
MUST_USE bool host_out(uint16_t port, uint32_t value);
/* Asks that guest-physical pages (numbers; `to` excluded) become private, or
 * shared; false: the host did not say that all of them have. */
MUST_USE bool host_map(uint64_t from, uint64_t to, bool is_private);
/* Has the report that lies in the quote buffer of the window quoted there. */
void host_quote(uint64_t gpa, uint64_t bytes);

#endif
