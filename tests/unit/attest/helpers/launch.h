/* SPDX-License-Identifier: Apache-2.0 */
/* Public launch digests of SEV-SNP, recomputed. */
#ifndef TESTS_UNIT_ATTEST_LAUNCH_H
#define TESTS_UNIT_ATTEST_LAUNCH_H

#include "codec/json.h"

/* A vector's file; NULL when there is none. */
json_t *launch_json(const char *name);
const char *launch_text(const json_t *o, const char *key);
/* Fails naming the first that differs; how many there are. */
size_t launch_check_all(const char *name);

#endif
