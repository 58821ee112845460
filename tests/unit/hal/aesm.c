/* SPDX-License-Identifier: Apache-2.0 */
/* Against a daemon of our own that answers well, or badly in one way. */
#include "hal/aesm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "aesm.pb-c.h"
#include "base/cleanup.h"

enum way {
	GOOD,
	NO_KEYS,
	MANY_KEYS,
	FEW_BYTES,
	EPID_ONLY,
	KEY_ERROR,
	OTHER_ANSWER,
	SHORT_TARGET,
	NO_TARGET,
	NO_CERTIFICATE,
	HUGE_QUOTE,
	NO_SIZE,
	LONG_QUOTE,
	EMPTY_QUOTE,
	QUOTE_ERROR,
	GARBAGE,
	HUGE_ANSWER,
	EMPTY_ANSWER,
	HANG_UP,
	CUT,
	WAYS,
};

struct daemon {
	int fd;
	enum way way;
	char path[64];
	pthread_t thread;
	unsigned requests;
};

static void get(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = read(fd, (uint8_t *)to + at, n - at);
		if (k <= 0)
			return;
		at += (size_t)k;
	}
}

static void reply(struct daemon *d, int fd, const Aesm__Response *r)
{
	static uint8_t out[200000];
	uint32_t n = (uint32_t)aesm__response__pack(r, out);
	uint32_t len = n;
	bool last = d->requests >= 5;
	if (last && d->way == GARBAGE)
		memset(out, 0xff, n);
	if (last && d->way == HUGE_ANSWER)
		len = 1u << 30;
	if (last && d->way == EMPTY_ANSWER)
		len = n = 0;
	if (last && d->way == HANG_UP)
		return;
	if (last && d->way == CUT)
		n /= 2;
	/* Whoever does not like the length is gone by then. */
	CHECK_INT(send(fd, &len, sizeof len, MSG_NOSIGNAL), sizeof len);
	if (n && send(fd, out, n, MSG_NOSIGNAL) < 0)
		CHECK(last);
}

static void on_keys(struct daemon *d, int fd, const Aesm__Request *q)
{
	static uint8_t ids[2 * AESM_KEY_ID_BYTES];
	Aesm__Response r = AESM__RESPONSE__INIT;
	Aesm__Response__KeyCount c = AESM__RESPONSE__KEY_COUNT__INIT;
	Aesm__Response__Keys k = AESM__RESPONSE__KEYS__INIT;
	memset(ids, 0x11, sizeof ids);
	memset(ids + 154, 0, 4);
	memset(ids + AESM_KEY_ID_BYTES + 154, 0, 4);
	ids[AESM_KEY_ID_BYTES + 154] = d->way == EPID_ONLY ? 0 : 2;
	ids[AESM_KEY_ID_BYTES] = 0x77;
	c.error = d->way == KEY_ERROR ? 42 : 0;
	c.has_count = true;
	c.count = d->way == NO_KEYS ? 0 : d->way == MANY_KEYS ? 1000000 : 2;
	k.error = 0;
	k.has_ids = true;
	k.ids = (ProtobufCBinaryData){ sizeof ids - (d->way == FEW_BYTES),
		ids };
	if (q->key_count)
		r.key_count = &c;
	else
		r.keys = &k;
	reply(d, fd, &r);
}

static void on_target(struct daemon *d, int fd, const Aesm__Request *q)
{
	static uint8_t target[512];
	Aesm__Response r = AESM__RESPONSE__INIT;
	Aesm__Response__InitQuote s = AESM__RESPONSE__INIT_QUOTE__INIT;
	CHECK_INT(q->init_quote->key_id.data[0], 0x77);
	memset(target, 0x33, sizeof target);
	s.error = d->way == NO_CERTIFICATE ? 44 : 0;
	s.has_key_bytes = true;
	s.key_bytes = 32;
	s.has_target = q->init_quote->with_key && d->way != NO_TARGET;
	s.target =
		(ProtobufCBinaryData){ sizeof target - (d->way == SHORT_TARGET),
			target };
	r.init_quote = &s;
	if (q->init_quote->with_key)
		CHECK_INT(q->init_quote->buffer, 32);
	reply(d, fd, &r);
}

static void on_quote(struct daemon *d, int fd, const Aesm__Request *q)
{
	static uint8_t quote[5000];
	Aesm__Response r = AESM__RESPONSE__INIT;
	Aesm__Response__QuoteSize s = AESM__RESPONSE__QUOTE_SIZE__INIT;
	Aesm__Response__Quote a = AESM__RESPONSE__QUOTE__INIT;
	s.error = a.error = 0;
	s.has_bytes = true;
	s.bytes = d->way == HUGE_QUOTE ? 1u << 24 :
		d->way == NO_SIZE      ? 0 :
					 4600;
	a.error = d->way == QUOTE_ERROR ? 12 : 0;
	a.has_quote = d->way != EMPTY_QUOTE;
	memset(quote, 0x55, sizeof quote);
	a.quote = (ProtobufCBinaryData){ d->way == LONG_QUOTE ? 5000u : 4600u,
		quote };
	if (q->quote)
		r.quote = &a;
	else
		r.quote_size = &s;
	if (q->quote && d->way == OTHER_ANSWER) {
		r.quote = NULL;
		r.quote_size = &s;
	}
	if (q->quote) {
		CHECK_INT(q->quote->report.len, 432);
		CHECK_INT(q->quote->report.data[0], 0x99);
		CHECK_INT(q->quote->buffer, 4600);
	}
	reply(d, fd, &r);
}

