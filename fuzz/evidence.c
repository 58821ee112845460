/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence in a file: read, judged and printed.  No input is accepted by a
 * policy that trusts no software root.  What is no bundle is judged as bare
 * software evidence, a root's key and claims, one after the other.
 */
#include "attest/attest.h"
#include "attest/bundle.h"
#include "base/must.h"
#include "spec/software.h"

enum { P256_SPKI_BYTES = 91 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct attest_input *in)
{
	static const struct attest_reference refs[] = {
		{ .technology = "process", .len = 48 },
	};
	static struct attest_verdict v;
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf text = { 0 };
	must(attest_policy_default(refs, 1, &p, &e));
	must(attest_verify(in, p, &v, &e));
	must(!v.accepted && !attest_accepted(&v, &e));
	must(attest_print_text(&v, &text));
	must(attest_print_json(&v, &text));
	attest_policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct attest_bundle b;
	if (attest_bundle_read(in, &b, NULL)) {
		const struct attest_input whole = attest_bundle_input(&b);
		judge(&whole);
		attest_bundle_fini(&b);
		return 0;
	}
	size_t n = size_min(size, SOFTWARE_BYTES);
	size_t m = size_min(size - n, P256_SPKI_BYTES);
	judge(&(struct attest_input){ .evidence = bytes_of(data, n),
		.endorsements = bytes_of(data + n, m),
		.claims = bytes_from(in, n + m) });
	return 0;
}
