/* SPDX-License-Identifier: Apache-2.0 */
/* The shim's calls to its hypervisor (spec/ghcb.h).  What comes back is
 * hostile: it is copied once, and judged by the caller. */
#ifndef SHIM_SNP_GHCB_H
#define SHIM_SNP_GHCB_H

#include "spec/ghcb.h"

/* Agrees on a version and tells where the page is; crashes by name. */
void ghcb_init(uint32_t c_bit);
bool ghcb_ready(void);
/* Ends the machine, when nothing else is there to tell it with. */
NORETURN void ghcb_end(unsigned reason);
/* A 32-bit OUT. */
void ghcb_out(uint16_t port, uint32_t value);
/* Asks for another state (GHCB_STATE_...) of guest-physical pages, whole large
 * ones; false: the host did not say that all of them have it.  Whoever makes
 * them private validates them before they are used. */
bool ghcb_page_state(uint64_t from, uint64_t to, uint32_t state);
/* Lets the firmware answer the message at one guest-physical page in another;
 * crashes by name when it does not. */
void ghcb_guest_request(uint64_t request, uint64_t response);
/* The same, with room for certificates of the key that will have signed the
 * report, in so many pages; false: the host has none, or they are more. */
bool ghcb_extended_request(uint64_t request, uint64_t response, uint64_t at,
	uint64_t pages);

#endif
