/* SPDX-License-Identifier: Apache-2.0 */
/* A policy in bytes is refused, or is the policy of those very bytes. */
#include "attest/wire.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attest_policy *p, *q;
	struct err e = { 0 };
	if (!attest_policy_decode(bytes_of(data, size), &p, &e)) {
		must(e.kind != ERR_NONE && e.text[0]);
		return 0;
	}
	auto_buf wire = { 0 }, again = { 0 }, text = { 0 };
	must(attest_policy_encode(p, &wire) && wire.len <= size);
	must(attest_policy_decode(buf_bytes(&wire), &q, &e));
	must(attest_policy_encode(q, &again));
	must(bytes_equal(buf_bytes(&wire), buf_bytes(&again)));
	must(attest_policy_explain(p, &text) && text.len);
	attest_policy_free(q);
	attest_policy_free(p);
	return 0;
}
