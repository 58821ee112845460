/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load PORT CONNECTIONS BYTES SECONDS tcp|tls: says a line of so many bytes
 * over each connection, and again when it came back whole, for so long.
 * Prints lines a second and the 50th and 99th hundredth of their times in us.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, SAMPLES = 4000000 };

static struct conn {
	int fd;
	SSL *ssl;
	size_t got;
	double sent;
} conns[MOST];
static struct pollfd fds[MOST];
static float *samples;
static size_t sample_count;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void dial(struct conn *c, int port, SSL_CTX *ctx)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	need(c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&to, sizeof to),
		"connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (!ctx)
		return;
	c->ssl = SSL_new(ctx);
	SSL_set_fd(c->ssl, c->fd);
	need(SSL_connect(c->ssl) == 1, "TLS");
}

static void say(struct conn *c, const char *line, size_t n)
{
	ssize_t put = c->ssl ? SSL_write(c->ssl, line, (int)n) :
			       write(c->fd, line, n);
	c->got = 0;
	c->sent = now();
	need(put == (ssize_t)n, "write");
}

/* 1: the line is back. */
static int hear(struct conn *c, size_t n)
{
	static char text[65536];
	do {
		ssize_t got = c->ssl ? SSL_read(c->ssl, text, sizeof text) :
				       read(c->fd, text, sizeof text);
		need(got > 0, "read");
		c->got += (size_t)got;
	} while (c->ssl && SSL_pending(c->ssl));
	if (c->got < n)
		return 0;
	if (sample_count < SAMPLES)
		samples[sample_count++] = (float)((now() - c->sent) * 1e6);
	return 1;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	size_t count = (size_t)atoi(argv[2]), n = (size_t)atoi(argv[3]);
	double begin, end;
	char *line = malloc(n);
	SSL_CTX *ctx = strcmp(argv[5], "tls") ?
		NULL :
		SSL_CTX_new(TLS_client_method());
	samples = malloc(SAMPLES * sizeof *samples);
	need(line && samples && count && count <= MOST && n, "arguments");
	memset(line, 'x', n);
	line[n - 1] = '\n';
	for (size_t i = 0; i < count; i++) {
		dial(&conns[i], atoi(argv[1]), ctx);
		fds[i] = (struct pollfd){ .fd = conns[i].fd, .events = POLLIN };
	}
	begin = now();
	end = begin + atof(argv[4]);
	for (size_t i = 0; i < count; i++)
		say(&conns[i], line, n);
	while (now() < end && poll(fds, count, 1000) >= 0)
		for (size_t i = 0; i < count; i++)
			if (fds[i].revents && hear(&conns[i], n))
				say(&conns[i], line, n);
	double took = now() - begin;
	need(sample_count > 0, "nothing came back");
	qsort(samples, sample_count, sizeof *samples, by_size);
	printf("%.0f %.0f %.0f\n", (double)sample_count / took,
		samples[sample_count / 2], samples[sample_count * 99 / 100]);
	return 0;
}
