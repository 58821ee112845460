/* SPDX-License-Identifier: Apache-2.0 */
/* The registry against a loader that the test plays itself: the process is
 * an idle child, its control socket is in our hands. */
#include "host/keeps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/view.h"

#include "../test.h"

enum { MANY = 300 };

static struct loop loop;
static const struct log quiet = { .fd = 2, .level = LOG_ERROR };
static struct keeps keeps;
static int peers[MANY];
static size_t spawned;
static bool short_lived; /* children that exit at once */
static bool deaf;	 /* their end of the socket is shut at once */
static unsigned told;

static bool fake_spawn(const char *program UNUSED, pid_t *pid, int *sock,
	struct err *e)
{
	int s[2];
	if (spawned == MANY ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s))
		return err_fail(e, ERR_HOST, "no socket");
	*pid = fork();
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (short_lived)
			_exit(7);
		for (;;)
			pause();
	}
	peers[spawned++] = s[1];
	if (deaf)
		shutdown(s[1], SHUT_RDWR);
	*sock = s[0];
	return *pid > 0;
}

static void begin(unsigned max_keeps, uint64_t max_memory)
{
	struct err e = { 0 };
	struct keeps_config c = { .program = "donjon-keep",
		.image_dir = "/images",
		.root_path = "/root.pem",
		.max_keeps = max_keeps,
		.max_memory = max_memory,
		.keep_memory = UINT64_C(2) << 30,
		.owner_wait_ns = 5,
		.spawn = fake_spawn };
	CHECK(loop_init(&loop, &e));
	keeps_init(&keeps, &loop, &quiet, &c);
	spawned = told = 0;
	short_lived = deaf = false;
}

static void finish(void)
{
	keeps_fini(&keeps);
	for (size_t i = 0; i < spawned; i++)
		cleanup_fd(&peers[i]);
	loop_fini(&loop);
}

static void turn(void)
{
	struct err e = { 0 };
	for (int i = 0; i < 20; i++)
		CHECK(loop_turn(&loop, true, &e));
}

static void waiter(struct keep *k UNUSED, void *arg)
{
	unsigned *count = arg;
	++*count;
}

static bool try_start(uint64_t memory, struct keep **k, struct err *e)
{
	struct ask a = { .tee = "auto", .memory = memory };
	memset(a.nonce, 1, sizeof a.nonce);
	memset(a.owner_key_hash, 2, sizeof a.owner_key_hash);
	return keeps_start(&keeps, &a, "process", waiter, &told, k, e);
}

static struct keep *start(void)
{
	struct keep *k = NULL;
	struct err e = { 0 };
	CHECK(try_start(64 << 20, &k, &e));
	return k;
}

static void say(size_t peer, const struct control_message *m)
{
	struct err e = { 0 };
	CHECK(control_send(peers[peer], m, -1, &e));
	turn();
}

/* What the registry said to that loader; false: nothing. */
static bool hear(size_t peer, struct control_message *m, int *fd)
{
	bool got = false, gone = false;
	struct err e = { 0 };
	CHECK(control_recv(peers[peer], m, fd, &got, &gone, &e));
	return got;
}

static void publish(size_t peer)
{
	struct control_message m = { .type = CONTROL_PUBLISHED,
		.software = true };
	CHECK(buf_str(&m.claims, "claims") && buf_str(&m.evidence, "e") &&
		buf_str(&m.endorsements, "o") && buf_str(&m.certificate, "c"));
	say(peer, &m);
	control_fini(&m);
}

/* Waits until that child is dead, then has it reaped. */
static void reap(pid_t pid)
{
	siginfo_t info;
	CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	keeps_reap(&keeps);
	turn();
}

static struct keep *attested(void)
{
	struct control_message m;
	int fd;
	struct keep *k = start();
	CHECK(hear(spawned - 1, &m, &fd));
	publish(spawned - 1);
	CHECK_INT(k->state, KEEP_ATTESTED);
	return k;
}

