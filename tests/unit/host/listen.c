/* SPDX-License-Identifier: Apache-2.0 */
#include "host/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"

#include "../test.h"

TEST(listen_lets_the_kernel_choose_a_port_and_says_which)
{
	bool loopback = false;
	char bound[80];
	struct err e = { 0 };
	auto_fd fd = -1;
	CHECK(listen_tcp("127.0.0.1:0", &fd, &loopback, bound, sizeof bound,
		&e));
	CHECK(loopback);
	CHECK_INT(strncmp(bound, "127.0.0.1:", 10), 0);
	CHECK(strtol(bound + 10, NULL, 10) > 0);
	/* Nobody else gets it. */
	int other = -1;
	CHECK(!listen_tcp(bound, &other, &loopback, bound, sizeof bound, &e));
	CHECK_HAS(e.text, "in use");
}

static const struct {
	const char *address;
	bool loopback;
} places[] = {
	{ "127.3.2.1:0", true },
	{ "[::1]:0", true },
	{ "0.0.0.0:0", false },
	{ "[::]:0", false },
};

TEST(listen_knows_what_only_this_machine_reaches)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		bool loopback;
		char bound[80];
		struct err e = { 0 };
		auto_fd fd = -1;
		if (!listen_tcp(places[i].address, &fd, &loopback, bound,
			    sizeof bound, &e))
			continue; /* no IPv6 here */
		CHECK_INT(loopback, places[i].loopback);
	}
}

static const char *const refused[] = { "", ":", ":80", "host",
	"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
	"127.0.0.1:1 ", "127.0.0.1:000080", "::1:80", "[]:80", "[::1:80",
	"no such host:80" };

TEST(listen_refuses_what_is_no_address)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int fd = -1;
		bool loopback;
		char bound[80];
		struct err e = { 0 };
		CHECK(!listen_tcp(refused[i], &fd, &loopback, bound,
			sizeof bound, &e));
		CHECK_INT(fd, -1);
		CHECK_INT(e.kind, ERR_INPUT);
	}
}

TEST(listen_takes_a_dead_socket_over_but_no_living_one)
{
	char folder[] = "/tmp/donjon-listen-XXXXXX", path[64];
	struct err e = { 0 };
	struct stat st;
	int fd = -1, second = -1;
	CHECK(mkdtemp(folder));
	fmt(path, sizeof path, "%s/s", folder);
	CHECK(listen_unix(path, &fd, &e));
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0600);
	CHECK(!listen_unix(path, &second, &e));
	CHECK_HAS(e.text, "in use");
	close(fd);
	CHECK(listen_unix(path, &second, &e));
	close(second);
	unlink(path);
	FILE *f = fopen(path, "we");
	CHECK(f);
	fclose(f);
	CHECK(!listen_unix(path, &fd, &e));
	CHECK_HAS(e.text, "not a socket");
	CHECK_INT(access(path, F_OK), 0);
	unlink(path);
	rmdir(folder);
}

/* --- two agents at once ----------------------------------------------------
 */

/* A rival that comes just when we are about to remove the socket of a dead
 * one: libc's unlink and flock have their place taken.  It tells when it has to
 * wait for us, and that it is through. */
static const char *contested;
static int go[2], news[2];

static void say(int fd, char word)
{
	CHECK_INT(write(fd, &word, 1), 1);
}

static void await(int fd)
{
	char word;
	CHECK_INT(read(fd, &word, 1), 1);
}

int flock(int fd, int operation)
{
	int failed = (int)syscall(SYS_flock, fd, operation);
	if (failed && news[1] > 0)
		say(news[1], 'w');
	return failed;
}

int unlink(const char *path)
{
	if (contested) {
		contested = NULL;
		say(go[1], 'g');
		await(news[0]);
	}
	return (int)syscall(SYS_unlink, path);
}

static NORETURN void compete(const char *path)
{
	struct err e = { 0 };
	int fd = -1;
	await(go[0]);
	bool got = listen_unix(path, &fd, &e);
	say(news[1], 't');
	_exit(!got && strstr(e.text, "in use") ? 0 : 1);
}

TEST(listen_gives_a_dead_agent_s_path_to_one_of_two)
{
	char folder[] = "/tmp/donjon-listen-XXXXXX", path[64];
	struct err e = { 0 };
	int fd = -1, status = 0;
	CHECK(mkdtemp(folder));
	fmt(path, sizeof path, "%s/s", folder);
	CHECK(listen_unix(path, &fd, &e));
	close(fd);
	CHECK_INT(pipe(go), 0);
	CHECK_INT(pipe(news), 0);
	pid_t rival = fork();
	if (!rival)
		compete(path);
	contested = path;
	CHECK(listen_unix(path, &fd, &e));
	CHECK_INT(waitpid(rival, &status, 0), rival);
	CHECK_INT(status, 0);
	CHECK_INT(access(path, F_OK), 0);
	listen_unix_end(path, fd);
	CHECK_INT(rmdir(folder), 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(news[i]);
	}
	news[1] = 0;
}

TEST(listen_waits_for_a_stranger_s_lock_but_not_for_ever)
{
	char folder[] = "/tmp/donjon-listen-XXXXXX", path[64];
	struct err e = { 0 };
	int fd = -1;
	CHECK(mkdtemp(folder));
	fmt(path, sizeof path, "%s/s", folder);
	auto_fd held = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(flock(held, LOCK_EX), 0);
	CHECK(listen_unix(path, &fd, &e));
	listen_unix_end(path, fd);
	CHECK_INT(rmdir(folder), 0);
}

TEST(listen_refuses_a_path_that_is_too_long)
{
	char path[200];
	int fd = -1;
	struct err e = { 0 };
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	CHECK(!listen_unix(path, &fd, &e));
	CHECK_INT(e.kind, ERR_INPUT);
}
