/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chat room: every line of one guest goes to all others, behind her name,
 * which is her first line.  Listens on descriptor 3; TLS is made below it by
 * the Keep and not seen here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER = 3, GUESTS = 256, LINE = 512, NAME = 32 };

static struct guest {
	char line[LINE], name[NAME];
	size_t len;
} guests[GUESTS];
static struct pollfd fds[1 + GUESTS]; /* of guest i: i + 1 */
static nfds_t count;

static void tell(nfds_t from, const char *name, const char *text, size_t n)
{
	char said[NAME + LINE + 4];
	int len = snprintf(said, sizeof said, "%s: %.*s\n", name, (int)n, text);
	for (nfds_t i = 0; i < count; i++)
		/* Who does not read misses it: nobody waits for her. */
		if (i != from && guests[i].name[0])
			(void)send(fds[i + 1].fd, said, (size_t)len, 0);
}

static void part(nfds_t i)
{
	char name[NAME];
	memcpy(name, guests[i].name, NAME);
	close(fds[i + 1].fd);
	count--;
	guests[i] = guests[count];
	fds[i + 1] = fds[count + 1];
	if (name[0])
		tell(GUESTS, name, "left", 4);
}

static void welcome(void)
{
	int fd = accept4(LISTENER, NULL, NULL, SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (count == GUESTS) {
		close(fd);
		return;
	}
	memset(&guests[count], 0, sizeof guests[count]);
	fds[++count] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void hear(nfds_t i, const char *text, size_t n)
{
	struct guest *g = &guests[i];
	char said[NAME + 16];
	if (g->name[0]) {
		tell(i, g->name, text, n);
		return;
	}
	snprintf(g->name, NAME, "%.*s", (int)n, text);
	int len = snprintf(said, sizeof said, "*: welcome %s\n", g->name);
	(void)send(fds[i + 1].fd, said, (size_t)len, 0);
}

/* 0: she is gone. */
static int listen_to(nfds_t i)
{
	struct guest *g = &guests[i];
	ssize_t n = recv(fds[i + 1].fd, g->line + g->len, LINE - g->len, 0);
	if (n < 0)
		return errno == EAGAIN;
	g->len += (size_t)n;
	for (char *end; (end = memchr(g->line, '\n', g->len));) {
		size_t len = (size_t)(end - g->line);
		hear(i, g->line, len);
		g->len -= len + 1;
		memmove(g->line, end + 1, g->len);
	}
	return n && g->len < LINE;
}

int main(void)
{
	fds[0] = (struct pollfd){ .fd = LISTENER, .events = POLLIN };
	puts("open");
	fflush(stdout);
	while (poll(fds, 1 + count, -1) >= 0) {
		for (nfds_t i = count; i-- > 0;)
			if (fds[i + 1].revents && !listen_to(i))
				part(i);
		if (fds[0].revents)
			welcome();
	}
	perror("poll");
	return 1;
}
