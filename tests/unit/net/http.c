/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"

#include "../test.h"

/* A server on a Unix socket that answers each request with the next text. */
struct server {
	char dir[64], path[108], url[128];
	pid_t pid;
};

/* Reads up to the blank line, and the JSON of the tests after it. */
static bool read_request(int fd, const char *want)
{
	char got[4096];
	size_t n = 0;
	while (n < sizeof got - 1) {
		ssize_t k = read(fd, got + n, sizeof got - 1 - n);
		if (k <= 0)
			return false;
		n += (size_t)k;
		got[n] = '\0';
		if (strstr(got, "\r\n\r\n") && strstr(got, want))
			return true;
	}
	return false;
}

struct turn {
	const char *want, *answer;
	bool close, echo;
};

static void serve(int listener, const struct turn *turns, size_t count)
{
	int fd = -1;
	alarm(60); /* no test that fails leaves a server behind */
	for (size_t i = 0; i < count; i++) {
		if (fd < 0)
			fd = accept(listener, NULL, NULL);
		if (!read_request(fd, turns[i].want))
			_exit(1);
		if (write(fd, turns[i].answer, strlen(turns[i].answer)) < 0)
			_exit(1);
		char block[100];
		ssize_t n;
		while (turns[i].echo && (n = read(fd, block, 100)) > 0)
			if (write(fd, block, (size_t)n) != n)
				_exit(1);
		if (turns[i].close) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0) {
		char byte;
		while (read(fd, &byte, 1) > 0)
			continue;
	}
	_exit(0);
}

static void server_open(struct server *s, const struct turn *turns,
	size_t count)
{
	snprintf(s->dir, sizeof s->dir, "/tmp/unit-http-XXXXXX");
	CHECK(mkdtemp(s->dir));
	snprintf(s->path, sizeof s->path, "%s/s", s->dir);
	snprintf(s->url, sizeof s->url, "unix://%s", s->path);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, s->path, strlen(s->path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 4));
	s->pid = fork();
	if (!s->pid)
		serve(fd, turns, count);
	close(fd);
}

