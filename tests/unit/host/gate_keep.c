/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built donjon-keep with a stand-in for exec; the test plays donjond on
 * the control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../fake/fake.h"
#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/control.h"

struct loader {
	pid_t pid;
	int control;
	char out[2000]; /* the output folder */
	char dir[64];	/* ours, for the root key */
};

static void find_out(struct loader *l)
{
	CHECK(readlink("/proc/self/exe", l->out, sizeof l->out - 1) > 0);
	for (int i = 0; i < 4; i++)
		*strrchr(l->out, '/') = '\0';
}

NORETURN static void become_loader(const char *out, int control)
{
	char path[4096], name[] = "donjon-keep";
	char *argv[] = { name, NULL };
	fmt(path, sizeof path, "%s/bin/donjon-keep", out);
	if (dup2(control, CONTROL_FD) == CONTROL_FD)
		execv(path, argv);
	_exit(127);
}

static void loader_start(struct loader *l)
{
	int pair[2];
	*l = (struct loader){ .control = -1 };
	find_out(l);
	fmt(l->dir, sizeof l->dir, "/tmp/donjon-keep-XXXXXX");
	CHECK(mkdtemp(l->dir));
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	l->pid = fork();
	if (l->pid == 0)
		become_loader(l->out, pair[1]);
	CHECK(l->pid > 0);
	close(pair[1]);
	l->control = pair[0];
	CHECK_INT(fcntl(l->control, F_SETFD, FD_CLOEXEC), 0);
}

/* Its wait status. */
static int loader_finish(struct loader *l)
{
	char root[96];
	int status = 0;
	if (l->control >= 0)
		close(l->control);
	CHECK_INT(waitpid(l->pid, &status, 0), l->pid);
	fmt(root, sizeof root, "%s/root.pem", l->dir);
	unlink(root);
	CHECK_INT(rmdir(l->dir), 0);
	return status;
}

static void tell(struct loader *l, enum control_type type, uint64_t channel,
	int fd)
{
	struct control_message m = { .type = type, .channel = channel };
	struct err e = { 0 };
	if (!control_send(l->control, &m, fd, &e))
		fail_msg("%s", e.text);
}

static void tell_launch(struct loader *l, enum fake what)
{
	struct control_message m = { .type = CONTROL_LAUNCH,
		.memory_bytes = 256u << 20,
		.owner_wait_ns = 1000000000 };
	struct err e = { 0 };
	fmt(m.id, sizeof m.id, "00112233445566778899aabbccddeeff");
	fmt(m.tee, sizeof m.tee, "process");
	fmt(m.image_dir, sizeof m.image_dir, "%.480s/tests/fake/keep", l->out);
	fmt(m.root_path, sizeof m.root_path, "%s/root.pem", l->dir);
	m.nonce[0] = (uint8_t)what;
	if (!control_send(l->control, &m, -1, &e))
		fail_msg("%s", e.text);
}

/* The next message, which must be of that type. */
static void hear(struct loader *l, enum control_type type,
	struct control_message *m)
{
	bool got = false, gone = false;
	struct err e = { 0 };
	int fd = -1;
	if (!control_recv(l->control, m, &fd, &got, &gone, &e))
		fail_msg("%s", e.text);
	if (!got)
		fail_msg("donjon-keep went without message %d", (int)type);
	if (m->type != type)
		fail_msg("message %d, not %d: %s", (int)m->type, (int)type,
			m->text);
}

static void hear_end(struct loader *l, const char *reason, const char *text)
{
	struct control_message m = { 0 };
	hear(l, CONTROL_ENDED, &m);
	CHECK_STR(m.reason, reason);
	CHECK_HAS(m.text, text);
	control_fini(&m);
}

static void hear_published(struct loader *l)
{
	struct control_message m = { 0 };
	hear(l, CONTROL_PUBLISHED, &m);
	control_fini(&m);
}

static int send_channel(struct loader *l, uint64_t name)
{
	int pair[2];
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	tell(l, CONTROL_CHANNEL, name, pair[1]);
	close(pair[1]);
	return pair[0];
}

TEST(keep_carries_a_conversation_from_launch_to_end)
{
	struct loader l;
	struct control_message m = { 0 };
	char text[8] = "";
	loader_start(&l);
	tell_launch(&l, FAKE_ECHO);
	hear(&l, CONTROL_PUBLISHED, &m);
	CHECK(m.software);
	CHECK_INT(m.claims.len, 6);
	CHECK_MEM(m.claims.ptr, "claims", 6);
	CHECK_INT(m.evidence.len, 288);
	CHECK(m.endorsements.len > 0);
	CHECK_INT(m.certificate.len, 100);
	control_fini(&m);
	int peer = send_channel(&l, 42);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(write(peer, "echo", 4), 4);
		CHECK_INT(recv(peer, text, 4, MSG_WAITALL), 4);
		CHECK_MEM(text, "echo", 4);
	}
	CHECK_INT(shutdown(peer, SHUT_WR), 0);
	CHECK_INT(read(peer, text, 1), 0);
	hear(&l, CONTROL_CLOSED, &m);
	CHECK_INT(m.channel, 42);
	CHECK_INT(m.bytes_in, 12);
	CHECK_INT(m.bytes_out, 12);
	hear_end(&l, "done", "");
	close(peer);
	CHECK_INT(loader_finish(&l), 0);
}

