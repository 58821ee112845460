/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the security monitors of RISC-V measure: Keystone (keystone,
 * sm/src/attest.c and bootrom/bootloader.c; SHA3-512) and Sanctum (MIT
 * security_monitor, src/api; SHA-512).  Numbers are little-endian.
 */
#ifndef ATTEST_MEASURE_MONITOR_H
#define ATTEST_MEASURE_MONITOR_H

#include "base/bytes.h"
#include "base/err.h"

/* Keystone's monitor, as its boot code hashes memory: with zeros behind. */
MUST_USE bool attest_keystone_monitor(struct bytes image, uint8_t out[64],
	struct err *e);
/* Its enclave: three files, each in whole pages. */
MUST_USE bool attest_keystone_enclave(struct bytes loader, struct bytes runtime,
	struct bytes app, uint8_t out[64], struct err *e);

struct attest_sanctum_build;

/* enclave_create; then the calls below in the order in which they are made. */
MUST_USE bool attest_sanctum_create(uint64_t base, uint64_t mask,
	uint64_t mailboxes, bool debug, struct attest_sanctum_build **out,
	struct err *e);
/* The monitor's own code that it puts into each enclave. */
MUST_USE bool attest_sanctum_handler(struct attest_sanctum_build *b,
	struct bytes code, struct err *e);
MUST_USE bool attest_sanctum_table(struct attest_sanctum_build *b,
	uint64_t address, uint64_t level, uint64_t acl, struct err *e);
MUST_USE bool attest_sanctum_page(struct attest_sanctum_build *b,
	uint64_t address, uint64_t acl, struct bytes page, struct err *e);
MUST_USE bool attest_sanctum_thread(struct attest_sanctum_build *b, uint64_t pc,
	uint64_t sp, uint64_t timer_limit, struct err *e);
MUST_USE bool attest_sanctum_end(struct attest_sanctum_build *b,
	uint8_t out[64], struct err *e);
void attest_sanctum_free(struct attest_sanctum_build *b);

#endif