static int server_close(struct server *s)
{
	int status = 0;
	unlink(s->path);
	rmdir(s->dir);
	waitpid(s->pid, &status, 0);
	return status;
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(http_keeps_one_connection_and_sends_token_and_body)
{
	static const struct turn turns[] = {
		{ "Authorization: Bearer s3cret\r\n", ok, false, false },
		{ "{\"a\":1}", ok, false, false },
	};
	struct server s;
	server_open(&s, turns, ARRAY_LEN(turns));
	struct net_http *h;
	struct err e;
	CHECK(net_http_open(&(struct net_http_config){ .url = s.url,
				    .token = "s3cret",
				    .cancel_fd = -1 },
		&h, &e));
	auto_net_response r = { .body = { .limit = 100 } };
	CHECK(net_http_call(h, "GET", "/x", BYTES_NONE, &r, &e));
	CHECK_INT(r.status, 200);
	auto_net_response r2 = { .body = { .limit = 100 } };
	CHECK(net_http_call(h, "POST", "/y", BYTES_LIT("{\"a\":1}"), &r2, &e));
	CHECK_MEM(r2.body.ptr, "ok", 2);
	net_http_close(h);
	CHECK_INT(server_close(&s), 0);
}

TEST(http_connects_again_when_the_kept_connection_was_closed)
{
	static const struct turn turns[] = {
		{ "GET /x", ok, true, false },
		{ "GET /y", ok, false, false },
	};
	struct server s;
	server_open(&s, turns, ARRAY_LEN(turns));
	struct net_http *h;
	struct err e;
	CHECK(net_http_open(&(struct net_http_config){ .url = s.url,
				    .cancel_fd = -1 },
		&h, &e));
	auto_net_response r = { .body = { .limit = 100 } };
	CHECK(net_http_call(h, "GET", "/x", BYTES_NONE, &r, &e));
	/* The end of the connection arrives. */
	struct pollfd p = { .fd = net_http_fd(h), .events = POLLIN };
	CHECK_INT(poll(&p, 1, 10000), 1);
	auto_net_response r2 = { .body = { .limit = 100 } };
	CHECK(net_http_call(h, "GET", "/y", BYTES_NONE, &r2, &e));
	CHECK_INT(r2.status, 200);
	net_http_close(h);
	CHECK_INT(server_close(&s), 0);
}

static void read_all(struct net_http *h, char *to, size_t want)
{
	struct err e = { 0 };
	for (size_t at = 0; at < want;) {
		size_t n;
		bool end;
		CHECK(net_http_read(h, (uint8_t *)to + at, want - at, &n, &end,
			&e));
		CHECK(!end);
		at += n;
		struct pollfd p = { .fd = net_http_fd(h), .events = POLLIN };
		if (!n)
			CHECK_INT(poll(&p, 1, 10000), 1);
	}
}

TEST(http_upgrade_gives_a_byte_stream_and_loses_no_early_byte)
{
	static const struct turn turns[] = { { "Upgrade: donjon-keep/1\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
		"Upgrade: donjon-keep/1\r\n\r\nearly",
		false, true } };
	struct server s;
	server_open(&s, turns, 1);
	struct net_http *h;
	struct err e;
	CHECK(net_http_open(&(struct net_http_config){ .url = s.url,
				    .cancel_fd = -1 },
		&h, &e));
	auto_net_response r = { 0 };
	CHECK(net_http_upgrade(h, "/c", "donjon-keep/1", &r, &e));
	CHECK_INT(r.status, 101);
	size_t n;
	CHECK(net_http_write(h, BYTES_LIT(" and late"), &n, &e));
	CHECK_INT(n, 9);
	char got[14];
	read_all(h, got, sizeof got);
	CHECK_MEM(got, "early and late", 14);
	net_http_close(h);
	CHECK_INT(server_close(&s), 0);
}

TEST(http_refuses_an_upgrade_to_something_else)
{
	static const struct turn turns[] = { { "Upgrade: donjon-keep/1\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
		false, false } };
	struct server s;
	server_open(&s, turns, 1);
	struct net_http *h;
	struct err e = { 0 };
	CHECK(net_http_open(&(struct net_http_config){ .url = s.url,
				    .cancel_fd = -1 },
		&h, &e));
	auto_net_response r = { 0 };
	CHECK(!net_http_upgrade(h, "/c", "donjon-keep/1", &r, &e));
	CHECK_HAS(e.text, "wrong upgrade");
	net_http_close(h);
	CHECK_INT(server_close(&s), 0);
}

TEST(http_gives_up_when_told_to)
{
	static const struct turn turns[] = { { "GET", "", false, true } };
	struct server s;
	server_open(&s, turns, 1);
	int cancel[2];
	CHECK(!pipe(cancel));
	struct net_http *h;
	struct err e = { 0 };
	CHECK(net_http_open(&(struct net_http_config){ .url = s.url,
				    .cancel_fd = cancel[0] },
		&h, &e));
	CHECK(net_http_connect(h, &e));
	CHECK_INT(write(cancel[1], "x", 1), 1);
	auto_net_response r = { .body = { .limit = 100 } };
	CHECK(!net_http_call(h, "GET", "/", BYTES_NONE, &r, &e));
	CHECK_HAS(e.text, "interrupted");
	net_http_close(h);
	close(cancel[0]);
	close(cancel[1]);
	server_close(&s);
}

TEST(http_keeps_a_token_off_the_open_network)
{
	struct net_http *h;
	struct err e = { 0 };
	struct net_http_config cfg = { .url = "http://host.example",
		.token = "s3cret",
		.cancel_fd = -1 };
	CHECK(!net_http_open(&cfg, &h, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	cfg.url = "https://host.example";
	CHECK(net_http_open(&cfg, &h, &e));
	net_http_close(h);
	cfg.token = "a\r\nX: y";
	CHECK(!net_http_open(&cfg, &h, &e));
	CHECK_HAS(e.text, "token");
}

TEST(http_names_a_host_that_is_not_there)
{
	struct net_http *h;
	struct err e = { 0 };
	CHECK(net_http_open(
		&(struct net_http_config){ .url = "unix:///nowhere/at/all",
			.cancel_fd = -1 },
		&h, &e));
	CHECK(!net_http_connect(h, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "/nowhere/at/all");
	net_http_close(h);
}
