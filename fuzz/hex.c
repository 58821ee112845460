/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever hex or base64 accepts, it would also have written. */
#include "codec/hex.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hex(struct bytes in)
{
	uint8_t raw[256];
	char text[2 * sizeof raw + 1];
	size_t n = size_min(in.len / 2, sizeof raw);
	if (!hex_decode(in, raw, n, NULL))
		return;
	hex_encode(bytes_of(raw, n), text);
	for (size_t i = 0; i < in.len; i++)
		must((text[i] | 0x20) == (in.ptr[i] | 0x20));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	auto_buf raw = { 0 };
	auto_buf again = { 0 };
	hex(in);
	if (base64_decode(in, &raw, NULL)) {
		must(base64_encode(buf_bytes(&raw), &again));
		must(bytes_equal(in, buf_bytes(&again)));
	}
	return 0;
}
