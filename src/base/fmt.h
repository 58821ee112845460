/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A printf for places that have no libc and may not allocate (shims, error
 * texts).  Knows %s %c %d %i %u %x %X %p %%, the flags '0' and '-', width,
 * precision (also '*'), and the lengths hh h l ll z.  Anything else is
 * printed as it stands.
 */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdarg.h>

#include "base/base.h"

/*
 * Writes at most size bytes including the NUL, always terminates (size > 0).
 * Returns the number of characters written, without the NUL; a text that did
 * not fit is cut.
 */
size_t fmt_v(char *out, size_t size, const char *format, va_list ap)
	PRINTF(3, 0);
size_t fmt(char *out, size_t size, const char *format, ...) PRINTF(3, 4);

#endif
