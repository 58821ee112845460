/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every file of donjon may use: integer types, attributes, checked
 * arithmetic, pinned layouts.  Freestanding: a shim includes it too.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"

#define MUST_USE     __attribute__((warn_unused_result))
#define NORETURN     __attribute__((noreturn))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define UNUSED	     __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FALLTHROUGH  __attribute__((fallthrough))
#define PAGE_BYTES   4096u

/* Pin the offset of a field, or the size of a struct, to its manual. */
#define LAYOUT(type, field, offset)                       \
	_Static_assert(offsetof(type, field) == (offset), \
		#type "." #field " is not at " #offset)
#define LAYOUT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " is not " #size " bytes")

/* Sums and products of sizes that came from outside.  False on overflow. */
MUST_USE static inline bool size_add(size_t a, size_t b, size_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

MUST_USE static inline bool size_mul(size_t a, size_t b, size_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline size_t size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

#endif
