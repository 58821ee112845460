/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keeps.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/must.h"
#include "codec/hex.h"
#include "host/spawn.h"

enum {
	START_SECONDS = 30,
	STOP_SECONDS = 5,
	LISTED_SECONDS = 600,
};

const char *const keeps_reasons[KEEPS_REASONS] = { "done", "stopped", "idle",
	"protocol", "host", "limit", "internal", "crashed", "failed", "timeout",
	"killed", "other" };
const unsigned keeps_bucket_ms[KEEPS_BUCKETS - 1] = { 10, 25, 50, 100, 250,
	1000, 5000 };

/* Which packet moves a Keep where; any other ends it. */
/* clang-format off */
static const struct edge {
	enum keep_state from;
	enum control_type on;
	enum keep_state to;
} edges[] = {
	{ KEEP_STARTING, CONTROL_PUBLISHED, KEEP_ATTESTED },
	{ KEEP_STARTING, CONTROL_ENDED,     KEEP_ENDED    },
	{ KEEP_ATTESTED, CONTROL_CLOSED,    KEEP_ATTESTED },
	{ KEEP_ATTESTED, CONTROL_ENDED,     KEEP_ENDED    },
};
/* clang-format on */

static void control_ready(struct watch *w, uint32_t events);
static void keep_due(struct timer *t);

const char *keep_state_name(enum keep_state s)
{
	static const char *const names[KEEP_STATES] = { "starting", "attested",
		"ended" };
	return names[s];
}

void keeps_init(struct keeps *ks, struct loop *loop, const struct log *log,
	const struct keeps_config *config)
{
	*ks = (struct keeps){ .loop = loop, .log = log, .config = *config };
	if (!ks->config.spawn)
		ks->config.spawn = spawn_keep;
}

static void unlink_keep(struct keep *k)
{
	struct keeps *ks = k->all;
	*(k->prev ? &k->prev->next : &ks->first) = k->next;
	*(k->next ? &k->next->prev : &ks->last) = k->prev;
}

static void free_evidence(struct keep *k)
{
	buf_fini(&k->claims);
	buf_fini(&k->evidence);
	buf_fini(&k->endorsements);
	buf_fini(&k->certificate);
}

/* Of an ended, reaped Keep whose channels are gone. */
static void forget(struct keep *k)
{
	must(k->state == KEEP_ENDED && !k->pid && !k->channels);
	k->all->listed_ended--;
	loop_cancel(k->all->loop, &k->timer);
	unlink_keep(k);
	free_evidence(k);
	free(k->ports);
	free(k);
}

/* --- the end of a Keep -----------------------------------------------------
 */

static void close_control(struct keep *k)
{
	int fd = k->control.fd;
	loop_unwatch(k->all->loop, &k->control);
	if (fd >= 0)
		close(fd);
}

/* The oldest ended Keeps make room. */
static void trim(struct keeps *ks)
{
	struct keep *k = ks->first, *next;
	for (; k && ks->listed_ended > KEEPS_LISTED_ENDED; k = next) {
		next = k->next;
		if (k->state == KEEP_ENDED && !k->pid && !k->channels)
			forget(k);
	}
}

static void tell_waiter(struct keep *k)
{
	keep_waiter *waiter = k->waiter;
	k->waiter = NULL;
	if (waiter)
		waiter(k, k->waiter_arg);
}

static void count_end(struct keep *k)
{
	size_t i = 0;
	while (i < KEEPS_REASONS - 1 &&
		strcmp(k->reason, keeps_reasons[i]) != 0)
		i++;
	k->all->totals.ended[i]++;
}

/* Its process may live a little longer: see keep_due and keeps_reap. */
/* The loader, confined, can't. */
static void remove_gdb(const struct keep *k)
{
	const struct options *o = k->all->config.options;
	char path[OPTIONS_PATH + 64];
	if (!o || !*o->debug_dir)
		return;
	fmt(path, sizeof path, "%s/%s.gdb", o->debug_dir, k->id);
	unlink(path);
}

