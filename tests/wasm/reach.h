/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that opens its sockets itself; reach_edge.c and reach_wamr.c have
 * the functions that differ.
 *
 *	connect HOST PORT TEXT...	says each TEXT over a new connection,
 *					prints what comes
 *	listen PORT			answers one connection with what it
 *					says, then ends
 *
 * What fails is printed with its errno and is no failure of the program.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMPORT(n) \
	__attribute__((import_module("wasi_snapshot_preview1"), import_name(n)))

IMPORT("sock_listen") int sock_listen(int fd, uint32_t backlog);
IMPORT("sock_accept") int sock_accept2(int fd, int *fresh);

/* Each an errno. */
static int reach_open(int *fd);
static int reach_look_up(const char *host, uint8_t ip[4], uint32_t *n);
static int reach_connect(int fd, const uint8_t ip[4], uint16_t port);
static int reach_bind(int fd, const uint8_t ip[4], uint16_t port);

static int failed(const char *what, int error)
{
	printf("%s: %s\n", what, strerror(error));
	return -1;
}

static int look_up(const char *host, uint8_t ip[4])
{
	uint32_t n = 0;
	int r = reach_look_up(host, ip, &n);
	if (!r && !n)
		r = ENOENT;
	return r ? failed("look up", r) : 0;
}

static int dial(const uint8_t ip[4], uint16_t port)
{
	int fd;
	int r = reach_open(&fd);
	if (r)
		return failed("open", r);
	r = reach_connect(fd, ip, port);
	if (!r)
		return fd;
	close(fd);
	return failed("connect", r);
}

static void say(int fd, const char *text)
{
	char buf[4096];
	ssize_t n = write(fd, text, strlen(text));
	if (n < 0) {
		failed("write", errno);
		return;
	}
	n = read(fd, buf, sizeof buf);
	if (n < 0)
		failed("read", errno);
	else
		printf("%.*s\n", (int)n, buf);
	close(fd);
}

static int serve(uint16_t port)
{
	static const uint8_t any[4];
	char buf[4096];
	int fd, c;
	int r = reach_open(&fd);
	if (r)
		return failed("open", r);
	r = reach_bind(fd, any, port);
	if (r)
		return failed("bind", r);
	r = sock_listen(fd, 5);
	if (r)
		return failed("listen", r);
	puts("ready");
	fflush(stdout);
	r = sock_accept2(fd, &c);
	if (r)
		return failed("accept", r);
	for (ssize_t n; (n = read(c, buf, sizeof buf)) > 0;)
		if (write(c, buf, (size_t)n) < n)
			return failed("write", errno);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t ip[4];
	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "listen"))
		return serve((uint16_t)atoi(argv[2])) ? 1 : 0;
	if (argc < 4 || look_up(argv[2], ip))
		return 0;
	for (int i = 4; i < argc; i++) {
		int fd = dial(ip, (uint16_t)atoi(argv[3]));
		if (fd >= 0)
			say(fd, argv[i]);
	}
	return 0;
}
