/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "client/session_priv.h"

/* Room that a full frame needs in the channel, TLS included; and how much
 * may wait there before standard input is left alone. */
enum { FRAME_ROOM = FRAME_DATA_CHUNK + 0x400, INPUT_ROOM = 0x60000 };

/* How long the program may take to end after it was told to. */
#define STOP_NS UINT64_C(10000000000)

/* --- saying ------------------------------------------------------------- */

static bool say_hello(struct client_session *s, struct err *e)
{
	struct channel *c = s->link.channel;
	auto_buf hello = { 0 }, from = { 0 };
	if (!frame_hello_encode(s->cfg->role, &hello) || !buf_u64le(&from, 0))
		return err_fail(e, ERR_LIMIT, "no memory");
	s->hello = s->moved = true;
	return channel_send(c, FRAME_HELLO, buf_bytes(&hello), e) &&
		(s->cfg->role != FRAME_ROLE_LOGS ||
			channel_send(c, FRAME_LOGS, buf_bytes(&from), e));
}

static bool say_signal(struct client_session *s, struct err *e)
{
	auto_buf b = { 0 };
	if (!buf_u32le(&b, s->to_send))
		return err_fail(e, ERR_LIMIT, "no memory");
	bool detach = s->to_send == FRAME_SIGNAL_DETACH;
	s->to_send = 0;
	s->moved = true;
	if (!channel_send(s->link.channel, FRAME_SIGNAL, buf_bytes(&b), e))
		return false;
	if (detach) {
		channel_close(s->link.channel);
		s->out->detached = s->over = true;
	}
	return true;
}

static bool say_workload(struct client_session *s, struct err *e)
{
	struct client_deliver *d = s->cfg->deliver;
	while (d->state != CLIENT_DELIVER_DONE &&
		channel_output_room(s->link.channel) >= FRAME_ROOM) {
		if (!client_deliver_next(d, s->link.channel, e))
			return false;
		s->moved = true;
		if (d->state == CLIENT_DELIVER_DONE)
			s->cfg->times->delivered = client_now();
	}
	return true;
}

bool client_session_wants_input(const struct client_session *s)
{
	return s->runs && !s->input_end && !s->over && !s->out->exited &&
		(s->cfg->role == FRAME_ROLE_DEPLOY ||
			s->cfg->role == FRAME_ROLE_ATTACH) &&
		!s->cfg->detach && channel_talk(s->link.channel)->credit > 0 &&
		channel_output_room(s->link.channel) >= INPUT_ROOM;
}

static bool say_input(struct client_session *s, struct err *e)
{
	uint64_t credit = channel_talk(s->link.channel)->credit;
	size_t room =
		credit < FRAME_DATA_CHUNK ? (size_t)credit : FRAME_DATA_CHUNK;
	size_t n;
	if (!s->input_ready || !client_session_wants_input(s))
		return true;
	s->input_ready = false;
	if (!client_input_read(0, s->input, room, &n, &s->input_end, e))
		return false;
	if (!n && !s->input_end)
		return true;
	s->moved = true;
	/* An empty one says that it has ended. */
	return channel_send(s->link.channel, FRAME_STDIN, bytes_of(s->input, n),
		e);
}

bool client_session_say(struct client_session *s, struct err *e)
{
	if (channel_state(s->link.channel) != CHANNEL_OPEN || s->out->exited)
		return true;
	if (!s->cfg->times->connected)
		s->cfg->times->connected = client_now();
	if (!s->hello && !say_hello(s, e))
		return false;
	if (s->cfg->role == FRAME_ROLE_DEPLOY && !say_workload(s, e))
		return false;
	if (s->to_send && s->runs &&
		channel_output_room(s->link.channel) >= 0x400 &&
		!say_signal(s, e))
		return false;
	return s->over || say_input(s, e);
}

/* --- signals ------------------------------------------------------------ */

static void leave(struct client_session *s, int number)
{
	s->out->left_by = number;
	s->over = true;
}

static void ask_to_stop(struct client_session *s, uint32_t frame_signal)
{
	s->to_send = frame_signal;
	s->leave_at = client_now() + STOP_NS;
}

void client_session_signal(struct client_session *s, int number)
{
	enum frame_role role = s->cfg->role;
	s->moved = true;
	if (role == FRAME_ROLE_ATTACH && s->runs && number != SIGINT &&
		!s->signals++)
		s->to_send = FRAME_SIGNAL_DETACH;
	else if (s->signals++ || number == SIGQUIT || !s->runs ||
		s->cfg->detach ||
		(role != FRAME_ROLE_DEPLOY && role != FRAME_ROLE_ATTACH))
		leave(s, number);
	else
		ask_to_stop(s,
			number == SIGINT ? FRAME_SIGNAL_INTERRUPT :
					   FRAME_SIGNAL_TERMINATE);
}

/* --- hearing ------------------------------------------------------------ */

