/* SPDX-License-Identifier: Apache-2.0 */
/* Streams without TLS; those with it are tested by tests/e2e/test_net.py. */
#include "channel/stream.h"

#include <stdlib.h>

#include "../test.h"

static struct channel_stream *s;

static void begin(void)
{
	struct err e;
	CHECK(channel_stream_plain(&s, &e));
	CHECK_INT(channel_stream_state(s), CHANNEL_STREAM_OPEN);
}

static bool reads(const char *text)
{
	uint8_t got[64];
	size_t n = channel_stream_read(s, got, sizeof got);
	return bytes_equal(bytes_of(got, n), bytes_str(text));
}

TEST(without_tls_bytes_are_the_same_on_both_sides)
{
	begin();
	CHECK_INT(channel_stream_write(s, BYTES_LIT("to ")), 3);
	CHECK_INT(channel_stream_write(s, BYTES_LIT("you")), 3);
	CHECK(bytes_equal(channel_stream_output(s), BYTES_LIT("to you")));
	channel_stream_output_done(s, 3);
	CHECK(bytes_equal(channel_stream_output(s), BYTES_LIT("you")));
	channel_stream_input(s, BYTES_LIT("from "));
	channel_stream_input(s, BYTES_LIT("me"));
	CHECK_INT(channel_stream_pending(s), 7);
	CHECK(reads("from me"));
	CHECK(reads(""));
	channel_stream_free(s);
}

TEST(without_tls_an_end_is_an_end_and_no_cut)
{
	begin();
	channel_stream_input(s, BYTES_LIT("last"));
	channel_stream_input_end(s);
	CHECK(!channel_stream_at_end(s));
	channel_stream_input(s, BYTES_LIT("nobody's"));
	CHECK(reads("last"));
	CHECK(channel_stream_at_end(s));
	CHECK_INT(channel_stream_state(s), CHANNEL_STREAM_OPEN);
	/* The other way is open still, until it is shut. */
	CHECK_INT(channel_stream_write(s, BYTES_LIT("x")), 1);
	channel_stream_shutdown(s);
	CHECK(!channel_stream_writable(s));
	CHECK_INT(channel_stream_write(s, BYTES_LIT("y")), 0);
	CHECK(bytes_equal(channel_stream_output(s), BYTES_LIT("x")));
	channel_stream_free(s);
}

TEST(a_stream_takes_what_it_has_room_for_and_no_more)
{
	enum { MUCH = 1 << 20 };
	uint8_t *block = calloc(1, MUCH);
	begin();
	size_t n = channel_stream_write(s, bytes_of(block, MUCH));
	CHECK(n > 0 && n < MUCH);
	CHECK_INT(channel_stream_output(s).len, n);
	CHECK(!channel_stream_writable(s));
	CHECK_INT(channel_stream_write(s, bytes_of(block, 1)), 0);
	channel_stream_output_done(s, 10);
	CHECK(channel_stream_writable(s));
	CHECK_INT(channel_stream_write(s, bytes_of(block, MUCH)), 10);

	size_t room = channel_stream_room(s);
	CHECK(room > 0 && room < MUCH);
	channel_stream_input(s, bytes_of(block, room));
	CHECK_INT(channel_stream_room(s), 0);
	CHECK_INT(channel_stream_read(s, block, 5), 5);
	CHECK_INT(channel_stream_room(s), 5);
	channel_stream_free(s);
	free(block);
}
