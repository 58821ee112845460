/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjond, the host agent: puts the parts together and lives in one event
 * loop until it is told to stop.  It never sees plaintext: what passes
 * through it after an upgrade is the Keep's own TLS.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/http.h"
#include "host/listen.h"
#include "host/options.h"
#include "host/platform.h"
#include "host/spawn.h"
#include "host/tls.h"
#include "host/token.h"

enum { STOP_SECONDS = 5 };

struct agent;

struct listener {
	struct agent *agent;
	struct watch watch;
	char bound[80]; /* "" for the Unix socket */
};

struct agent {
	struct options options;
	struct log log;
	struct loop loop;
	struct keeps keeps;
	struct hal_config hal;
	struct hal_notes notes;
	struct http *http;
	struct tls *tls; /* NULL: none */
	struct token token;
	struct listener listeners[OPTIONS_LISTEN + 1];
	unsigned listener_count;
	struct watch signals;
	struct timer patience;
	int reserve;	     /* a descriptor to spare */
	uint64_t complained; /* that there is none, last */
	bool stopping, patient;
};

/* --- listening -------------------------------------------------------------
 */

static void on_plain(void *arg, int fd)
{
	struct agent *a = arg;
	http_add(a->http, fd);
}

/* Without a descriptor for it a connection would wait and wake us for ever:
 * one that is kept in reserve takes it, to close it. */
static void turn_away(struct agent *a, int listener)
{
	close(a->reserve);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (loop_now() - a->complained > SECOND_NS) {
		a->complained = loop_now();
		log_event(&a->log, LOG_WARN, "no descriptors left", NULL);
	}
}

static void on_accept(struct watch *w, uint32_t events UNUSED)
{
	struct listener *l = container_of(w, struct listener, watch);
	struct agent *a = l->agent;
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0 && a->tls && *l->bound)
		tls_accept(a->tls, fd, on_plain, a);
	else if (fd >= 0)
		http_add(a->http, fd);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(a, w->fd);
}

static bool add_listener(struct agent *a, int fd, const char *bound,
	struct err *e)
{
	struct listener *l = &a->listeners[a->listener_count];
	*l = (struct listener){ .agent = a,
		.watch = { .fd = -1, .ready = on_accept } };
	fmt(l->bound, sizeof l->bound, "%s", bound);
	if (!loop_watch(&a->loop, &l->watch, fd, EPOLLIN, e)) {
		close(fd);
		return false;
	}
	a->listener_count++;
	return true;
}

static bool listen_all(struct agent *a, struct err *e)
{
	const struct options *o = &a->options;
	int fd;
	for (unsigned i = 0; i < o->listeners; i++) {
		bool loopback;
		char bound[80];
		if (!listen_tcp(o->listen[i], &fd, &loopback, bound,
			    sizeof bound, e))
			return false;
		if (!loopback && (!a->tls || !a->token.len)) {
			close(fd);
			return err_fail(e, ERR_INPUT,
				"--listen %s: off loopback --tls-cert and "
				"--token-file are needed",
				o->listen[i]);
		}
		if (!add_listener(a, fd, bound, e))
			return false;
	}
	if (!o->unix_path)
		return true;
	return listen_unix(o->unix_path, &fd, e) && add_listener(a, fd, "", e);
}

static void stop_listening(struct agent *a)
{
	for (unsigned i = 0; i < a->listener_count; i++) {
		int fd = a->listeners[i].watch.fd;
		loop_unwatch(&a->loop, &a->listeners[i].watch);
		if (*a->listeners[i].bound)
			close(fd);
		else
			listen_unix_end(a->options.unix_path, fd);
	}
	a->listener_count = 0;
}

static bool say_ready(struct agent *a, struct err *e)
{
	auto_buf line = { 0 };
	int fd = a->options.ready_fd;
	buf_str(&line, "ready");
	for (unsigned i = 0; i < a->listener_count; i++)
		if (*a->listeners[i].bound)
			buf_fmt(&line, " tcp=%s", a->listeners[i].bound);
	if (a->options.unix_path)
		buf_fmt(&line, " unix=%s", a->options.unix_path);
	log_event(&a->log, LOG_INFO, "ready", "where",
		line.len > 6 ? buf_cstr(&line) + 6 : "", NULL);
	if (fd < 0)
		return true;
	buf_u8(&line, '\n');
	ssize_t n = write(fd, line.ptr, line.len);
	close(fd);
	if (n != (ssize_t)line.len)
		return err_fail(e, ERR_HOST, "--ready-fd %d: %s", fd,
			strerror(errno));
	return true;
}

/* --- stopping --------------------------------------------------------------
 */

static void run_out(struct timer *t)
{
	struct agent *a = container_of(t, struct agent, patience);
	a->patient = false;
	keeps_kill_all(&a->keeps);
}

static void stop_waiting(struct timer *t)
{
	container_of(t, struct agent, patience)->patient = false;
}

static void begin_stop(struct agent *a)
{
	if (a->stopping) {
		run_out(&a->patience);
		return;
	}
	a->stopping = a->patient = true;
	log_event(&a->log, LOG_INFO, "stopping", NULL);
	stop_listening(a);
	http_stopping(a->http);
	keeps_stop_all(&a->keeps);
	loop_set(&a->loop, &a->patience, loop_now() + STOP_SECONDS * SECOND_NS);
}