static void end(struct keep *k, const char *reason, enum err_kind kind,
	const char *text)
{
	struct keeps *ks = k->all;
	if (k->state == KEEP_ENDED)
		return;
	k->state = KEEP_ENDED;
	k->ended = time(NULL);
	ks->listed_ended++;
	fmt(k->reason, sizeof k->reason, "%s", reason);
	err_put(&k->why, kind == ERR_NONE ? ERR_HOST : kind, "%s",
		*text ? text : reason);
	close_control(k);
	remove_gdb(k);
	free_evidence(k);
	count_end(k);
	log_event(ks->log, LOG_INFO, "keep ended", "keep", k->id, "reason",
		k->reason, "why", *text ? text : NULL, NULL);
	for (struct channel *c = k->channels, *next; c; c = next) {
		next = c->next;
		if (!c->draining)
			channel_close(c);
	}
	loop_set(ks->loop, &k->timer, loop_now() + STOP_SECONDS * SECOND_NS);
	tell_waiter(k);
}

/* Ends a Keep that leaves us no other choice. */
static void kill_keep(struct keep *k, const char *reason, enum err_kind kind,
	const char *text)
{
	if (k->pid)
		spawn_kill(k->pid);
	end(k, reason, kind, text);
	tell_waiter(k); /* for room: nobody has to wait for a reaper */
}

/* Starting: no evidence in time.  Stopping: does not stop.  Ended: its
 * process stays, or nobody needs to see it any more. */
static void keep_due(struct timer *t)
{
	struct keep *k = container_of(t, struct keep, timer);
	struct keeps *ks = k->all;
	if (k->state == KEEP_ENDED && !k->pid && !k->channels)
		forget(k);
	else if (k->state == KEEP_ENDED) {
		if (k->pid)
			spawn_kill(k->pid);
		loop_set(ks->loop, t, loop_now() + STOP_SECONDS * SECOND_NS);
	} else if (k->control.fd < 0)
		spawn_kill(k->pid);
	else if (k->stopping)
		kill_keep(k, "killed", ERR_HOST, "it did not stop");
	else
		kill_keep(k, "timeout", ERR_HOST, "no evidence within 30 s");
}

