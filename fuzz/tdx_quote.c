/* SPDX-License-Identifier: Apache-2.0 */
/* A quoting service's answer, as the loader reads it; and the quote in it, as
 * the Keep compares it with its report, which is all zeros. */
#include "base/must.h"
#include "hal/qgs.h"
#include "keep/tdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t report[KEEP_TDX_REPORT_BYTES];
	struct bytes quote, in = bytes_of(data, size);
	struct err e;
	if (!qgs_answer_parse(in, &quote, &e))
		return 0;
	must(quote.ptr >= in.ptr && quote.len &&
		quote.len <= in.len - (size_t)(quote.ptr - in.ptr));
	if (keep_tdx_check(BYTES_ARRAY(report), quote, &e))
		must(quote.len >= SGX_QUOTE_HEADER_BYTES + TDX_TD10_BYTES);
	return 0;
}
