/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An echo server for as many connections as there are descriptors.  Listens
 * on descriptor $1.  What a connection says comes back, and so does its end;
 * a connection that begins with "quit" ends the server.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4096 };

static struct pollfd fds[MOST];
static struct {
	char data[4096];
	int at, len;
	int eof;
} bufs[MOST];
static nfds_t count;

static void drop(nfds_t i)
{
	close(fds[i].fd);
	count--;
	fds[i] = fds[count];
	bufs[i] = bufs[count];
}

static void take(void)
{
	int fd;
	while (count < MOST &&
		(fd = accept4(fds[0].fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		fds[count] = (struct pollfd){ .fd = fd, .events = POLLIN };
		memset(&bufs[count], 0, sizeof bufs[count]);
		count++;
	}
}

/* 0: it is over; -1: the whole server is. */
static int turn(nfds_t i)
{
	if (bufs[i].at == bufs[i].len) {
		ssize_t n = read(fds[i].fd, bufs[i].data, sizeof bufs[i].data);
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0) {
			shutdown(fds[i].fd, SHUT_WR);
			return 0;
		}
		if (n >= 4 && !memcmp(bufs[i].data, "quit", 4))
			return -1;
		bufs[i].at = 0;
		bufs[i].len = (int)n;
	}
	ssize_t n = write(fds[i].fd, bufs[i].data + bufs[i].at,
		(size_t)(bufs[i].len - bufs[i].at));
	if (n < 0 && errno != EAGAIN)
		return 0;
	if (n > 0)
		bufs[i].at += (int)n;
	fds[i].events = bufs[i].at < bufs[i].len ? POLLOUT : POLLIN;
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	fds[0] = (struct pollfd){ .fd = atoi(argv[1]), .events = POLLIN };
	fcntl(fds[0].fd, F_SETFL, O_NONBLOCK);
	count = 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, count, -1) < 0) {
			perror("poll");
			return 1;
		}
		if (fds[0].revents)
			take();
		for (nfds_t i = count; i-- > 1;) {
			int go = fds[i].revents ? turn(i) : 1;
			if (go < 0)
				return 0;
			if (!go)
				drop(i);
		}
	}
}
