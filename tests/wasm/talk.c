/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Speaks on connected descriptors as its arguments say, one after the other:
 *
 *	FD send TEXT		all of it
 *	FD fill N		N bytes of a pattern
 *	FD recv N		at most N bytes, printed
 *	FD peek N		the same, left where they are
 *	FD all N		exactly N bytes, or up to the end
 *	FD end			reads to the end, prints what came
 *	FD sum			reads to the end, prints how much and a sum
 *	FD shut r|w|rw
 *	FD try N		recv that does not wait
 *	FD accept		one connection; its descriptor is printed
 *	FD close
 *	0 print TEXT
 *
 * What fails is printed with its reason and is no failure of the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[1 << 16];

static void failed(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
}

static void show(const char *what, ssize_t n)
{
	if (n < 0)
		failed(what);
	else
		printf("%s %d: %.*s\n", what, (int)n, (int)n, buf);
}

static void send_all(int fd, const char *from, size_t n)
{
	while (n) {
		ssize_t k = send(fd, from, n, 0);
		if (k < 0) {
			failed("send");
			return;
		}
		from += k;
		n -= (size_t)k;
	}
}

static void fill(int fd, size_t n)
{
	for (size_t i = 0; i < sizeof buf; i++)
		buf[i] = (char)(i * 7);
	while (n) {
		size_t k = n < sizeof buf ? n : sizeof buf;
		send_all(fd, buf, k);
		n -= k;
	}
}

static void to_end(int fd, int sum)
{
	size_t total = 0;
	unsigned hash = 0;
	ssize_t n;
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			hash = hash * 31 + (unsigned char)buf[i];
		total += (size_t)n;
		if (!sum)
			printf("end: %.*s\n", (int)n, buf);
	}
	if (n < 0)
		failed("end");
	if (sum)
		printf("sum %zu %u\n", total, hash);
}

static void try_recv(int fd, size_t n)
{
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	show("try", recv(fd, buf, n, 0));
	fcntl(fd, F_SETFL, flags);
}

/* How many arguments it took, or 0. */
static int one(char **a, int left)
{
	int fd = atoi(a[0]);
	const char *verb = a[1], *arg = left > 2 ? a[2] : "";
	size_t n = (size_t)atoi(arg);
	if (n > sizeof buf && strcmp(verb, "fill") != 0)
		n = sizeof buf;
	if (!strcmp(verb, "send"))
		send_all(fd, arg, strlen(arg));
	else if (!strcmp(verb, "fill"))
		fill(fd, n);
	else if (!strcmp(verb, "recv"))
		show("recv", recv(fd, buf, n, 0));
	else if (!strcmp(verb, "peek"))
		show("peek", recv(fd, buf, n, MSG_PEEK));
	else if (!strcmp(verb, "all"))
		show("all", recv(fd, buf, n, MSG_WAITALL));
	else if (!strcmp(verb, "try"))
		try_recv(fd, n);
	else if (!strcmp(verb, "print"))
		puts(arg);
	else if (!strcmp(verb, "shut")) {
		int how = !strcmp(arg, "r") ? SHUT_RD :
			!strcmp(arg, "w")   ? SHUT_WR :
					      SHUT_RDWR;
		if (shutdown(fd, how))
			failed("shut");
	} else {
		if (!strcmp(verb, "end"))
			to_end(fd, 0);
		else if (!strcmp(verb, "sum"))
			to_end(fd, 1);
		else if (!strcmp(verb, "close"))
			close(fd);
		else if (!strcmp(verb, "accept"))
			printf("accept %d\n", accept(fd, NULL, NULL));
		else
			return 0;
		return 2;
	}
	return 3;
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc;) {
		int n = one(argv + i, argc - i);
		if (!n) {
			fprintf(stderr, "what is %s?\n", argv[i + 1]);
			return 2;
		}
		fflush(stdout);
		i += n;
	}
	return 0;
}
