/* SPDX-License-Identifier: Apache-2.0 */
/* Signature payloads, and signatures in base64 of DER, which have one form
 * only; told apart by the first byte. */
#include "base/must.h"
#include "repository/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct repository_payload p;
	struct err e;
	struct bytes in = bytes_of(data, size);
	auto_buf raw = { 0 }, back = { 0 };
	if (size && data[0] == '{') {
		if (repository_payload_parse(in, &p, &e))
			must(strlen(p.identity) < sizeof p.identity);
	} else if (repository_signature_decode(in, &raw, &e)) {
		must(raw.len == 64);
		must(repository_signature_encode(buf_bytes(&raw), &back, &e));
		must(in.len >= back.len);
		must(!memcmp(in.ptr, back.ptr, back.len));
	}
	return 0;
}
