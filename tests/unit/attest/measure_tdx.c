/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_tdx.h"

#include "attest/quote.h"
#include "codec/hex.h"
#include "crypto/hash.h"

#include "../test.h"
#include "helpers/vectors.h"

#define LOG   "open/tdx/google-cos113-v4.ccel_data.bin"
#define QUOTE "open/tdx/google-cos113-v4.quote.bin"

struct seen {
	unsigned events[4];
	const uint8_t *digest; /* of the last event */
};

static void count(void *ctx, unsigned rtmr, uint32_t type,
	const uint8_t digest[48], struct bytes data)
{
	struct seen *s = ctx;
	(void)type, (void)data;
	s->events[rtmr]++;
	s->digest = digest;
}

TEST(tdx_event_logs_replay_to_the_quotes_registers)
{
	struct attest_quote q;
	struct tdx_report td;
	uint8_t rtmr[4][48];
	struct seen s = { 0 };
	struct err e = { 0 };
	auto_buf log = { 0 }, quote = { 0 };
	if (!vectors_read(LOG, &log) || !vectors_read(QUOTE, &quote))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	CHECK(attest_quote_parse(buf_bytes(&quote), &q, &e));
	memcpy(&td, q.body.ptr, TDX_TD10_BYTES);
	if (!attest_ccel_replay(buf_bytes(&log), count, &s, rtmr, &e))
		fail_msg("%s", e.text);
	CHECK_MEM(rtmr, td.rtmr, sizeof rtmr);
	CHECK_INT(s.events[0] + s.events[1] + s.events[2] + s.events[3], 43);
	/* One bit of an event's digest. */
	size_t at = (size_t)(s.digest - log.ptr);
	log.ptr[at] ^= 1;
	CHECK(!attest_ccel_replay(buf_bytes(&log), NULL, NULL, rtmr, &e) ||
		memcmp(rtmr, td.rtmr, sizeof rtmr) != 0);
	log.ptr[at] ^= 1;
	for (size_t n = 0; n < 4000; n += 7)
		CHECK(!attest_ccel_replay(bytes_of(log.ptr, n), NULL, NULL,
			      rtmr, NULL) ||
			memcmp(rtmr, td.rtmr, sizeof rtmr) != 0);
}

TEST(tdx_measurement_is_of_records_in_their_order)
{
	static const uint8_t page[4096] = { 7 };
	uint8_t one[48], other[48], want[48];
	struct attest_td_build *b;
	struct err e = { 0 };
	CHECK(attest_td_create(&b, &e));
	CHECK(attest_td_add(b, 0x1000, &e));
	CHECK(attest_td_extend(b, 0x1000, BYTES_ARRAY(page), &e));
	CHECK(attest_td_add(b, 0x2000, &e));
	CHECK(!attest_td_add(b, 0x2001, &e));
	CHECK(attest_td_end(b, one, &e));
	attest_td_free(b);
	CHECK(attest_td_create(&b, &e));
	CHECK(attest_td_add(b, 0x1000, &e));
	CHECK(attest_td_add(b, 0x2000, &e));
	CHECK(attest_td_extend(b, 0x1000, BYTES_ARRAY(page), &e));
	CHECK(attest_td_end(b, other, &e));
	attest_td_free(b);
	CHECK(memcmp(one, other, 48) != 0);
	/* By hand: one page added and nothing else. */
	uint8_t r[128] = "MEM.PAGE.ADD";
	r[17] = 0x10;
	CHECK(crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(r), want, &e));
	CHECK(attest_td_create(&b, &e));
	CHECK(attest_td_add(b, 0x1000, &e));
	CHECK(attest_td_end(b, one, &e));
	attest_td_free(b);
	CHECK_MEM(one, want, 48);
}