TEST(keeps_tell_the_loader_what_was_asked)
{
	struct control_message m;
	int fd;
	begin(2, UINT64_C(1) << 40);
	struct keep *k = start();
	CHECK(hear(0, &m, &fd));
	CHECK_INT(m.type, CONTROL_LAUNCH);
	CHECK_STR(m.id, k->id);
	CHECK_STR(m.tee, "process");
	CHECK_STR(m.image_dir, "/images");
	CHECK_STR(m.root_path, "/root.pem");
	CHECK_INT(m.nonce[31], 1);
	CHECK_INT(m.owner_key_hash[0], 2);
	CHECK_INT(m.memory_bytes, 64 << 20);
	CHECK_INT(m.owner_wait_ns, 5);
	CHECK(keeps_find(&keeps, k->id) == k);
	CHECK(!keeps_find(&keeps, "00000000000000000000000000000000"));
	finish();
}

/* Ports 80 to 89 anywhere, 443 on the loopback interface alone. */
static struct options network(void)
{
	struct options o = { .allow_listen = { { .first = 80, .last = 89 },
				     { .first = 443, .last = 443 } },
		.allow_listens = 2,
		.allow_connect = { "any" },
		.allow_connects = 1,
		.max_connections = 3,
		.max_traffic = 4 };
	CHECK(net_address_parse(BYTES_LIT("127.0.0.1"),
		&o.allow_listen[1].address));
	return o;
}

static bool try_ports(const char *text, bool connect, struct err *e)
{
	struct ask a = { .tee = "auto", .listen_count = 1, .connect = connect };
	struct keep *k;
	CHECK(net_endpoint_parse(text, &a.listen[0].address, &a.listen[0].port,
		e));
	return keeps_start(&keeps, &a, "process", waiter, &told, &k, e);
}

