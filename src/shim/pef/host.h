/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of hypervisor and ultravisor. */
#ifndef SHIM_PEF_HOST_H
#define SHIM_PEF_HOST_H

#include "abi/pef.h"
#include "base/base.h"

/* The owner's key, of the blob; without one it stays zero. */
void host_key(uint8_t out[PEF_KEY_BYTES]);
/* The window is the host's, and empty.  False: it was always, or can't be. */
bool host_share_window(void);
/* The tables of processes are there. */
void host_processes(uint64_t gra);
/* Tells the loader; returns when it lets the Keep run on. */
void host_event(uint32_t event);

#endif