static void describe_status(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		fmt(out, size, "donjon-keep: killed by signal %d",
			WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		fmt(out, size, "donjon-keep could not be started");
	else
		fmt(out, size, "donjon-keep: exit status %d",
			WEXITSTATUS(status));
}

static void reaped(struct keep *k, int status)
{
	struct keeps *ks = k->all;
	char text[64];
	k->pid = 0;
	/* What it said last may still wait to be read. */
	while (k->state != KEEP_ENDED && k->control.fd >= 0)
		control_ready(&k->control, 0);
	ks->held--;
	ks->held_memory -= k->memory;
	describe_status(status, text, sizeof text);
	end(k, k->stopping ? "stopped" : "crashed", ERR_HOST, text);
	tell_waiter(k);
	loop_set(ks->loop, &k->timer, loop_now() + LISTED_SECONDS * SECOND_NS);
}

void keeps_reap(struct keeps *ks)
{
	pid_t pid;
	int status;
	while (spawn_reap(&pid, &status)) {
		struct keep *k = ks->first;
		while (k && k->pid != pid)
			k = k->next;
		if (k)
			reaped(k, status);
	}
	trim(ks);
}

/* --- what a donjon-keep says -----------------------------------------------
 */

static void on_published(struct keep *k, struct control_message *m)
{
	struct keeps_totals *t = &k->all->totals;
	uint64_t took = loop_now() - k->asked;
	size_t i = 0;
	while (i < KEEPS_BUCKETS - 1 &&
		took > keeps_bucket_ms[i] * (SECOND_NS / 1000))
		i++;
	t->start_bucket[i]++;
	t->start_ns += took;
	k->software = m->software;
	k->claims = m->claims;
	k->evidence = m->evidence;
	k->endorsements = m->endorsements;
	k->certificate = m->certificate;
	m->claims = m->evidence = (struct buf){ 0 };
	m->endorsements = m->certificate = (struct buf){ 0 };
	if (!k->stopping)
		loop_cancel(k->all->loop, &k->timer);
	log_event(k->all->log, LOG_INFO, "keep attested", "keep", k->id, NULL);
	tell_waiter(k);
}

/* The numbers are donjon-keep's own: they may be anything, but no overflow. */
static void add(uint64_t *sum, uint64_t n)
{
	*sum = n > INT64_MAX - *sum ? INT64_MAX : *sum + n;
}

static bool on_closed(struct keep *k, const struct control_message *m)
{
	struct channel *c = k->channels;
	while (c && (c->id != m->channel || c->draining))
		c = c->next;
	if (!c)
		return false;
	add(&k->bytes_in, m->bytes_in);
	add(&k->bytes_out, m->bytes_out);
	add(&k->all->totals.bytes_in, m->bytes_in);
	add(&k->all->totals.bytes_out, m->bytes_out);
	channel_close(c);
	return true;
}

static bool on_message(struct keep *k, struct control_message *m)
{
	const struct edge *g = edges;
	while (g < edges + ARRAY_LEN(edges) &&
		(g->from != k->state || g->on != m->type))
		g++;
	if (g == edges + ARRAY_LEN(edges))
		return false;
	if (g->to != KEEP_ENDED)
		k->state = g->to;
	switch (g->on) {
	case CONTROL_PUBLISHED:
		on_published(k, m);
		return true;
	case CONTROL_CLOSED:
		return on_closed(k, m);
	default:
		end(k, m->reason, m->kind, m->text);
		return true;
	}
}

static void control_ready(struct watch *w, uint32_t events UNUSED)
{
	struct keep *k = container_of(w, struct keep, control);
	struct control_message m = { 0 };
	struct err e = { 0 };
	bool got, gone;
	int fd;
	if (!control_recv(w->fd, &m, &fd, &got, &gone, &e)) {
		kill_keep(k, "protocol", ERR_HOST, e.text);
	} else if (gone) {
		/* Reaping will tell why; it may take a moment to die. */
		close_control(k);
		loop_set(k->all->loop, &k->timer, loop_now() + SECOND_NS);
	} else if (got) {
		if (!on_message(k, &m))
			kill_keep(k, "protocol", ERR_HOST,
				"donjon-keep sent what its state forbids");
		if (fd >= 0)
			close(fd);
		control_fini(&m);
	} else if (!events && k->state != KEEP_ENDED)
		close_control(k);
}

/* --- starting and stopping -------------------------------------------------
 */

static bool within_quota(const struct keeps *ks, uint64_t memory, struct err *e)
{
	const struct keeps_config *c = &ks->config;
	if (memory > c->keep_memory)
		return err_fail(e, ERR_LIMIT,
			"memory: a Keep may have %llu bytes here",
			(unsigned long long)c->keep_memory);
	if (ks->held >= c->max_keeps)
		return err_fail(e, ERR_LIMIT,
			"too many Keeps: %u of %u are running", ks->held,
			c->max_keeps);
	if (memory > c->max_memory - ks->held_memory)
		return err_fail(e, ERR_LIMIT,
			"too much memory: %llu of %llu bytes are free",
			(unsigned long long)(c->max_memory - ks->held_memory),
			(unsigned long long)c->max_memory);
	return true;
}

static bool new_id(char out[33], struct err *e)
{
	uint8_t random[16];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return err_fail(e, ERR_HOST, "getrandom: %s", strerror(errno));
	hex_encode(BYTES_ARRAY(random), out);
	return true;
}

/* --- ports ------------------------------------------------------------------
 */

static bool is_any(const struct net_address *a)
{
	return bytes_all_zero(BYTES_ARRAY(a->ip));
}

/* The operator's address counts; where she named none, the tenant's wish. */
static bool grant(const struct options *o, struct gate_port *p)
{
	for (size_t i = 0; o && i < o->allow_listens; i++) {
		const struct options_ports *g = &o->allow_listen[i];
		if (p->port < g->first || p->port > g->last)
			continue;
		if (is_any(&g->address))
			return true;
		if (is_any(&p->address) ||
			!memcmp(&p->address, &g->address, sizeof p->address)) {
			p->address = g->address;
			return true;
		}
	}
	return false;
}

static bool is_taken(const struct keeps *ks, uint16_t port)
{
	for (const struct keep *k = ks->first; k; k = k->next)
		for (size_t i = 0; k->pid && i < k->port_count; i++)
			if (k->ports[i].port == port)
				return true;
	return false;
}

static bool take_ports(struct keep *k, const struct ask *ask, struct err *e)
{
	if (!ask->listen_count)
		return true;
	k->ports = calloc(ask->listen_count, sizeof *k->ports);
	if (!k->ports)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t i = 0; i < ask->listen_count; i++) {
		struct gate_port p = ask->listen[i];
		if (!grant(k->all->config.options, &p))
			return err_fail(e, ERR_DENIED,
				"port %u: Keeps may not listen there", p.port);
		if (is_taken(k->all, p.port))
			return err_fail(e, ERR_LIMIT,
				"port %u: another Keep has it", p.port);
		k->ports[k->port_count++] = p;
	}
	return true;
}

