/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deploying client's frames, from CONFIG to START: the channel's state
 * table, then the workload.  Input: frames of u8 type, u16 length, payload.
 */
#include <stdlib.h>

#include "keep/workload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t no_time(void *ctx)
{
	(void)ctx;
	return 0;
}

/* HELLO of a deploying client, so that what follows is looked at. */
static bool greet(struct frame_talk *talk)
{
	struct err e;
	auto_buf hello = { .len = 0 };
	return frame_hello_encode(FRAME_ROLE_DEPLOY, &hello) &&
		frame_step(talk, FRAME_FROM_CLIENT, FRAME_HELLO,
			buf_bytes(&hello), &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = { .in = bytes_of(data, size) };
	struct frame_talk talk = { .state = 0 };
	struct keep_clock clock;
	struct keep_workload w;
	struct err e;
	/* The first byte: whether the channel's table stands before it. */
	bool guarded = reader_u8(&r) & 1;
	keep_clock_init(&clock, no_time, NULL);
	keep_workload_init(&w, &clock, 1u << 20);
	bool more = greet(&talk);
	while (more && reader_left(&r)) {
		unsigned type = reader_u8(&r);
		struct bytes payload = reader_take(&r, reader_u16le(&r));
		more = !r.failed &&
			(!guarded ||
				frame_step(&talk, FRAME_FROM_CLIENT, type,
					payload, &e)) &&
			keep_workload_frame(&w, type, payload, &e);
	}
	/* What holds whatever came. */
	if (w.file_bytes > w.file_quota || w.object.at > w.object.size ||
		(w.started && !w.module_done))
		abort();
	keep_workload_fini(&w);
	return 0;
}
