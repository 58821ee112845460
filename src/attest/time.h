/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as people write them (RFC 3339), in seconds since 1970. */
#ifndef ATTEST_TIME_H
#define ATTEST_TIME_H

#include "base/base.h"
#include "base/err.h"

/* "2025-06-19T10:16:03Z", also with a fraction (dropped) or an offset; a
 * date alone is its midnight in UTC.  False when it is none. */
bool attest_time_parse(const char *text, int64_t *out);
/* In UTC; years beyond 9999 are cut to its end. */
enum { ATTEST_TIME_TEXT = 24 };
void attest_time_print(int64_t at, char out[ATTEST_TIME_TEXT]);
/* ERR_DENIED: "what of FROM to TO, now is NOW"; false. */
bool attest_time_outside(const char *what, int64_t from, int64_t to,
	int64_t now, struct err *e);

#endif
