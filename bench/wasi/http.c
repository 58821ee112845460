/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: answers every request on a connection that stays with the same 200,
 * for as many connections as there are descriptors.  Listens on descriptor 3.
 * Compiled for WASI and for this machine: the same program in a Keep and
 * outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER = 3, MOST = 4096, ROOM = 4096 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			     "Content-Length: 13\r\n\r\nhello, world\n";
static struct pollfd fds[1 + MOST];
static struct {
	char text[ROOM];
	size_t len;
} conns[1 + MOST];
static nfds_t count = 1;

static void welcome(void)
{
	int fd;
	while (count <= MOST &&
		(fd = accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		conns[count].len = 0;
		fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
}

/* 0: it is over. */
static int serve(nfds_t i)
{
	char *text = conns[i].text, *end;
	ssize_t n =
		read(fds[i].fd, text + conns[i].len, ROOM - 1 - conns[i].len);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	conns[i].len += (size_t)n;
	text[conns[i].len] = 0;
	while ((end = strstr(text, "\r\n\r\n"))) {
		size_t used = (size_t)(end + 4 - text);
		if (write(fds[i].fd, answer, sizeof answer - 1) < 0)
			return 0;
		conns[i].len -= used;
		memmove(text, text + used, conns[i].len + 1);
	}
	return conns[i].len < ROOM - 1;
}

int main(void)
{
	fds[0] = (struct pollfd){ .fd = LISTENER, .events = POLLIN };
	fcntl(LISTENER, F_SETFL, O_NONBLOCK);
	puts("ready");
	fflush(stdout);
	while (poll(fds, count, -1) >= 0) {
		for (nfds_t i = count; i-- > 1;) {
			if (!fds[i].revents || serve(i))
				continue;
			close(fds[i].fd);
			count--;
			fds[i] = fds[count];
			conns[i] = conns[count];
		}
		if (fds[0].revents)
			welcome();
	}
	return 1;
}