static bool put_grants(const struct keep *k, const struct ask *ask,
	struct control_message *m, struct err *e)
{
	const struct options *o = k->all->config.options;
	for (size_t i = 0; i < k->port_count; i++) {
		char text[64];
		net_endpoint_print(&k->ports[i].address, k->ports[i].port,
			text);
		buf_put(&m->listen, bytes_of(text, strlen(text) + 1));
	}
	for (size_t i = 0; o && ask->connect && i < o->allow_connects; i++)
		buf_put(&m->connect,
			bytes_of(o->allow_connect[i],
				strlen(o->allow_connect[i]) + 1));
	m->max_connections = o ? o->max_connections : 0;
	m->max_traffic = o ? o->max_traffic : 0;
	return (buf_ok(&m->listen) && buf_ok(&m->connect)) ||
		err_fail(e, ERR_LIMIT, "no memory");
}

/* A loader that died before it heard us is no failure of ours: its last words
 * and how it died are yet to come, from its socket and from reaping it. */
static bool tell(const struct keep *k, const struct control_message *m,
	struct err *e)
{
	return control_send(k->control.fd, m, -1, e) ||
		control_gone(k->control.fd);
}

static bool send_launch(const struct keep *k, const struct ask *ask,
	struct err *e)
{
	const struct keeps_config *c = &k->all->config;
	struct control_message m = { .type = CONTROL_LAUNCH,
		.memory_bytes = k->memory,
		.owner_wait_ns = c->owner_wait_ns,
		.emulated = ask->platform == ASK_SOFTWARE };
	fmt(m.id, sizeof m.id, "%s", k->id);
	fmt(m.tee, sizeof m.tee, "%s", k->tee);
	fmt(m.image_dir, sizeof m.image_dir, "%s", c->image_dir);
	fmt(m.root_path, sizeof m.root_path, "%s", c->root_path);
	if (c->options)
		fmt(m.debug_dir, sizeof m.debug_dir, "%s",
			c->options->debug_dir);
	memcpy(m.nonce, ask->nonce, sizeof m.nonce);
	memcpy(m.owner_key_hash, ask->owner_key_hash, sizeof m.owner_key_hash);
	bool ok = put_grants(k, ask, &m, e) && tell(k, &m, e);
	control_fini(&m);
	return ok;
}

/* The process is there; a failure from here on ends as the Keep's own. */
static void enlist(struct keep *k)
{
	struct keeps *ks = k->all;
	k->prev = ks->last;
	*(k->prev ? &k->prev->next : &ks->first) = k;
	ks->last = k;
	ks->held++;
	ks->held_memory += k->memory;
	ks->totals.started++;
	loop_set(ks->loop, &k->timer, k->asked + START_SECONDS * SECOND_NS);
	log_event(ks->log, LOG_INFO, "keep started", "keep", k->id, "tee",
		k->tee, NULL);
}

