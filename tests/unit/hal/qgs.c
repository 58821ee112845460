/* SPDX-License-Identifier: Apache-2.0 */
/* Against a service of our own that answers well, or badly in one way. */
#include "hal/qgs.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"

enum { ASK = 4 + 24 + 1024, QUOTE = 5000, ID = 8 };

enum way {
	GOOD,
	GOOD_ID,
	REFUSED,
	OTHER_KIND,
	OTHER_SIZE,
	OTHER_VERSION,
	NO_QUOTE,
	CUT_QUOTE,
	TRAILING,
	LONG_QUOTE,
	HUGE_ANSWER,
	EMPTY_ANSWER,
	HANG_UP,
	CUT,
	WAYS,
};

struct service {
	int fd;
	enum way way;
	char path[64];
	pthread_t thread;
};

static void put32(uint8_t *at, uint32_t v)
{
	for (size_t i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

/* header, sizes, id, quote */
static size_t answer(enum way way, uint8_t *out)
{
	uint32_t id = way == GOOD_ID ? ID : 0;
	uint32_t quote = way == NO_QUOTE ? 0 :
		way == LONG_QUOTE	 ? QGS_QUOTE_MAX + 1 :
					   QUOTE;
	size_t n = 24 + id + quote + (way == TRAILING);
	memset(out, 0x51, n);
	put32(out, way == OTHER_VERSION ? 2 : 1);
	put32(out + 4, way == OTHER_KIND ? 3 : 1);
	put32(out + 8, (uint32_t)n + (way == OTHER_SIZE));
	put32(out + 12, way == REFUSED ? 0x12002 : 0);
	put32(out + 16, id);
	put32(out + 20, quote + (way == CUT_QUOTE));
	return n;
}

static void *serve(void *arg)
{
	static uint8_t out[4 + QGS_QUOTE_MAX + 100];
	struct service *s = arg;
	uint8_t in[ASK];
	auto_fd fd = accept(s->fd, NULL, NULL);
	CHECK(fd >= 0);
	CHECK_INT(recv(fd, in, sizeof in, MSG_WAITALL), sizeof in);
	CHECK_INT(in[2] << 8 | in[3], 24 + 1024);
	CHECK_INT(in[4], 1);
	CHECK_INT(in[sizeof in - 1], 0x77);
	size_t n = answer(s->way, out + 4);
	uint32_t len = (uint32_t)n;
	if (s->way == HUGE_ANSWER)
		len = 1u << 30;
	if (s->way == EMPTY_ANSWER)
		len = 0;
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)(len >> 8 * (3 - i));
	if (s->way == CUT)
		n /= 2;
	if (s->way != HANG_UP)
		(void)!send(fd, out, 4 + n, MSG_NOSIGNAL);
	return NULL;
}

static bool quote(enum way way, struct buf *out, struct err *e)
{
	struct service s = { .way = way, .path = "/tmp/donjon-qgs-XXXXXX" };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	uint8_t report[1024];
	auto_fd fd = -1;
	memset(report, 0x77, sizeof report);
	CHECK(mkdtemp(s.path) != NULL);
	memcpy(at.sun_path, s.path, strlen(s.path));
	memcpy(at.sun_path + strlen(s.path), "/s", 3);
	s.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(s.fd, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_INT(listen(s.fd, 1), 0);
	CHECK_INT(pthread_create(&s.thread, NULL, serve, &s), 0);
	CHECK(qgs_open(at.sun_path, &fd, e));
	bool ok = qgs_quote(fd, BYTES_ARRAY(report), out, e);
	cleanup_fd(&fd);
	fd = -1;
	pthread_join(s.thread, NULL);
	close(s.fd);
	unlink(at.sun_path);
	rmdir(s.path);
	return ok;
}

TEST(qgs_a_report_is_quoted)
{
	for (enum way way = GOOD; way <= GOOD_ID; way++) {
		auto_buf out = { 0 };
		struct err e = { 0 };
		if (!quote(way, &out, &e))
			fail_msg("%s", e.text);
		CHECK_INT(out.len, QUOTE);
		CHECK_INT(out.ptr[QUOTE - 1], 0x51);
	}
}

TEST(qgs_another_answer_is_no_quote)
{
	for (enum way way = REFUSED; way < WAYS; way++) {
		auto_buf out = { 0 };
		struct err e = { 0 };
		if (quote(way, &out, &e))
			fail_msg("way %d", (int)way);
		CHECK_INT(e.kind, ERR_HOST);
		CHECK_HAS(e.text, "quoting service: ");
		CHECK_INT(out.len, 0);
	}
}

TEST(qgs_refuses_every_truncation)
{
	static uint8_t in[24 + ID + QUOTE];
	struct bytes q;
	struct err e;
	size_t n = answer(GOOD_ID, in);
	CHECK(qgs_answer_parse(bytes_of(in, n), &q, &e));
	for (size_t i = 0; i < n; i++)
		CHECK(!qgs_answer_parse(bytes_of(in, i), &q, &e));
}

TEST(qgs_nobody_there_is_told)
{
	int fd = -1;
	struct err e = { 0 };
	char longer[200];
	CHECK(!qgs_open("/nonexistent/qgs", &fd, &e));
	CHECK_HAS(e.text, "quoting service at /nonexistent/qgs: No such file");
	CHECK(!qgs_open("vsock:2:1", &fd, &e));
	CHECK_HAS(e.text, "quoting service at vsock:2:1: ");
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	CHECK(!qgs_open(longer, &fd, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_INT(fd, -1);
}
