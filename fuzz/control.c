/* SPDX-License-Identifier: Apache-2.0 */
/* A control message: what parses must encode, and parse again as the same. */
#include "host/control.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(bool cond)
{
	if (!cond)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_message a, b;
	struct err e = { 0 };
	if (!control_parse(bytes_of(data, size), &a, &e)) {
		same(e.kind != ERR_NONE && *e.text);
		return 0;
	}
	auto_buf text = { 0 };
	same(control_encode(&a, &text, &e));
	same(control_parse(buf_bytes(&text), &b, &e));
	same(a.type == b.type && a.channel == b.channel);
	same(!strcmp(a.id, b.id) && !strcmp(a.reason, b.reason));
	same(bytes_equal(buf_bytes(&a.evidence), buf_bytes(&b.evidence)));
	control_fini(&a);
	control_fini(&b);
	return 0;
}
