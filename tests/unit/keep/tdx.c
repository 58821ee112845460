/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/tdx.h"

#include "../test.h"

enum { HEADER = SGX_QUOTE_HEADER_BYTES, MOST = HEADER + 6 + 648 + 100 };

static struct tdx_report_struct report;
static uint8_t quote[MOST];

static uint8_t *fill(unsigned version)
{
	struct tdx_report b;
	uint8_t *body = quote + HEADER + (version == 5 ? 6 : 0);
	memset(&report, 0, sizeof report);
	memset(quote, 0, sizeof quote);
	for (size_t i = 0; i < sizeof report; i++)
		((uint8_t *)&report)[i] = (uint8_t)(i * 7);
	memset(&b, 0x3c, sizeof b);
	b.td_attributes = report.info.attributes;
	b.xfam = report.info.xfam;
	memcpy(b.mrtd, report.info.mrtd, sizeof b.mrtd);
	memcpy(b.mrconfigid, report.info.mrconfigid, sizeof b.mrconfigid);
	memcpy(b.report_data, report.head.report_data, sizeof b.report_data);
	quote[0] = (uint8_t)version;
	quote[4] = SGX_TEE_TDX;
	memcpy(body, &b, TDX_TD10_BYTES);
	return body;
}

static bool judge(size_t len)
{
	struct err e = { 0 };
	bool ok = keep_tdx_check(bytes_of(&report, sizeof report),
		bytes_of(quote, len), &e);
	CHECK(ok || e.kind == ERR_HOST);
	return ok;
}

TEST(tdx_a_quote_of_the_report_is_one)
{
	fill(4);
	CHECK(judge(sizeof quote));
	CHECK(judge(HEADER + TDX_TD10_BYTES));
	fill(5);
	CHECK(judge(sizeof quote));
}

TEST(tdx_a_cut_quote_is_none)
{
	for (unsigned version = 4; version <= 5; version++) {
		fill(version);
		size_t least = HEADER + TDX_TD10_BYTES + (version == 5 ? 6 : 0);
		for (size_t n = 0; n < least; n++)
			CHECK(!judge(n));
	}
}

TEST(tdx_a_quote_of_something_else_is_refused)
{
	static const size_t at[] = { 120, 128, 136, 183, 184, 231, 520, 583 };
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		uint8_t *body = fill(4);
		body[at[i]] ^= 1;
		CHECK(!judge(sizeof quote));
	}
	fill(4);
	quote[4] = SGX_TEE_SGX;
	CHECK(!judge(sizeof quote));
	fill(4);
	quote[0] = 3;
	CHECK(!judge(sizeof quote));
}

/* Without a shim there is no such call. */
TEST(tdx_without_a_shim_there_is_no_report)
{
	uint8_t data[64] = { 0 }, out[KEEP_TDX_REPORT_BYTES];
	struct err e = { 0 };
	CHECK(!keep_tdx_report(data, out, &e));
	CHECK_INT(e.kind, ERR_HOST);
}
