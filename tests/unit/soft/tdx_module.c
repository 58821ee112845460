/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/tdx_module.h"

#include "../test.h"
#include "attest/measure_tdx.h"
#include "crypto/hash.h"

static struct tdx_module *open_module(void)
{
	static const uint8_t config[48] = { 1 }, owner[48] = { 2 },
			     more[48] = { 3 };
	const struct tdx_module_init i = { TDX_ATTR_SEPT_VE_OFF, 7, config,
		owner, more };
	struct tdx_module *m;
	struct err e = { 0 };
	CHECK(tdx_module_new(&i, &m, &e));
	return m;
}

static struct tdx_report_struct report(const struct tdx_module *m, uint8_t data)
{
	struct tdx_report_struct r;
	struct err e = { 0 };
	uint8_t bytes[64];
	memset(bytes, data, sizeof bytes);
	CHECK(tdx_module_report(m, bytes, &r, &e));
	return r;
}

TEST(tdx_module_measures_as_a_verifier_calculates)
{
	struct tdx_module *m = open_module();
	struct attest_td_build *b;
	struct err e;
	uint8_t page[PAGE_BYTES], want[48];
	memset(page, 0x42, sizeof page);
	CHECK(attest_td_create(&b, &e));
	CHECK(attest_td_add(b, 0x1000, &e) &&
		attest_td_extend(b, 0x1000, BYTES_ARRAY(page), &e) &&
		attest_td_add(b, 0x7000, &e) && attest_td_end(b, want, &e));
	attest_td_free(b);
	CHECK(tdx_module_add(m, 0x1000) == TDX_SUCCESS);
	for (size_t at = 0; at < PAGE_BYTES; at += TDX_CHUNK_BYTES)
		CHECK(tdx_module_extend(m, 0x1000 + at, page + at) ==
			TDX_SUCCESS);
	CHECK(tdx_module_add(m, 0x7000) == TDX_SUCCESS);
	CHECK(tdx_module_finalize(m) == TDX_SUCCESS);
	CHECK_MEM(report(m, 1).info.mrtd, want, 48);
	tdx_module_free(m);
}

TEST(tdx_module_measures_no_more_once_that_is_final)
{
	static const uint8_t chunk[TDX_CHUNK_BYTES];
	struct tdx_module *m = open_module();
	CHECK(tdx_module_add(m, 0x1001) != TDX_SUCCESS);
	CHECK(tdx_module_extend(m, 0x1010, chunk) != TDX_SUCCESS);
	CHECK(tdx_module_finalize(m) == TDX_SUCCESS);
	CHECK(tdx_module_add(m, 0x1000) != TDX_SUCCESS);
	CHECK(tdx_module_extend(m, 0x1000, chunk) != TDX_SUCCESS);
	CHECK(tdx_module_finalize(m) != TDX_SUCCESS);
	tdx_module_free(m);
}

TEST(tdx_module_opens_its_own_reports_alone)
{
	struct tdx_module *m = open_module(), *other = open_module();
	struct tdx_report out;
	struct err e = { 0 };
	CHECK(tdx_module_finalize(m) == TDX_SUCCESS);
	struct tdx_report_struct r = report(m, 0x77);
	struct bytes b = bytes_of(&r, sizeof r);
	CHECK(tdx_module_open(m, b, &out, &e));
	CHECK_INT(out.report_data[63], 0x77);
	CHECK_INT(out.mrconfigid[0], 1);
	CHECK_INT(out.mrownerconfig[0], 3);
	CHECK(out.td_attributes == TDX_ATTR_SEPT_VE_OFF);
	CHECK(!tdx_module_open(other, b, &out, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	/* Other measurements under the same MAC. */
	r.info.mrtd[0] ^= 1;
	CHECK(!tdx_module_open(m, b, &out, &e));
	for (size_t n = 0; n < sizeof r; n++)
		CHECK(!tdx_module_open(m, bytes_of(&r, n), &out, &e));
	tdx_module_free(m);
	tdx_module_free(other);
}

TEST(tdx_module_extends_a_register_by_what_it_held)
{
	struct tdx_module *m = open_module();
	struct err e = { 0 };
	uint8_t both[96] = { 0 }, want[48], digest[48];
	memset(digest, 9, sizeof digest);
	memcpy(both + 48, digest, 48);
	CHECK(crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(both), want, &e));
	CHECK(tdx_module_extend_rtmr(m, 3, digest, &e));
	CHECK_MEM(report(m, 0).info.rtmr[3], want, 48);
	CHECK(tdx_module_extend_rtmr(m, 3, digest, &e));
	CHECK(memcmp(report(m, 0).info.rtmr[3], want, 48) != 0);
	tdx_module_free(m);
}
