/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/tdx.h"

#include <unistd.h>

#include "abi/gate.h"
#include "base/reader.h"

bool keep_tdx_report(const uint8_t report_data[64],
	uint8_t report[KEEP_TDX_REPORT_BYTES], struct err *e)
{
	return syscall(GATE_CALL_REPORT, report_data, report) == 0 ||
		err_fail(e, ERR_HOST, "evidence: the shim has no report");
}

/* Header, and what stands before a body of version 5. */
static struct bytes body_of(struct bytes quote)
{
	struct reader r = { .in = quote };
	uint16_t version = reader_u16le(&r);
	reader_u16le(&r); /* kind of key */
	uint32_t tee = reader_u32le(&r);
	reader_take(&r, SGX_QUOTE_HEADER_BYTES - 8);
	if (version == 5)
		reader_take(&r, 6);
	struct bytes body = reader_take(&r, TDX_TD10_BYTES);
	bool ok = (version == 4 || version == 5) && tee == SGX_TEE_TDX;
	return ok && !r.failed ? body : BYTES_NONE;
}

bool keep_tdx_check(struct bytes report, struct bytes quote, struct err *e)
{
	struct tdx_report_struct r;
	struct tdx_report b;
	struct bytes body = body_of(quote);
	if (report.len != sizeof r || !body.len)
		return err_fail(e, ERR_HOST, "quote: none, of %zu bytes",
			quote.len);
	memcpy(&r, report.ptr, sizeof r);
	memset(&b, 0, sizeof b);
	memcpy(&b, body.ptr, TDX_TD10_BYTES);
	bool same = b.td_attributes == r.info.attributes &&
		b.xfam == r.info.xfam &&
		!memcmp(b.mrtd, r.info.mrtd, sizeof b.mrtd) &&
		!memcmp(b.mrconfigid, r.info.mrconfigid, sizeof b.mrconfigid) &&
		!memcmp(b.report_data, r.head.report_data,
			sizeof b.report_data);
	return same || err_fail(e, ERR_HOST, "quote: of another report");
}