static void on_signal(struct watch *w, uint32_t events UNUSED)
{
	struct agent *a = container_of(w, struct agent, signals);
	struct signalfd_siginfo info;
	if (read(w->fd, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGCHLD)
		keeps_reap(&a->keeps);
	else
		begin_stop(a);
}

static bool catch_signals(struct agent *a, struct err *e)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	a->signals = (struct watch){ .fd = -1, .ready = on_signal };
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_fail(e, ERR_HOST, "signalfd: %s", strerror(errno));
	return loop_watch(&a->loop, &a->signals, fd, EPOLLIN, e);
}

/* --- running ---------------------------------------------------------------
 */

/* Every Keep has descriptors here, every channel too. */
static void raise_limits(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max < 8192 ? r.rlim_max : 8192;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* Images may come later, so what is wrong with them is no error; but it is
 * better heard now than by the first tenant. */
static void look_at_images(const struct agent *a)
{
	bool any = false;
	for (const struct hal_tech *const *t = hal_techs(); *t; t++) {
		struct err why = { 0 };
		enum hal_found found = hal_images_look(&a->hal, *t, &why);
		any = any || found == HAL_WHOLE;
		if (found == HAL_DAMAGED)
			log_event(&a->log, LOG_WARN, "damaged Keep image",
				"tee", (*t)->name, "why", why.text, NULL);
	}
	if (!any)
		log_event(&a->log, LOG_WARN, "no Keep can be started", "images",
			a->options.images, NULL);
}

static bool open_agent(struct agent *a, struct err *e)
{
	struct options *o = &a->options;
	struct keeps_config kc = { .program = o->keep_program,
		.image_dir = o->images,
		.root_path = o->root,
		.max_keeps = o->max_keeps,
		.options = o,
		.max_memory = o->max_memory,
		.keep_memory = o->keep_memory,
		.owner_wait_ns = o->owner_wait_ns };
	a->hal = (struct hal_config){ .image_dir = o->images,
		.notes = &a->notes,
		.root_path = o->root };
	raise_limits();
	spawn_adopt();
	if (access(o->keep_program, X_OK))
		return err_fail(e, ERR_HOST, "%s: %s", o->keep_program,
			strerror(errno));
	if (access(o->images, R_OK | X_OK))
		return err_fail(e, ERR_INPUT, "--images %s: %s", o->images,
			strerror(errno));
	uint8_t root[32];
	if (!platform_root(&a->hal, root, e))
		return err_wrap(e, "--root");
	look_at_images(a);
	if (o->token_file && !token_read(o->token_file, &a->token, e))
		return err_wrap(e, "--token-file");
	a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!loop_init(&a->loop, e) || !catch_signals(a, e))
		return false;
	keeps_init(&a->keeps, &a->loop, &a->log, &kc);
	struct http_config hc = { .loop = &a->loop,
		.log = &a->log,
		.keeps = &a->keeps,
		.hal = &a->hal,
		.token = &a->token };
	a->patience.due = run_out;
	if (o->tls_cert &&
		!tls_open(o->tls_cert, o->tls_key, &a->loop, &a->log, &a->tls,
			e))
		return false;
	return http_open(&hc, &a->http, e) && listen_all(a, e);
}

static bool done(const struct agent *a)
{
	if (!a->stopping || keeps_running(&a->keeps))
		return false;
	return !a->patient ||
		(!keeps_connected(&a->keeps) && !http_busy(a->http));
}

static bool run(struct agent *a, struct err *e)
{
	while (!done(a)) {
		bool more = http_run(a->http);
		if (!loop_turn(&a->loop, more, e))
			return false;
	}
	return true;
}

/* The last answers are still on their way through TLS. */
static void flush_tls(struct agent *a)
{
	struct err e;
	a->patience.due = stop_waiting;
	a->patient = true;
	loop_set(&a->loop, &a->patience, loop_now() + SECOND_NS);
	while (a->patient && tls_busy(a->tls) && loop_turn(&a->loop, false, &e))
		;
}

static void close_agent(struct agent *a)
{
	stop_listening(a);
	keeps_fini(&a->keeps);
	if (a->http)
		http_run(a->http);
	http_close(a->http);
	if (tls_busy(a->tls))
		flush_tls(a);
	tls_close(a->tls);
	if (a->signals.fd > 0)
		close(a->signals.fd);
	cleanup_fd(&a->reserve);
	loop_fini(&a->loop);
	explicit_bzero(&a->token, sizeof a->token);
}

int main(int argc, char **argv)
{
	struct agent a = { .log = { 2, LOG_INFO, "donjond" }, .reserve = -1 };
	struct err e = { 0 };
	if (!options_parse(argc, argv, &a.options, &e)) {
		fprintf(stderr, "donjond: %s\nTry 'donjond --help'.\n", e.text);
		return e.kind == ERR_INPUT ? 2 : ERR_STATUS(e.kind);
	}
	if (a.options.help || a.options.version) {
		if (a.options.help)
			fputs(options_usage, stdout);
		else
			puts("donjond " DONJON_VERSION);
		return fflush(stdout) ? ERR_STATUS(ERR_HOST) : 0;
	}
	a.log.level = a.options.level;
	bool ok = open_agent(&a, &e) && say_ready(&a, &e) && run(&a, &e);
	if (!ok)
		log_event(&a.log, LOG_ERROR, "failed", "why", e.text, NULL);
	close_agent(&a);
	if (ok)
		log_event(&a.log, LOG_INFO, "stopped", NULL);
	return ok ? 0 : ERR_STATUS(e.kind);
}
