/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads, payloads and the state table.  The first byte chooses: a payload's
 * type, or 0 for a conversation of (side, head, payload) as it would arrive.
 * What a parser takes must come back from the encoder byte for byte.
 */
#include <stdlib.h>

#include "channel/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct bytes in, bool encoded, const struct buf *b)
{
	if (!encoded || !bytes_equal(in, buf_bytes(b)))
		abort();
}

static void conversation(struct bytes in)
{
	struct reader r = { .in = in };
	struct frame_talk t = { 0 };
	struct err e;
	while (reader_left(&r)) {
		unsigned type;
		size_t len;
		enum frame_side side =
			reader_u8(&r) & 1 ? FRAME_FROM_KEEP : FRAME_FROM_CLIENT;
		struct bytes head = reader_take(&r, FRAME_HEAD);
		if (!frame_head_parse(head, &type, &len, &e))
			return;
		/* Big payloads need not be in the input to be stepped over. */
		struct bytes payload = reader_take(&r, len);
		struct frame_talk before = t;
		if (!frame_step(&t, side, type, payload, &e) &&
			memcmp(&before, &t, sizeof t))
			abort();
	}
}

static void config(struct bytes in, struct buf *b)
{
	struct frame_config c;
	if (!frame_config_parse(in, &c, NULL))
		return;
	bool ok = frame_config_encode(&c, b);
	frame_config_fini(&c);
	/* Longer than a frame: only here can it be. */
	if (in.len <= FRAME_MAX_PAYLOAD)
		same(in, ok, b);
}

static void payload(unsigned type, struct bytes in, struct buf *b)
{
	enum frame_role role;
	struct frame_file file;
	struct frame_module module;
	struct frame_trust trust;
	struct frame_exit x;
	struct frame_status status;
	struct err what;
	if (type == FRAME_HELLO && frame_hello_parse(in, &role, NULL))
		same(in, frame_hello_encode(role, b), b);
	if (type == FRAME_CONFIG)
		config(in, b);
	if (type == FRAME_FILE && frame_file_parse(in, &file, NULL))
		same(in, frame_file_encode(&file, b), b);
	if (type == FRAME_MODULE && frame_module_parse(in, &module, NULL))
		same(in, frame_module_encode(&module, b), b);
	if (type == FRAME_TRUST && frame_trust_parse(in, &trust, NULL))
		same(in, frame_trust_encode(&trust, b), b);
	if (type == FRAME_STATUS && frame_status_parse(in, &status, NULL))
		same(in, frame_status_encode(&status, b), b);
	/* Texts are cleaned: they parse again, if not to the same bytes. */
	if (type == FRAME_EXIT && frame_exit_parse(in, &x, NULL))
		if (!frame_exit_encode(&x, b) ||
			!frame_exit_parse(buf_bytes(b), &x, NULL))
			abort();
	if (type == FRAME_ERROR && frame_error_parse(in, &what, NULL))
		if (!frame_error_encode(what.kind, what.text, b) ||
			!frame_error_parse(buf_bytes(b), &what, NULL))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf b = { 0 };
	if (!size)
		return 0;
	struct bytes in = bytes_of(data + 1, size - 1);
	if (data[0] == 0)
		conversation(in);
	else
		payload(data[0], in, &b);
	return 0;
}