TEST(keeps_get_the_ports_that_the_operator_grants)
{
	struct control_message m;
	struct err e = { 0 };
	int fd;
	struct options o = network();
	begin(9, UINT64_C(99) << 30);
	CHECK(!try_ports("80", true, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	keeps.config.options = &o;
	CHECK(!try_ports("90", true, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_HAS(e.text, "port 90");
	CHECK(!try_ports("10.0.0.1:443", true, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK(try_ports("[::1]:80", true, &e));
	CHECK(hear(0, &m, &fd));
	CHECK_STR(buf_cstr(&m.listen), "[::1]:80");
	CHECK_STR(buf_cstr(&m.connect), "any");
	CHECK_INT(m.max_connections, 3);
	CHECK_INT(m.max_traffic, 4);
	control_fini(&m);
	/* The operator's address counts where she named one. */
	CHECK(try_ports("443", false, &e));
	CHECK(hear(1, &m, &fd));
	CHECK_STR(buf_cstr(&m.listen), "127.0.0.1:443");
	CHECK_INT(m.connect.len, 0);
	control_fini(&m);
	/* One Keep for each port. */
	CHECK(!try_ports("80", true, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_HAS(e.text, "another Keep");
	CHECK_INT(keeps.held, 2);
	finish();
}

TEST(keeps_tell_who_waits_once)
{
	begin(2, UINT64_C(1) << 40);
	struct keep *k = attested();
	CHECK_INT(told, 1);
	CHECK(k->software);
	CHECK_STR(buf_cstr(&k->claims), "claims");
	struct control_message end = { .type = CONTROL_ENDED,
		.reason = "done" };
	say(0, &end);
	CHECK_INT(told, 1);
	CHECK_INT(k->state, KEEP_ENDED);
	CHECK_STR(k->reason, "done");
	CHECK_INT(k->claims.len, 0);
	finish();
}

TEST(keeps_hold_a_quota_until_the_process_is_gone)
{
	struct keep *k = NULL, *second = NULL;
	struct err e = { 0 };
	begin(2, 256 << 20);
	CHECK(try_start(128 << 20, &k, &e));
	CHECK(!try_start(129 << 20, &second, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_HAS(e.text, "too much memory");
	CHECK(!try_start(UINT64_C(3) << 30, &second, &e));
	CHECK_HAS(e.text, "a Keep may have");
	CHECK(!try_start(INT64_MAX, &second, &e));
	CHECK(try_start(64 << 20, &second, &e));
	CHECK(!try_start(1 << 20, &second, &e));
	CHECK_HAS(e.text, "too many Keeps");
	CHECK_INT(keeps.totals.refused, 4);
	struct control_message end = { .type = CONTROL_ENDED,
		.reason = "idle" };
	say(0, &end);
	CHECK_INT(keeps.held, 2);
	pid_t pid = k->pid;
	kill(pid, SIGKILL);
	reap(pid);
	CHECK_INT(keeps.held, 1);
	CHECK_INT(keeps.held_memory, 64 << 20);
	CHECK(try_start(128 << 20, &second, &e));
	finish();
}

/* Its tenant was told of the end by the Keep itself, and is back already. */
TEST(keeps_let_an_ask_wait_for_what_an_ended_keep_still_holds)
{
	struct control_message end = { .type = CONTROL_ENDED,
		.reason = "done" };
	struct keep *next = NULL, *other = NULL;
	struct err e = { 0 };
	begin(1, 256 << 20);
	struct keep *k = attested();
	CHECK(!try_start(64 << 20, &next, &e));
	CHECK(!next); /* it may run for long */
	say(0, &end);
	told = 0;
	CHECK(!try_start(UINT64_C(3) << 30, &next, &e));
	CHECK(!next); /* there will never be room */
	CHECK_INT(keeps.totals.refused, 2);
	CHECK(!try_start(64 << 20, &next, &e));
	CHECK(next == k);
	CHECK_INT(keeps.totals.refused, 2);
	CHECK(!try_start(64 << 20, &other, &e));
	CHECK(!other); /* its place is promised */
	CHECK_INT(told, 0);
	pid_t pid = k->pid;
	kill(pid, SIGKILL);
	reap(pid);
	CHECK_INT(told, 1);
	CHECK(try_start(64 << 20, &next, &e));
	CHECK_INT(told, 1);
	finish();
}

/* Everything that a loader can send, in each state: what must come of it. */
static const struct {
	bool attested;
	enum control_type say;
	enum keep_state then;
	const char *reason;
} moves[] = {
	{ false, CONTROL_PUBLISHED, KEEP_ATTESTED, "" },
	{ false, CONTROL_ENDED, KEEP_ENDED, "stopped" },
	{ false, CONTROL_CLOSED, KEEP_ENDED, "protocol" },
	{ false, CONTROL_STOP, KEEP_ENDED, "protocol" },
	{ false, CONTROL_LAUNCH, KEEP_ENDED, "protocol" },
	{ true, CONTROL_PUBLISHED, KEEP_ENDED, "protocol" },
	{ true, CONTROL_ENDED, KEEP_ENDED, "stopped" },
	{ true, CONTROL_CLOSED, KEEP_ENDED, "protocol" }, /* none is open */
	{ true, CONTROL_STOP, KEEP_ENDED, "protocol" },
	{ true, CONTROL_LAUNCH, KEEP_ENDED, "protocol" },
};

TEST(keeps_end_a_loader_that_says_what_its_state_forbids)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		begin(1, UINT64_C(1) << 40);
		struct keep *k = moves[i].attested ? attested() : start();
		struct control_message m = { .type = moves[i].say,
			.reason = "stopped",
			.id = "00112233445566778899aabbccddeeff",
			.tee = "process",
			.image_dir = "/",
			.root_path = "/" };
		say(0, &m);
		CHECK_INT(k->state, moves[i].then);
		CHECK_STR(k->reason, moves[i].reason);
		finish();
	}
}

TEST(keeps_end_a_loader_that_passes_a_descriptor)
{
	struct control_message m = { .type = CONTROL_CHANNEL, .channel = 1 };
	struct err e = { 0 };
	begin(1, UINT64_C(1) << 40);
	struct keep *k = attested();
	CHECK(control_send(peers[0], &m, 0, &e));
	turn();
	CHECK_STR(k->reason, "protocol");
	finish();
}

TEST(keeps_know_how_a_loader_died)
{
	begin(3, UINT64_C(1) << 40);
	struct keep *a = attested(), *b = attested();
	pid_t pid = a->pid;
	kill(pid, SIGTERM);
	reap(pid);
	CHECK_STR(a->reason, "crashed");
	CHECK_HAS(a->why.text, "signal 15");
	CHECK_INT(b->state, KEEP_ATTESTED);
	short_lived = true;
	struct keep *c = start();
	reap(c->pid);
	CHECK_HAS(c->why.text, "exit status 7");
	CHECK_INT(keeps.totals.ended[7], 2);
	finish();
}

static void last_words(bool hung_up)
{
	struct control_message m = { .type = CONTROL_ENDED,
		.reason = "limit",
		.kind = ERR_LIMIT,
		.text = "no memory" };
	struct err e = { 0 };
	begin(1, UINT64_C(1) << 40);
	struct keep *k = start();
	pid_t pid = k->pid;
	CHECK(control_send(peers[0], &m, -1, &e));
	if (hung_up)
		close(fd_move(&peers[0]));
	kill(pid, SIGKILL);
	reap(pid);
	CHECK_STR(k->reason, "limit");
	CHECK_INT(k->why.kind, ERR_LIMIT);
	CHECK_STR(k->why.text, "no memory");
	CHECK_INT(told, 1);
	finish();
}

TEST(keeps_read_the_last_words_of_the_dead)
{
	last_words(false);
}

/* The loader is dead before it could hear anything. */
TEST(keeps_know_how_a_loader_died_that_never_listened)
{
	begin(1, UINT64_C(1) << 40);
	short_lived = deaf = true;
	struct keep *k = start();
	CHECK_INT(k->state, KEEP_STARTING);
	turn();
	reap(k->pid);
	CHECK_STR(k->reason, "crashed");
	CHECK_HAS(k->why.text, "exit status 7");
	CHECK_INT(told, 1);
	finish();
}

TEST(keeps_stop_a_loader_that_ends_by_itself)
{
	struct control_message m = { .type = CONTROL_ENDED, .reason = "done" };
	struct err e = { 0 };
	begin(1, UINT64_C(1) << 40);
	struct keep *k = attested();
	CHECK(control_send(peers[0], &m, -1, &e));
	shutdown(peers[0], SHUT_RDWR);
	keep_stop(k);
	CHECK_INT(k->state, KEEP_ATTESTED);
	turn();
	CHECK_INT(k->state, KEEP_ENDED);
	CHECK_STR(k->reason, "done");
	finish();
}

/* It left LAUNCH unread: its end of the socket is reset, not closed. */
TEST(keeps_hear_why_a_loader_ended_that_did_not_hear_them)
{
	last_words(true);
}

TEST(keeps_count_a_reason_of_a_loaders_own_as_other)
{
	struct control_message m = { .type = CONTROL_ENDED,
		.reason = "because-i-can" };
	begin(1, UINT64_C(1) << 40);
	struct keep *k = start();
	say(0, &m);
	CHECK_STR(k->reason, "because-i-can");
	CHECK_STR(keeps_reasons[KEEPS_REASONS - 1], "other");
	CHECK_INT(keeps.totals.ended[KEEPS_REASONS - 1], 1);
	finish();
}

TEST(keeps_are_told_to_stop_once)
{
	struct control_message m;
	int fd;
	begin(2, UINT64_C(1) << 40);
	struct keep *k = attested();
	struct keep *other = attested();
	keep_stop(k);
	keep_stop(k);
	CHECK(hear(0, &m, &fd));
	CHECK_INT(m.type, CONTROL_STOP);
	CHECK(!hear(0, &m, &fd));
	CHECK(!hear(1, &m, &fd));
	CHECK(k->timer.set && !other->timer.set);
	/* Who does not is killed. */
	loop_set(&loop, &k->timer, loop_now());
	turn();
	CHECK_STR(k->reason, "killed");
	CHECK_INT(other->state, KEEP_ATTESTED);
	finish();
}

TEST(keeps_wait_for_evidence_with_patience_that_ends)
{
	begin(1, UINT64_C(1) << 40);
	struct keep *k = start();
	CHECK(k->timer.set);
	CHECK(k->timer.at - k->asked == 30 * SECOND_NS);
	loop_set(&loop, &k->timer, loop_now());
	turn();
	CHECK_STR(k->reason, "timeout");
	CHECK_INT(told, 1);
	CHECK_HAS(k->why.text, "30 s");
	finish();
}

static void on_done(void *arg)
{
	unsigned *count = arg;
	++*count;
}

TEST(channel_goes_to_the_keep_and_is_drained_when_it_ends)
{
	struct control_message m;
	struct err e = { 0 };
	int s[2], fd, done = 0;
	begin(1, UINT64_C(1) << 40);
	struct keep *k = attested();
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	CHECK(channel_open(k, s[0], on_done, &done, &e));
	CHECK_INT(k->open, 1);
	CHECK(hear(0, &m, &fd));
	CHECK_INT(m.type, CONTROL_CHANNEL);
	CHECK_INT(write(fd, "out", 3), 3);
	close(fd);
	struct control_message closed = { .type = CONTROL_CLOSED,
		.channel = m.channel,
		.bytes_in = 5,
		.bytes_out = 3 };
	say(0, &closed);
	CHECK_INT(k->open, 0);
	CHECK_INT(k->bytes_out, 3);
	CHECK_INT(done, 0);
	char buf[8];
	CHECK_INT(read(s[1], buf, sizeof buf), 3);
	CHECK_INT(read(s[1], buf, sizeof buf), 0);
	CHECK_INT(write(s[1], "more", 4), 4);
	turn();
	CHECK_INT(done, 0);
	close(s[1]);
	turn();
	CHECK_INT(done, 1);
	CHECK(!k->channels);
	close(s[0]);
	/* Said again, it names a channel that is no more. */
	say(0, &closed);
	CHECK_STR(k->reason, "protocol");
	finish();
}

TEST(channel_counts_never_overflow)
{
	struct err e = { 0 };
	int s[2], done = 0;
	begin(1, UINT64_C(1) << 40);
	struct keep *k = attested();
	for (uint64_t i = 1; i <= 3; i++) {
		CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
		CHECK(channel_open(k, s[0], on_done, &done, &e));
		struct control_message m = { .type = CONTROL_CLOSED,
			.channel = i,
			.bytes_in = INT64_MAX - 1,
			.bytes_out = 1 };
		close(s[1]);
		say(0, &m);
		close(s[0]);
	}
	CHECK(k->bytes_in == INT64_MAX);
	CHECK_INT(k->bytes_out, 3);
	finish();
}

TEST(channel_to_a_keep_that_just_ended_says_so)
{
	struct err e = { 0 };
	int done = 0;
	begin(1, UINT64_C(1) << 40);
	struct keep *k = attested();
	shutdown(peers[0], SHUT_RDWR);
	CHECK(!channel_open(k, 0, on_done, &done, &e));
	CHECK_HAS(e.text, "has ended");
	finish();
	CHECK_INT(done, 0);
}

TEST(channel_is_refused_by_a_keep_that_is_not_there_for_it)
{
	struct err e = { 0 };
	int done = 0;
	begin(2, UINT64_C(1) << 40);
	struct keep *k = start();
	CHECK(!channel_open(k, 0, on_done, &done, &e));
	CHECK_HAS(e.text, "is starting");
	publish(0);
	keep_stop(k);
	CHECK(!channel_open(k, 0, on_done, &done, &e));
	CHECK_HAS(e.text, "has ended");
	struct keep *full = attested();
	for (int i = 0; i < KEEPS_CHANNELS; i++)
		CHECK(channel_open(full, dup(0), on_done, &done, &e));
	CHECK(!channel_open(full, 0, on_done, &done, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_INT(done, 0);
	for (struct channel *c = full->channels; c; c = c->next)
		close(c->fd);
	finish();
	CHECK_INT(done, KEEPS_CHANNELS);
}

TEST(keeps_remember_only_so_many_that_ended)
{
	begin(4, UINT64_C(1) << 40);
	short_lived = true;
	char first[33] = "";
	for (int i = 0; i < MANY; i++) {
		struct keep *k = start();
		if (!i)
			fmt(first, sizeof first, "%s", k->id);
		reap(k->pid);
	}
	CHECK_INT(keeps.held, 0);
	CHECK_INT(keeps.listed_ended, KEEPS_LISTED_ENDED);
	CHECK(!keeps_find(&keeps, first));
	json_t *v = view_keeps(&keeps);
	CHECK_INT(json_array_size(json_object_get(v, "keeps")),
		KEEPS_LISTED_ENDED);
	json_decref(v);
	finish();
}
