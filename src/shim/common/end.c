/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/end.h"

#include "base/fmt.h"
#include "base/must.h"

void shim_crash(const char *format, ...)
{
	struct vm_report *r = shim_report();
	char text[sizeof r->text];
	va_list ap;
	va_start(ap, format);
	size_t n = fmt_v(text, sizeof text, format, ap);
	va_end(ap);
	if (r) {
		memcpy(r->text, text, n);
		r->text_len = (uint32_t)n;
	}
	shim_end(VM_EVENT_CRASH);
}

void shim_exit(int status, uint32_t unknown_calls)
{
	struct vm_report *r = shim_report();
	if (r) {
		r->status = (uint32_t)status;
		r->unknown_calls = unknown_calls;
	}
	shim_end(VM_EVENT_EXIT);
}

void must_failed(const char *what, const char *file, int line)
{
	(void)what;
	shim_crash("bug at %s:%d", file, line);
}
