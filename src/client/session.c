/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/session_priv.h"

/* Without any byte moving: until the program runs; after the last word. */
#define STALL_NS  UINT64_C(60000000000)
#define LINGER_NS UINT64_C(2000000000)
/* Beyond the program's own time limit, which the Keep enforces as soon as its
 * host lets it run. */
#define GRACE_NS UINT64_C(30000000000)

enum { AT_LINK, AT_INPUT, AT_STDOUT, AT_STDERR, AT_SIGNAL, AT_COUNT };

uint64_t client_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void flush_link(struct client_session *s)
{
	struct err ignored;
	/* A write that fails says nothing: what was said to us tells more. */
	if (!s->mute && !client_link_flush(&s->link, &s->moved, &ignored))
		s->mute = true;
}

static void take_signal(struct client_session *s)
{
	struct signalfd_siginfo info;
	if (read(s->cfg->signal_fd, &info, sizeof info) == sizeof info)
		client_session_signal(s, (int)info.ssi_signo);
}

static bool is_full(const struct client_session *s)
{
	return s->stdout_.waiting.len >= CLIENT_STDIO_WAITING ||
		s->stderr_.waiting.len >= CLIENT_STDIO_WAITING;
}

/* When to stop waiting, and what it means. */
static uint64_t deadline(const struct client_session *s, const char **what)
{
	const struct client_times *t = s->cfg->times;
	*what = NULL;
	if (s->leave_at)
		return s->leave_at;
	if (s->cfg->role == FRAME_ROLE_STATUS) {
		*what = "the Keep does not answer";
		return t->begin + s->cfg->patience_ns;
	}
	if (!s->runs && s->cfg->role == FRAME_ROLE_STOP) {
		*what = "the Keep does not end";
		return s->progress + STALL_NS;
	}
	if (!s->runs && !s->out->has_status) {
		*what = "nothing moved for 60 s";
		return s->progress + STALL_NS;
	}
	/* While our own reader is slow, the Keep can't tell us of its end. */
	if (s->runs && s->cfg->time_ns && !s->cfg->detach && !is_full(s) &&
		s->cfg->time_ns < UINT64_MAX / 4) {
		*what = "the Keep let its time limit pass";
		return t->started + s->cfg->time_ns + GRACE_NS;
	}
	return UINT64_MAX;
}

static int wait_ms(const struct client_session *s)
{
	const char *what;
	uint64_t at = deadline(s, &what), now = client_now();
	if (s->moved || at <= now)
		return 0;
	if (at == UINT64_MAX || (at - now) / 1000000 >= INT32_MAX - 1)
		return -1;
	return (int)((at - now) / 1000000) + 1;
}

static void fill_polls(const struct client_session *s,
	struct pollfd p[AT_COUNT])
{
	short link = client_link_events(&s->link);
	if (is_full(s) || s->out->exited || s->broken)
		link &= ~POLLIN;
	if (s->mute)
		link &= ~POLLOUT;
	for (int i = 0; i < AT_COUNT; i++)
		p[i] = (struct pollfd){ .fd = -1 };
	/* Without events poll still reports a hangup, again and again. */
	if (link)
		p[AT_LINK] =
			(struct pollfd){ net_http_fd(s->cfg->http), link, 0 };
	if (client_session_wants_input(s) && !s->input_ready)
		p[AT_INPUT] = (struct pollfd){ 0, POLLIN, 0 };
	if (client_output_waits(&s->stdout_))
		p[AT_STDOUT] = (struct pollfd){ s->stdout_.fd, POLLOUT, 0 };
	if (client_output_waits(&s->stderr_))
		p[AT_STDERR] = (struct pollfd){ s->stderr_.fd, POLLOUT, 0 };
	p[AT_SIGNAL] = (struct pollfd){ s->cfg->signal_fd, POLLIN, 0 };
}

static bool wait_for_any(struct client_session *s, struct err *e)
{
	struct pollfd p[AT_COUNT];
	const char *what;
	fill_polls(s, p);
	int n = poll(p, AT_COUNT, wait_ms(s));
	if (n < 0 && errno != EINTR)
		return err_fail(e, ERR_HOST, "poll: %s", strerror(errno));
	uint64_t now = client_now();
	if (s->moved)
		s->progress = now;
	s->moved = false;
	if (n <= 0) {
		if (now < deadline(s, &what))
			return true;
		s->over = true;
		return !what || err_fail(e, ERR_HOST, "%s", what);
	}
	if (p[AT_INPUT].revents)
		s->input_ready = true;
	if (p[AT_SIGNAL].revents)
		take_signal(s);
	if (p[AT_STDOUT].revents && !client_output_ready(&s->stdout_, e))
		return false;
	return !p[AT_STDERR].revents || client_output_ready(&s->stderr_, e);
}

static bool done(const struct client_session *s)
{
	return s->over ||
		(s->out->exited && !client_output_waits(&s->stdout_) &&
			!client_output_waits(&s->stderr_));
}

/* The last words go out; after DETACH the Keep's answer to them is awaited,
 * lest closing early makes the host drop them. */
static void linger(struct client_session *s)
{
	uint64_t end = client_now() + LINGER_NS;
	struct err ignored;
	while (client_now() < end) {
		bool moved = false;
		flush_link(s);
		bool unsent = !s->mute && channel_output(s->link.channel).len;
		bool unheard = s->out->detached && !s->link.ended &&
			client_link_fill(&s->link, &moved, &ignored) &&
			channel_state(s->link.channel) == CHANNEL_OPEN;
		if (!unsent && !unheard)
			return;
		struct frame f;
		bool got = true;
		while (got && channel_next(s->link.channel, &f, &got, &ignored))
			moved = moved || got;
		struct pollfd p = { net_http_fd(s->cfg->http),
			client_link_events(&s->link), 0 };
		if (!moved)
			poll(&p, 1, 100);
	}
}

static bool loop(struct client_session *s, struct err *e)
{
	while (!done(s)) {
		if (!client_session_hear(s, e) || !client_session_say(s, e))
			return false;
		flush_link(s);
		if (!done(s) && !wait_for_any(s, e))
			return false;
	}
	linger(s);
	return true;
}

static bool open_all(struct client_session *s, struct err *e)
{
	const struct client_session_config *cfg = s->cfg;
	client_output_open(&s->stdout_, 1);
	client_output_open(&s->stderr_, 2);
	s->progress = client_now();
	s->input = malloc(FRAME_DATA_CHUNK);
	return (s->input || err_fail(e, ERR_LIMIT, "no memory")) &&
		client_link_open(&s->link, cfg->http, cfg->id, cfg->keep, e);
}

bool client_session_run(const struct client_session_config *cfg,
	struct client_outcome *out, struct err *e)
{
	struct client_session s = { .cfg = cfg, .out = out };
	*out = (struct client_outcome){ 0 };
	bool ok = open_all(&s, e) && loop(&s, e);
	/* An alert, or why we hang up, is worth sending. */
	if (!ok && s.link.channel)
		flush_link(&s);
	client_link_close(&s.link);
	client_output_close(&s.stdout_);
	client_output_close(&s.stderr_);
	if (s.input)
		explicit_bzero(s.input, FRAME_DATA_CHUNK);
	free(s.input);
	return ok;
}
