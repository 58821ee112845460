/* SPDX-License-Identifier: Apache-2.0 */
/* Claims and tagged evidence: accepted means encoded as we would. */
#include "attest/claims.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size), ev, cl = in;
	struct attest_claims c;
	uint32_t tag;
	auto_buf out = { 0 };
	if (attest_tagged_parse(in, &tag, &ev, &cl, NULL)) {
		must(attest_tagged_encode(tag, ev, cl, &out));
		must(bytes_equal(in, buf_bytes(&out)));
		buf_clear(&out);
	} else {
		cl = in;
	}
	if (attest_claims_parse(cl, &c, NULL)) {
		must(attest_claims_encode(&c, &out));
		must(bytes_equal(cl, buf_bytes(&out)));
	}
	return 0;
}
