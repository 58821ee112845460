/* SPDX-License-Identifier: Apache-2.0 */
/* What the stand-in for exec does that no C of every processor says: a file for
 * each. */
#ifndef TESTS_FAKE_GUEST_ISA_H
#define TESTS_FAKE_GUEST_ISA_H

#include "abi/gate.h"
#include "guest.h"

extern struct gate_area *guest_area;
/* Ends with that number. */
void guest_need(bool ok, int number);
uint8_t *guest_map(size_t n, int prot);
bool guest_refused(long result, int error);

/* Registers, and the shim's way without a trap where it has one. */
void guest_isa_live(void);
/* Of GUEST_WALLS. */
void guest_isa_walls(void);
void guest_isa_marks(void);
/* A function that returns that number, into 8 bytes. */
void guest_isa_code(uint8_t *at, int number);
/* From GUEST_UD on. */
void guest_isa_fault(enum guest what);

#endif
