/* SPDX-License-Identifier: Apache-2.0 */
/* What session.c and session_frames.c share. */
#ifndef CLIENT_SESSION_PRIV_H
#define CLIENT_SESSION_PRIV_H

#include "client/session.h"

struct client_session {
	const struct client_session_config *cfg;
	struct client_outcome *out;
	struct client_link link;
	struct client_output stdout_, stderr_;
	uint8_t *input;
	bool hello, runs, input_end, input_ready;
	bool moved;  /* something happened in this turn */
	bool mute;   /* the transport takes no more */
	bool broken; /* `why` says why; frames before it may be left */
	struct err why;
	bool over;	   /* nothing more will be said */
	unsigned signals;  /* how many came */
	uint32_t to_send;  /* frame_signal that waits for room; 0 */
	uint64_t leave_at; /* we don't wait longer than that; 0 */
	uint64_t progress; /* when bytes last moved */
	uint64_t log_at;   /* LOGS: bytes seen, as an offset */
};

/* Sends what may be sent now, reads what came. */
MUST_USE bool client_session_say(struct client_session *s, struct err *e);
MUST_USE bool client_session_hear(struct client_session *s, struct err *e);
/* A signal was delivered to us. */
void client_session_signal(struct client_session *s, int number);
/* May standard input be read now? */
bool client_session_wants_input(const struct client_session *s);

#endif
