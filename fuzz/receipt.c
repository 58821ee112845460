/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of receipts have one form only. */
#include "attest/receipt.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attest_receipt r;
	struct err e;
	auto_buf again = { 0 };
	if (!attest_receipt_parse(bytes_of(data, size), &r, &e))
		return 0;
	must(attest_receipt_encode(&r, &again));
	must(again.len == size && !memcmp(again.ptr, data, size));
	return 0;
}
