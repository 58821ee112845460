/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjon-keep: the loader of one Keep.  Is told by donjond what to launch,
 * launches it, gives up all that serving it does not need, and then serves
 * its gate until one of the three is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/hal.h"
#include "host/control.h"
#include "host/gate_serve.h"
#include "host/names.h"

struct keep {
	int control;
	const struct hal_tech *tech;
	bool software;
	struct hal_keep *hal;
	struct gate_serve *gate;
	struct pollfd *fds;	    /* control, bell, what the Keep waits for */
	bool gone;		    /* donjond is: nobody is left to tell */
	struct control_message end; /* to be the last message */
	struct names names;
	struct gate_port *ports;   /* CONTROL_GRANTS */
	struct net_rule *rules;	   /* the same */
	struct gate_grants grants; /* of the two */
};

enum { FD_CONTROL, FD_BELL, FD_NAMES, FD_FIRST };

/* --- what the Keep's end is called ---------------------------------------- */

static void end_with(struct keep *k, const char *reason, enum err_kind kind,
	const char *text)
{
	k->end.type = CONTROL_ENDED;
	k->end.kind = kind;
	fmt(k->end.reason, sizeof k->end.reason, "%s", reason);
	fmt(k->end.text, sizeof k->end.text, "%s", text);
}

static void end_failed(struct keep *k, const struct err *e)
{
	end_with(k, "failed", e->kind, e->text);
}

static void end_by_exit(struct keep *k)
{
	static const enum err_kind kinds[GATE_EXIT_COUNT] = {
		[GATE_EXIT_PROTOCOL] = ERR_INPUT,
		[GATE_EXIT_HOST] = ERR_HOST,
		[GATE_EXIT_LIMIT] = ERR_LIMIT,
		[GATE_EXIT_INTERNAL] = ERR_HOST,
	};
	enum gate_exit reason = gate_serve_reason(k->gate);
	end_with(k, gate_exit_name(reason), kinds[reason],
		gate_serve_note(k->gate));
}

static bool has_ended(const struct keep *k)
{
	return k->gone || k->end.reason[0];
}

/* --- what the gate hands on ----------------------------------------------- */

static bool sink_evidence(void *ctx, struct bytes request, struct buf *evidence,
	struct buf *endorsements, struct err *e)
{
	struct keep *k = ctx;
	return k->tech->evidence(k->hal, request, evidence, endorsements, e);
}

static bool sink_published(void *ctx, const struct bytes parts[4],
	struct err *e)
{
	struct keep *k = ctx;
	struct control_message m = { .type = CONTROL_PUBLISHED,
		.software = k->software };
	bool ok = buf_put(&m.claims, parts[0]) &&
		buf_put(&m.evidence, parts[1]) &&
		buf_put(&m.endorsements, parts[2]) &&
		buf_put(&m.certificate, parts[3]);
	if (!ok)
		err_put(e, ERR_LIMIT, "no memory");
	ok = ok && control_send(k->control, &m, -1, e);
	control_fini(&m);
	return ok;
}

static bool sink_closed(void *ctx, uint64_t channel, uint64_t bytes_in,
	uint64_t bytes_out, struct err *e)
{
	struct keep *k = ctx;
	struct control_message m = { .type = CONTROL_CLOSED,
		.channel = channel,
		.bytes_in = bytes_in,
		.bytes_out = bytes_out };
	return k->gone || control_send(k->control, &m, -1, e);
}

static bool sink_look_up(void *ctx, uint32_t id, const char *name)
{
	const struct keep *k = ctx;
	return names_ask(&k->names, id, name);
}

/* --- launch --------------------------------------------------------------- */

/* gdb_path: where its processor is, for gdb. */
static void configure(const struct control_message *m, struct hal_config *cfg,
	char gdb_path[640])
{
	fmt(gdb_path, 640, "%s/%s.gdb", m->debug_dir, m->id);
	*cfg = (struct hal_config){
		.platform = m->emulated ? HAL_SOFTWARE : HAL_HARDWARE,
		.image_dir = m->image_dir,
		.root_path = m->root_path,
		.probed = true,
		.debug = *m->debug_dir,
		.gdb_path = gdb_path,
		.boot.memory_bytes = m->memory_bytes,
		.boot.owner_wait_ns = m->owner_wait_ns,
	};
	memcpy(cfg->boot.nonce, m->nonce, sizeof cfg->boot.nonce);
	memcpy(cfg->boot.owner_key_hash, m->owner_key_hash,
		sizeof cfg->boot.owner_key_hash);
}

