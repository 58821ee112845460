/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/fmt.h"

void err_put(struct err *e, enum err_kind kind, const char *format, ...)
{
	if (!e)
		return;
	va_list ap;
	va_start(ap, format);
	fmt_v(e->text, sizeof e->text, format, ap);
	va_end(ap);
	e->kind = kind;
}

void err_prefix(struct err *e, const char *format, ...)
{
	if (!e)
		return;
	char old[sizeof e->text];
	memcpy(old, e->text, sizeof old);
	old[sizeof old - 1] = '\0';
	va_list ap;
	va_start(ap, format);
	size_t n = fmt_v(e->text, sizeof e->text, format, ap);
	va_end(ap);
	fmt(e->text + n, sizeof e->text - n, ": %s", old);
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = { "none", "input", "denied", "host",
		"limit" };
	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}