static void starts(struct client_session *s)
{
	s->runs = true;
	s->cfg->times->started = client_now();
	if (s->cfg->on_start)
		s->cfg->on_start(s->cfg->ctx);
	if (s->cfg->detach)
		s->to_send = FRAME_SIGNAL_DETACH;
}

/* Nobody reads the program's output any more: as SIGPIPE has it. */
static void nobody_reads(struct client_session *s)
{
	if (s->signals++)
		return;
	s->out->left_by = SIGPIPE;
	if (s->cfg->role == FRAME_ROLE_DEPLOY)
		ask_to_stop(s, FRAME_SIGNAL_TERMINATE);
	else if (s->cfg->role == FRAME_ROLE_ATTACH)
		s->to_send = FRAME_SIGNAL_DETACH;
	else
		s->over = true;
}

static bool hear_output(struct client_session *s, const struct frame *f,
	struct err *e)
{
	struct client_output *o =
		f->type == FRAME_STDERR ? &s->stderr_ : &s->stdout_;
	/* What came before we left is in the Keep's log as well. */
	if (s->cfg->detach)
		return true;
	if (!s->cfg->times->first_output)
		s->cfg->times->first_output = client_now();
	if (!client_output_put(o, f->payload, e))
		return false;
	s->log_at += f->payload.len;
	if (s->cfg->role == FRAME_ROLE_LOGS && !s->cfg->follow &&
		s->log_at >= s->out->status.log_end) {
		channel_close(s->link.channel);
		s->over = true;
	}
	return true;
}

static bool hear_status(struct client_session *s, const struct frame *f,
	struct err *e)
{
	if (!frame_status_parse(f->payload, &s->out->status, e))
		return false;
	s->out->has_status = true;
	s->log_at = s->out->status.log_first;
	if (s->cfg->role == FRAME_ROLE_ATTACH)
		starts(s);
	if (s->cfg->role == FRAME_ROLE_STATUS) {
		channel_close(s->link.channel);
		s->over = true;
	}
	if (s->cfg->role == FRAME_ROLE_LOGS && !s->cfg->follow &&
		s->log_at >= s->out->status.log_end)
		s->over = true;
	return true;
}

static bool hear_exit(struct client_session *s, const struct frame *f,
	struct err *e)
{
	struct frame_exit x;
	if (!frame_exit_parse(f->payload, &x, e))
		return false;
	channel_close(s->link.channel);
	/* A program that was quicker than our leaving: its Keep stays, for
	 * attach and logs to hear how it was. */
	if (s->cfg->detach && s->runs && x.end != FRAME_END_REFUSED &&
		x.end != FRAME_END_NETWORK) {
		s->out->detached = s->over = true;
		return true;
	}
	s->out->exit = x;
	s->cfg->times->exit = client_now();
	s->out->exited = true;
	return true;
}

static bool hear_error(const struct frame *f, struct err *e)
{
	struct err said;
	if (!frame_error_parse(f->payload, &said, e))
		return false;
	return err_fail(e, said.kind, "the Keep says: %s", said.text);
}

static bool hear(struct client_session *s, const struct frame *f, struct err *e)
{
	switch (f->type) {
	case FRAME_START:
		starts(s);
		return true;
	case FRAME_STDOUT:
	case FRAME_STDERR:
		return hear_output(s, f, e);
	case FRAME_STATUS:
		return hear_status(s, f, e);
	case FRAME_FILE:
		return s->cfg->detach ||
			client_results_file(s->cfg->results, f->payload, e);
	case FRAME_DATA:
		return s->cfg->detach ||
			client_results_data(s->cfg->results, f->payload, e);
	case FRAME_RECEIPT:
		return buf_put(&s->out->receipt, f->payload) ||
			err_fail(e, ERR_LIMIT, "no memory");
	case FRAME_EXIT:
		return hear_exit(s, f, e);
	case FRAME_ERROR:
		return hear_error(f, e);
	default: /* HELLO, CREDIT, RESULTS_END: the channel keeps count */
		return true;
	}
}

/* Bytes from the transport.  What came before a break still counts, so that
 * is remembered, and an error only once no frame is left.  *more: try again. */
static bool fetch(struct client_session *s, bool *more, struct err *e)
{
	if (s->broken) {
		if (e)
			*e = s->why;
		return false;
	}
	bool moved = false;
	s->broken = !client_link_fill(&s->link, &moved, &s->why);
	*more = moved || s->broken;
	s->moved = s->moved || *more;
	return true;
}

bool client_session_hear(struct client_session *s, struct err *e)
{
	bool more = true;
	while (more && !s->over && !s->out->exited &&
		s->stdout_.waiting.len < CLIENT_STDIO_WAITING &&
		s->stderr_.waiting.len < CLIENT_STDIO_WAITING) {
		struct frame f;
		bool got;
		if (!channel_next(s->link.channel, &f, &got, e))
			return false;
		if (got ? !hear(s, &f, e) : !fetch(s, &more, e))
			return false;
		s->moved = s->moved || got;
	}
	if (s->stdout_.gone && !s->out->exited && !s->over)
		nobody_reads(s);
	return true;
}