static bool read_grants(struct keep *k, const struct control_message *m,
	struct err *e)
{
	const char *text = (const char *)m->listen.ptr;
	struct gate_grants *g = &k->grants;
	k->ports = calloc(CONTROL_GRANTS, sizeof *k->ports);
	k->rules = calloc(CONTROL_GRANTS, sizeof *k->rules);
	if (!k->ports || !k->rules)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t at = 0; at < m->listen.len; at += strlen(text + at) + 1) {
		struct gate_port *p = &k->ports[g->port_count++];
		if (!net_endpoint_parse(text + at, &p->address, &p->port, e))
			return err_wrap(e, "listen");
	}
	text = (const char *)m->connect.ptr;
	for (size_t at = 0; at < m->connect.len; at += strlen(text + at) + 1)
		if (!net_rule_parse(text + at, &k->rules[g->connect_count++],
			    e))
			return err_wrap(e, "connect");
	g->ports = k->ports;
	g->connect = k->rules;
	g->max_streams = m->max_connections < UINT32_MAX ?
		(uint32_t)m->max_connections :
		UINT32_MAX;
	g->max_bytes = m->max_traffic;
	return true;
}

static bool launch(struct keep *k, const struct control_message *m,
	struct err *e)
{
	struct gate_sink sink = { .ctx = k,
		.evidence = sink_evidence,
		.published = sink_published,
		.closed = sink_closed,
		.look_up = sink_look_up };
	struct hal_probe probe = { 0 };
	struct hal_config cfg;
	char gdb_path[640];
	configure(m, &cfg, gdb_path);
	k->fds = calloc(FD_FIRST + GATE_MAX_POLL, sizeof *k->fds);
	if (!k->fds)
		return err_fail(e, ERR_LIMIT, "no memory");
	/* The process that looks names up knows nothing of this Keep. */
	if (!read_grants(k, m, e) ||
		(k->grants.connect_count && !names_start(&k->names, e)))
		return false;
	if (!hal_find(m->tee, &cfg, &k->tech, e) ||
		!k->tech->probe(&cfg, &probe, e) ||
		!k->tech->launch(&cfg, &k->hal, e))
		return false;
	k->software = probe.software;
	return gate_serve_new(k->tech->area(k->hal), &sink, &k->grants,
		       &k->gate, e) &&
		k->tech->confine(k->hal, e);
}

/* The first message, and nothing else, says what to launch. */
static bool start(struct keep *k, struct err *e)
{
	struct control_message m = { 0 };
	bool got = false;
	int fd = -1;
	if (!control_recv(k->control, &m, &fd, &got, &k->gone, e))
		return false;
	cleanup_fd(&fd);
	if (!got)
		return k->gone || err_fail(e, ERR_HOST, "control: not ready");
	bool ok = m.type == CONTROL_LAUNCH ?
		launch(k, &m, e) :
		err_fail(e, ERR_INPUT, "control: not launched yet");
	control_fini(&m);
	return ok;
}

/* --- the loop ------------------------------------------------------------- */

static bool on_control(struct keep *k, struct err *e)
{
	struct control_message m = { 0 };
	bool got = false, ok = true;
	int fd = -1;
	if (!control_recv(k->control, &m, &fd, &got, &k->gone, e))
		return false;
	if (!got)
		return true;
	if (m.type == CONTROL_CHANNEL)
		ok = gate_serve_channel(k->gate, fd_move(&fd), m.channel, e);
	else if (m.type == CONTROL_STOP)
		end_with(k, "stopped", ERR_NONE, "by the host agent");
	else
		ok = err_fail(e, ERR_INPUT, "control: message out of turn");
	cleanup_fd(&fd);
	control_fini(&m);
	return ok;
}

static bool take_turn(struct keep *k, enum gate_turn turn, struct err *e)
{
	if (turn == GATE_TURN_END)
		end_by_exit(k);
	return turn != GATE_TURN_KEEP || k->tech->resume(k->hal, e);
}

static bool on_bell(struct keep *k, struct err *e)
{
	enum gate_turn turn = GATE_TURN_WAIT;
	bool gone = false;
	char why[128] = "";
	if (!k->tech->take(k->hal, &gone, why, e))
		return false;
	if (gone) {
		end_with(k, "crashed", ERR_HOST, why);
		return true;
	}
	return gate_serve_request(k->gate, &turn, e) && take_turn(k, turn, e);
}

