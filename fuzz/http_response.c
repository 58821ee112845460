/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a hostile HTTP server, in pieces of a size that the first
 * byte chooses, must never make the body outgrow its limit. */
#include <stdlib.h>

#include "net/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	size_t piece = (size_t)data[0] + 1;
	struct bytes in = bytes_of(data + 1, size - 1);
	auto_net_response r = { .body = { .limit = 256 } };
	struct err e;
	while (in.len && !net_response_done(&r)) {
		size_t used;
		struct bytes now = bytes_of(in.ptr, size_min(piece, in.len));
		if (!net_response_feed(&r, now, &used, &e))
			return 0;
		if (r.body.len > 256 || used > now.len ||
			(used < now.len && !net_response_done(&r)))
			abort();
		in = bytes_from(in, used);
	}
	if (!net_response_done(&r) && net_response_end(&r, &e) &&
		r.status < 101)
		abort();
	return 0;
}
