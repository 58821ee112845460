/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors.  What can fail returns bool and takes a `struct err *` last.  Code
 * branches on kind; people read text, which grows outwards as callers wrap
 * it: `run keep: launch process: open /x: No such file or directory`.
 * Never allocates.  Text made inside a Keep carries no workload data.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "base/base.h"

/* The kind is also the command's exit status: ERR_STATUS(kind). */
enum err_kind {
	ERR_NONE,
	ERR_INPUT,  /* what was given to us is wrong: file, flag, frame, ... */
	ERR_DENIED, /* verification, policy or access control said no */
	ERR_HOST,   /* host agent, kernel, network or peer failed us */
	ERR_LIMIT,  /* a limit was reached: memory, time, number, size */
};

/* 121 input, 122 denied, 123 host, 124 limit (124 as timeout(1) has it). */
#define ERR_STATUS(kind) (120 + (int)(kind))

struct err {
	enum err_kind kind;
	char text[252];
};

#define err_fail(e, kind, ...) (err_put((e), (kind), __VA_ARGS__), false)
#define err_wrap(e, ...)       (err_prefix((e), __VA_ARGS__), false)

/* Sets kind and text; e may be NULL. */
void err_put(struct err *e, enum err_kind kind, const char *format, ...)
	PRINTF(3, 4);
/* Puts "<format>: " before the text; the kind stays. */
void err_prefix(struct err *e, const char *format, ...) PRINTF(2, 3);
/* "input", "denied", "host", "limit", "none". */
const char *err_kind_name(enum err_kind kind);

#endif