static bool on_names(struct keep *k, struct err *e)
{
	enum gate_turn turn = GATE_TURN_WAIT;
	struct gate_answer a;
	bool gone = false;
	if (names_take(&k->names, &a, &gone))
		gate_serve_answer(k->gate, &a, &turn);
	if (gone)
		names_stop(&k->names);
	return take_turn(k, turn, e);
}

static bool wait_for(struct keep *k, size_t count, int64_t timeout_ns,
	struct err *e)
{
	struct timespec t = { .tv_sec = timeout_ns / 1000000000,
		.tv_nsec = timeout_ns % 1000000000 };
	if (ppoll(k->fds, count, timeout_ns < 0 ? NULL : &t, NULL) >= 0)
		return true;
	for (size_t i = 0; i < count; i++)
		k->fds[i].revents = 0;
	return errno == EINTR ||
		err_fail(e, ERR_HOST, "poll: %s", strerror(errno));
}

static bool turn_once(struct keep *k, struct err *e)
{
	int64_t timeout_ns;
	enum gate_turn turn = GATE_TURN_WAIT;
	k->fds[FD_CONTROL] =
		(struct pollfd){ .fd = k->control, .events = POLLIN };
	k->fds[FD_BELL] = (struct pollfd){ .fd = k->tech->bell(k->hal),
		.events = POLLIN };
	k->fds[FD_NAMES] =
		(struct pollfd){ .fd = k->names.fd, .events = POLLIN };
	size_t n = gate_serve_watch(k->gate, k->fds + FD_FIRST, &timeout_ns);
	if (!wait_for(k, FD_FIRST + n, timeout_ns, e))
		return false;
	if (k->fds[FD_CONTROL].revents && !on_control(k, e))
		return false;
	if (has_ended(k))
		return true;
	gate_serve_wake(k->gate, k->fds + FD_FIRST, &turn);
	if (!take_turn(k, turn, e))
		return false;
	if (k->fds[FD_NAMES].revents && !on_names(k, e))
		return false;
	return !k->fds[FD_BELL].revents || on_bell(k, e);
}

static bool serve(struct keep *k, struct err *e)
{
	if (!start(k, e))
		return false;
	while (!has_ended(k))
		if (!turn_once(k, e))
			return false;
	return true;
}

/* Everything of the Keep is gone before its end is told. */
static int keep_run(int control)
{
	struct keep k = { .control = control, .names.fd = -1 };
	struct err e = { 0 };
	if (!serve(&k, &e))
		end_failed(&k, &e);
	gate_serve_free(k.gate);
	if (k.tech)
		k.tech->destroy(k.hal);
	names_stop(&k.names);
	free(k.fds);
	free(k.ports);
	free(k.rules);
	if (k.gone)
		return EXIT_FAILURE;
	return control_send(control, &k.end, -1, &e) ? EXIT_SUCCESS :
						       EXIT_FAILURE;
}

/* --- start ---------------------------------------------------------------- */

/* Only the standard descriptors and the control socket stay open, and the
 * former do exist. */
static bool tidy_fds(void)
{
	int type = 0;
	socklen_t len = sizeof type;
	if (getsockopt(CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
		type != SOCK_SEQPACKET)
		return false;
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return false;
	return fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) == 0 &&
		close_range(CONTROL_FD + 1, ~0u, 0) == 0;
}

/* A Keep may have as many connections as there are handles. */
static void raise_limit(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max < 2 * GATE_MAX_HANDLES ? r.rlim_max :
							 2 * GATE_MAX_HANDLES;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

/* A terminal's signals are for the client: it stops the Keep in order. */
static void ignore_terminal(void)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGTSTP,
		SIGPIPE };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_IGN);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("donjon-keep " DONJON_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		puts("usage: donjon-keep\n\n"
		     "Runs one Keep. It is started by donjond, with a control "
		     "socket as descriptor 3.");
		return EXIT_SUCCESS;
	}
	if (argc > 1 || !tidy_fds()) {
		fputs("donjon-keep: is started by donjond (--help)\n", stderr);
		return 2;
	}
	ignore_terminal();
	raise_limit();
	return keep_run(CONTROL_FD);
}
