/* SPDX-License-Identifier: Apache-2.0 */
/* A policy is read whole or refused with a place and a reason. */
#include "attest/policy.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct attest_reference refs[] = {
		{ .technology = "process", .len = 48 },
	};
	struct attest_policy *p;
	struct err e = { 0 };
	if (!attest_policy_parse(bytes_of(data, size), "f", refs, 1, &p, &e)) {
		must(e.kind != ERR_NONE && e.text[0]);
		return 0;
	}
	auto_buf text = { 0 };
	must(attest_policy_explain(p, &text) && text.len);
	attest_policy_free(p);
	return 0;
}
