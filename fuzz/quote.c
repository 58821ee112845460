/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's quotes: every span lies in the input, and all of it is accounted
 * for. */
#include "attest/quote.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct bytes all, struct bytes part)
{
	must(!part.len ||
		(part.ptr >= all.ptr &&
			part.len <= all.len - (size_t)(part.ptr - all.ptr)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	struct attest_quote q;
	if (!attest_quote_parse(in, &q, NULL))
		return 0;
	must(attest_quote_is(in) && q.trailing < size);
	within(in, q.signed_part);
	within(in, q.body);
	within(in, q.sig);
	within(in, q.key);
	within(in, q.qe_report);
	within(in, q.qe_sig);
	within(in, q.qe_auth);
	within(in, q.pck_chain);
	must(q.qe_report.len == sizeof(struct sgx_report));
	must(q.body.len ==
		(q.tdx ? (q.body.len == TDX_TD10_BYTES ?
					 TDX_TD10_BYTES :
					 sizeof(struct tdx_report)) :
			 sizeof(struct sgx_report)));
	return 0;
}
