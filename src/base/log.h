/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs of the host's programs: one line of `key=value` pairs on
 * standard error, values quoted when they need it, control characters
 * escaped, so that nobody's bytes can forge a line.  Workload bytes never
 * come here: the host's programs do not have them.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
	int fd;
	enum log_level level;
	const char *program; /* borrowed for the life of the log */
};

/*
 * log_event(l, LOG_INFO, "keep started", "keep", id, "tee", tee, NULL):
 * pairs of strings, ended by NULL.  A NULL value ends the list too.
 */
void log_event(const struct log *l, enum log_level level, const char *event,
	...) __attribute__((sentinel));

#endif
