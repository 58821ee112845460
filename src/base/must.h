/* SPDX-License-Identifier: Apache-2.0 */
/*
 * must(cond) catches our own bugs.  It stays on in release and never judges
 * input: input that is wrong is an error with a name.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include "base/base.h"

/* Ends the program.  Each program or shim supplies it (base/must.c: stderr
 * and abort). */
NORETURN void must_failed(const char *what, const char *file, int line);

#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))

#endif