/* More than the sockets hold, so that the Keep must wait for room. */
TEST(keep_waits_for_a_client_that_reads_late)
{
	enum { TOTAL = 4 << 20 };
	static uint8_t sent[TOTAL], got[TOTAL];
	struct loader l;
	loader_start(&l);
	tell_launch(&l, FAKE_ECHO);
	hear_published(&l);
	int peer = send_channel(&l, 1);
	size_t out = 0, in = 0;
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (uint8_t)(i * 31 + i / 251);
	/* Writes as long as somebody takes it, and only then reads. */
	while (in < TOTAL) {
		ssize_t n = send(peer, sent + out, TOTAL - out, MSG_DONTWAIT);
		if (out < TOTAL && n > 0) {
			out += (size_t)n;
			continue;
		}
		n = recv(peer, got + in, TOTAL - in, 0);
		CHECK(n > 0);
		in += (size_t)n;
	}
	CHECK_MEM(got, sent, TOTAL);
	close(peer);
	struct control_message m = { 0 };
	hear(&l, CONTROL_CLOSED, &m);
	CHECK_INT(m.bytes_in, TOTAL);
	CHECK_INT(m.bytes_out, TOTAL);
	hear_end(&l, "done", "");
	CHECK_INT(loader_finish(&l), 0);
}

TEST(keep_end_has_a_name_whatever_a_hostile_keep_does)
{
	static const struct {
		enum fake what;
		bool published;
		const char *reason, *text;
	} cases[] = {
		{ FAKE_CRASH, false, "crashed", "SIGSEGV" },
		{ FAKE_QUIT, false, "crashed", "exit status 7" },
		{ FAKE_DROP_BELL, false, "crashed", "SIGKILL" },
		{ FAKE_UNKNOWN_OP, false, "failed",
			"gate: operation 99 unknown" },
		{ FAKE_TOO_EARLY, false, "failed",
			"gate: LISTEN in phase boot" },
		{ FAKE_IMPATIENT, true, "failed",
			"gate: rang while it waited" },
		{ FAKE_DEAF, false, "failed", "" },
		{ FAKE_CHATTY, false, "limit", "control: published of " },
		{ FAKE_PROBE, false, "done", "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loader l;
		loader_start(&l);
		tell_launch(&l, cases[i].what);
		if (cases[i].published)
			hear_published(&l);
		hear_end(&l, cases[i].reason, cases[i].text);
		CHECK_INT(loader_finish(&l), 0);
	}
}

TEST(keep_stops_when_the_host_agent_says_so)
{
	struct loader l;
	struct control_message m = { 0 };
	char byte;
	loader_start(&l);
	tell_launch(&l, FAKE_WAIT);
	hear_published(&l);
	int peer = send_channel(&l, 1);
	tell(&l, CONTROL_STOP, 0, -1);
	hear(&l, CONTROL_CLOSED, &m);
	CHECK_INT(m.channel, 1);
	CHECK_INT(m.bytes_in, 0);
	hear_end(&l, "stopped", "by the host agent");
	CHECK_INT(read(peer, &byte, 1), 0);
	close(peer);
	CHECK_INT(loader_finish(&l), 0);
}

TEST(keep_ends_when_the_host_agent_is_gone)
{
	static const enum fake moments[] = { FAKE_WAIT, FAKE_ECHO };
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		struct loader l;
		loader_start(&l);
		tell_launch(&l, moments[i]);
		hear_published(&l);
		CHECK(WIFEXITED(loader_finish(&l)));
	}
	struct loader l;
	loader_start(&l);
	CHECK(WIFEXITED(loader_finish(&l)));
}

TEST(keep_refuses_messages_out_of_turn)
{
	struct loader l;
	loader_start(&l);
	tell(&l, CONTROL_STOP, 0, -1);
	hear_end(&l, "failed", "control: not launched yet");
	CHECK_INT(loader_finish(&l), 0);

	loader_start(&l);
	tell_launch(&l, FAKE_WAIT);
	hear_published(&l);
	tell_launch(&l, FAKE_WAIT);
	hear_end(&l, "failed", "control: message out of turn");
	CHECK_INT(loader_finish(&l), 0);

	loader_start(&l);
	CHECK_INT(send(l.control, "{}", 2, 0), 2);
	hear_end(&l, "failed", "control: ");
	CHECK_INT(loader_finish(&l), 0);
}

TEST(keep_says_why_it_cannot_launch)
{
	struct loader l;
	loader_start(&l);
	fmt(l.out, sizeof l.out, "/nowhere");
	tell_launch(&l, FAKE_ECHO);
	hear_end(&l, "failed", "no Keep image at /nowhere/tests/fake/keep");
	CHECK_INT(loader_finish(&l), 0);
}

TEST(keep_is_not_for_people_to_start)
{
	int status = 0;
	struct loader l = { 0 };
	find_out(&l);
	pid_t pid = fork();
	if (pid == 0) {
		close(2);
		become_loader(l.out, open("/dev/null", O_RDONLY));
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 2);
}
