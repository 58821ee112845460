/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/keeps. */
#include "host/ask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ask a = { .memory = 1 };
	struct err e = { 0 };
	if (!ask_parse(bytes_of(data, size), &a, &e)) {
		if (e.kind == ERR_NONE || !*e.text || a.memory != 1)
			abort();
		return 0;
	}
	if (!*a.tee || strlen(a.tee) >= sizeof a.tee ||
		(a.memory && a.memory < ASK_MEMORY_MIN) ||
		a.memory > INT64_MAX || a.platform > ASK_SOFTWARE)
		abort();
	return 0;
}