static void *serve(void *arg)
{
	struct daemon *d = arg;
	static uint8_t in[4096];
	for (;;) {
		uint32_t len = 0;
		auto_fd fd = accept(d->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		get(fd, &len, sizeof len);
		if (len == 0 || len > sizeof in)
			continue;
		get(fd, in, len);
		Aesm__Request *q = aesm__request__unpack(NULL, len, in);
		CHECK(q);
		d->requests++;
		if (q->key_count || q->keys)
			on_keys(d, fd, q);
		else if (q->init_quote)
			on_target(d, fd, q);
		else
			on_quote(d, fd, q);
		aesm__request__free_unpacked(q, NULL);
	}
}

static void daemon_start(struct daemon *d, enum way way)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	*d = (struct daemon){ .way = way };
	snprintf(d->path, sizeof d->path, "/tmp/donjon-aesm-%d", (int)getpid());
	unlink(d->path);
	memcpy(at.sun_path, d->path, strlen(d->path));
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(d->fd >= 0);
	CHECK_INT(bind(d->fd, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_INT(listen(d->fd, 8), 0);
	CHECK_INT(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void daemon_stop(struct daemon *d)
{
	shutdown(d->fd, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->fd);
	unlink(d->path);
}

/* What came of it; "" when there is a quote. */
static void try_way(enum way way, struct err *e, struct buf *quote)
{
	struct daemon d;
	struct aesm a = { .quote = -1 };
	uint8_t target[512] = { 0 }, report[432];
	memset(report, 0x99, sizeof report);
	*e = (struct err){ 0 };
	daemon_start(&d, way);
	if (aesm_open(d.path, &a, target, e)) {
		CHECK_INT(target[0], 0x33);
		CHECK_INT(target[511], 0x33);
		bool ok = aesm_quote(&a, BYTES_ARRAY(report), quote, e);
		CHECK(ok == (way == GOOD));
		CHECK(!aesm_quote(&a, BYTES_ARRAY(report), quote, NULL));
	} else {
		CHECK(way != GOOD);
	}
	aesm_close(&a);
	daemon_stop(&d);
}

TEST(aesm_gives_a_target_and_a_quote)
{
	struct err e;
	auto_buf quote = { .len = 0 };
	try_way(GOOD, &e, &quote);
	CHECK_INT(quote.len, 4600);
	CHECK_INT(quote.ptr[4599], 0x55);
}

TEST(aesm_that_answers_badly_is_named_and_gives_nothing)
{
	static const struct {
		enum way way;
		const char *what;
	} rows[] = {
		{ NO_KEYS, "0 keys" },
		{ MANY_KEYS, "1000000 keys" },
		{ FEW_BYTES, "511 bytes for 2 keys" },
		{ EPID_ONLY, "no ECDSA key" },
		{ KEY_ERROR, "libsgx-quote-ex" },
		{ OTHER_ANSWER, "another answer" },
		{ SHORT_TARGET, "a target of 511" },
		{ NO_TARGET, "a target of 0" },
		{ NO_CERTIFICATE, "no PCK certificate" },
		{ HUGE_QUOTE, "a quote of 16777216" },
		{ NO_SIZE, "a quote of 0" },
		{ LONG_QUOTE, "5000 bytes of 4600" },
		{ EMPTY_QUOTE, "0 bytes of 4600" },
		{ QUOTE_ERROR, "PCCS" },
		{ GARBAGE, "an answer that is none" },
		{ HUGE_ANSWER, "an answer of 1073741824 bytes" },
		{ EMPTY_ANSWER, "an answer of 0 bytes" },
		{ HANG_UP, "hung up" },
		{ CUT, "hung up" },
	};
	_Static_assert(ARRAY_LEN(rows) == WAYS - 1, "each way");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		auto_buf quote = { .len = 0 };
		try_way(rows[i].way, &e, &quote);
		CHECK_HAS(e.text, rows[i].what);
		CHECK_INT(quote.len, 0);
	}
}

TEST(aesm_that_is_not_there_is_named)
{
	struct err e = { 0 };
	CHECK(!aesm_probe("/nowhere/aesm.socket", &e));
	CHECK_HAS(e.text, "/nowhere/aesm.socket");
}
