/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into and out of exec's memory, page by page: each page is asked for
 * before it is used, and a technology says what asking is. */
#ifndef SHIM_COMMON_COPY_H
#define SHIM_COMMON_COPY_H

#include "base/base.h"

/* Where the byte at `at` of exec's lies, with the rest of its page behind it;
 * NULL: exec itself may not read, or write, it. */
typedef void *copy_reach(void *ctx, uint64_t at, bool write);

/* False: exec may not use all of it; what stands before was copied. */
MUST_USE bool copy_out(copy_reach *reach, void *ctx, uint64_t to,
	const void *from, size_t n);
MUST_USE bool copy_in(copy_reach *reach, void *ctx, void *to, uint64_t from,
	size_t n);

#endif