static bool start(struct keeps *ks, const struct ask *ask, const char *tee,
	uint64_t memory, struct keep **out, struct err *e)
{
	auto_free struct keep *k = calloc(1, sizeof *k);
	auto_free struct gate_port *ports = NULL;
	auto_fd sock = -1;
	if (!k)
		return err_fail(e, ERR_LIMIT, "no memory");
	*k = (struct keep){ .all = ks,
		.memory = memory,
		.created = time(NULL),
		.asked = loop_now(),
		.control = { .fd = -1, .ready = control_ready },
		.timer = { .due = keep_due },
		.next_channel = 1 };
	fmt(k->tee, sizeof k->tee, "%s", tee);
	memcpy(k->owner_key_hash, ask->owner_key_hash, 32);
	bool allowed = take_ports(k, ask, e);
	ports = k->ports;
	if (!allowed || !new_id(k->id, e) ||
		!ks->config.spawn(ks->config.program, &k->pid, &sock, e))
		return false;
	if (!loop_watch(ks->loop, &k->control, sock, EPOLLIN, e)) {
		/* Unknown to the registry, it is reaped as a stray. */
		spawn_kill(k->pid);
		return false;
	}
	fd_move(&sock);
	(void)ptr_move(&ports);
	enlist(k);
	*out = ptr_move(&k);
	return true;
}

static void wait_for(struct keep *k, keep_waiter *waiter, void *arg)
{
	k->waiter = waiter;
	k->waiter_arg = arg;
}

/* One that has ended and is not reaped yet, which its tenant can't tell apart:
 * she may ask for the next one already.  NULL, too, where there will never be
 * so much memory. */
static struct keep *leaving(const struct keeps *ks, uint64_t memory)
{
	const struct keeps_config *c = &ks->config;
	struct keep *k = ks->first;
	if (memory > c->keep_memory || memory > c->max_memory)
		return NULL;
	while (k && (k->state != KEEP_ENDED || !k->pid || k->waiter))
		k = k->next;
	return k;
}

bool keeps_start(struct keeps *ks, const struct ask *ask, const char *tee,
	keep_waiter *waiter, void *arg, struct keep **out, struct err *e)
{
	uint64_t memory = ask->memory;
	struct keep *k;
	*out = NULL;
	if (!memory)
		memory = ks->config.keep_memory < ASK_MEMORY_DEFAULT ?
			ks->config.keep_memory :
			ASK_MEMORY_DEFAULT;
	if (!within_quota(ks, memory, e) ||
		!start(ks, ask, tee, memory, &k, e)) {
		*out = e->kind == ERR_LIMIT ? leaving(ks, memory) : NULL;
		if (*out)
			wait_for(*out, waiter, arg);
		else
			ks->totals.refused++;
		return false;
	}
	if (!send_launch(k, ask, e)) {
		kill_keep(k, "failed", ERR_HOST, e->text);
		return false;
	}
	wait_for(k, waiter, arg);
	*out = k;
	return true;
}

struct keep *keeps_find(const struct keeps *ks, const char *id)
{
	struct keep *k = ks->first;
	while (k && strcmp(k->id, id) != 0)
		k = k->next;
	return k;
}

void keep_stop(struct keep *k)
{
	struct control_message m = { .type = CONTROL_STOP };
	struct err e = { 0 };
	if (k->state == KEEP_ENDED || k->stopping)
		return;
	k->stopping = true;
	loop_set(k->all->loop, &k->timer,
		loop_now() + STOP_SECONDS * SECOND_NS);
	if (k->control.fd >= 0 && !tell(k, &m, &e))
		kill_keep(k, "killed", ERR_HOST, e.text);
}

void keeps_stop_all(struct keeps *ks)
{
	for (struct keep *k = ks->first, *next; k; k = next) {
		next = k->next;
		keep_stop(k);
	}
}

void keeps_kill_all(struct keeps *ks)
{
	for (struct keep *k = ks->first, *next; k; k = next) {
		next = k->next;
		kill_keep(k, "killed", ERR_HOST, "the host agent ended it");
	}
}

bool keeps_running(const struct keeps *ks)
{
	return ks->held > 0;
}

bool keeps_connected(const struct keeps *ks)
{
	const struct keep *k = ks->first;
	while (k && !k->channels)
		k = k->next;
	return k;
}

void keeps_fini(struct keeps *ks)
{
	if (!ks->loop)
		return;
	keeps_kill_all(ks);
	for (struct keep *k = ks->first, *next; k; k = next) {
		int status;
		next = k->next;
		if (k->pid)
			waitpid(k->pid, &status, 0);
		k->pid = 0;
		while (k->channels)
			channel_drop(k->channels);
		forget(k);
	}
}
