/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../test.h"
#include "base/cleanup.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

enum { PATIENCE_S = 30 };

/* --- the Keep and its host ---------------------------------------------- */

/* The fourth part of PUBLISH is the certificate. */
static void take_face(struct lab *l)
{
	struct reader r = { .in = bytes_of(l->host.area->data,
				    l->host.area->request.data_len) };
	struct bytes part = BYTES_NONE;
	auto_buf spki = { .len = 0 };
	struct err e;
	for (int i = 0; i < 4; i++) {
		part = reader_take(&r, reader_u32le(&r));
		buf_put(&l->face[i], part);
	}
	bool ok = reader_done(&r) && crypto_cert_spki(part, &spki, &e) &&
		crypto_digest(CRYPTO_SHA256, buf_bytes(&spki), l->spki_hash,
			&e);
	pthread_mutex_lock(&l->lock);
	l->has_face = ok;
	pthread_cond_broadcast(&l->published);
	pthread_mutex_unlock(&l->lock);
}

static void watch(struct host *h, uint32_t op)
{
	struct lab *l = h->ctx;
	if (op == GATE_PUBLISH)
		take_face(l);
	if (l->lie)
		l->lie(h, op);
}

struct lab *lab_new(void)
{
	struct lab *l = calloc(1, sizeof *l);
	struct err e;
	assert_non_null(l);
	host_init(&l->host);
	l->host.ctx = l;
	l->host.lie = watch;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->published, NULL);
	CHECK(crypto_key_generate(CRYPTO_P256, &l->owner, &e));
	CHECK(crypto_key_fingerprint(l->owner,
		l->host.area->boot.owner_key_hash, &e));
	return l;
}

static void *live(void *ctx)
{
	struct lab *l = ctx;
	l->reason = keep_live(&l->keep, l->host.bell[0], l->host.area_fd, NULL,
		&l->e);
	keep_gate_exit(&l->keep.gate, l->reason);
	keep_fini(&l->keep);
	pthread_mutex_lock(&l->lock);
	__atomic_store_n(&l->over, true, __ATOMIC_SEQ_CST);
	l->has_face = true; /* nobody need wait for it any more */
	pthread_cond_broadcast(&l->published);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

void lab_start(struct lab *l)
{
	host_start(&l->host);
	CHECK(pthread_create(&l->thread, NULL, live, l) == 0);
}

enum gate_exit lab_join(struct lab *l)
{
	if (!l->joined)
		pthread_join(l->thread, NULL);
	l->joined = true;
	host_join(&l->host);
	return l->reason;
}

void lab_free(struct lab *l)
{
	if (!l->joined)
		shutdown(l->host.bell[0], SHUT_RDWR);
	lab_join(l);
	host_fini(&l->host);
	crypto_key_free(l->owner);
	for (int i = 0; i < 4; i++)
		buf_fini(&l->face[i]);
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->published);
	free(l);
}

/* --- a client ----------------------------------------------------------- */

struct client *client_new(struct lab *l, const struct crypto_key *key)
{
	struct client *c = calloc(1, sizeof *c);
	auto_buf cert = { .len = 0 };
	assert_non_null(c);
	pthread_mutex_lock(&l->lock);
	while (!l->has_face)
		pthread_cond_wait(&l->published, &l->lock);
	pthread_mutex_unlock(&l->lock);
	if (!key)
		key = l->owner;
	c->lab = l;
	c->fd = host_connect(&l->host);
	CHECK(crypto_cert_make(key, "owner", 0, 253402300799, NULL, 0, &cert,
		&c->e));
	CHECK(channel_identity_new(key, buf_bytes(&cert), &c->identity, &c->e));
	CHECK(channel_connect(c->identity, l->spki_hash, &c->channel, &c->e));
	return c;
}

void client_free(struct client *c)
{
	close(c->fd);
	channel_free(c->channel);
	channel_identity_free(c->identity);
	buf_fini(&c->out);
	buf_fini(&c->err);
	buf_fini(&c->results);
	buf_fini(&c->receipt);
	free(c);
}

static void on_result(struct client *c, struct bytes payload)
{
	struct frame_file f;
	CHECK(frame_file_parse(payload, &f, &c->e));
	buf_put(&c->results, f.path);
	buf_str(&c->results, f.directory ? "/\n" : "=");
	c->due = f.size;
	if (!f.directory && !f.size)
		buf_str(&c->results, "\n");
}

static void on_data(struct client *c, struct bytes payload)
{
	buf_put(&c->results, payload);
	c->due -= payload.len;
	if (!c->due)
		buf_str(&c->results, "\n");
}

static void on_frame(struct client *c, const struct frame *f)
{
	switch (f->type) {
	case FRAME_HELLO:
		c->greeted = true;
		break;
	case FRAME_START:
		c->started = true;
		break;
	case FRAME_STDOUT:
		buf_put(&c->out, f->payload);
		break;
	case FRAME_STDERR:
		buf_put(&c->err, f->payload);
		break;
	case FRAME_STATUS:
		CHECK(frame_status_parse(f->payload, &c->status, &c->e));
		c->started = true;
		break;
	case FRAME_FILE:
		on_result(c, f->payload);
		break;
	case FRAME_DATA:
		on_data(c, f->payload);
		break;
	case FRAME_RESULTS_END:
		c->results_end = true;
		break;
	case FRAME_RECEIPT:
		CHECK(buf_put(&c->receipt, f->payload));
		break;
	case FRAME_EXIT:
		CHECK(frame_exit_parse(f->payload, &c->exit, &c->e));
		c->exited = true;
		break;
	case FRAME_ERROR:
		CHECK(frame_error_parse(f->payload, &c->error, &c->e));
		break;
	default:
		break;
	}
}

static void flush(struct client *c)
{
	for (;;) {
		struct bytes out = channel_output(c->channel);
		if (!out.len)
			return;
		ssize_t n = send(c->fd, out.ptr, out.len,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			return;
		channel_output_done(c->channel, (size_t)n);
	}
}

static void take(struct client *c, struct bytes in)
{
	bool got = true;
	struct frame f;
	if (!channel_input(c->channel, in, &c->e)) {
		c->ended = true;
		return;
	}
	while (got) {
		if (!channel_next(c->channel, &f, &got, &c->e)) {
			c->ended = true;
			return;
		}
		if (got)
			on_frame(c, &f);
	}
	if (channel_state(c->channel) == CHANNEL_CLOSED)
		c->ended = true;
}

void client_turn(struct client *c, int ms)
{
	static uint8_t block[1 << 16];
	flush(c);
	bool out = channel_output(c->channel).len > 0;
	struct pollfd p = { c->fd, (short)(POLLIN | (out ? POLLOUT : 0)), 0 };
	poll(&p, 1, ms);
	ssize_t n = recv(c->fd, block, sizeof block, MSG_DONTWAIT);
	c->heard = n > 0;
	if (n > 0)
		take(c, bytes_of(block, (size_t)n));
	else if (n == 0)
		c->ended = true;
	flush(c);
}

void client_until(struct client *c, bool (*met)(const struct client *c))
{
	time_t end = time(NULL) + PATIENCE_S;
	while (!c->ended && !met(c)) {
		/* What it said before it ended is there by then. */
		bool over = __atomic_load_n(&c->lab->over, __ATOMIC_SEQ_CST);
		client_turn(c, over ? 0 : 20);
		c->ended |= over && !c->heard;
		if (time(NULL) > end)
			fail_msg("the Keep says nothing");
	}
}

bool client_handshaken(const struct client *c)
{
	return channel_state(c->channel) != CHANNEL_HANDSHAKE;
}

bool client_started(const struct client *c)
{
	return c->started;
}

bool client_over(const struct client *c)
{
	return c->exited || c->error.kind != ERR_NONE;
}

bool client_answered(const struct client *c)
{
	return c->started || client_over(c);
}

bool client_has_output(const struct client *c)
{
	return c->out.len > 0;
}

/* --- what it says ------------------------------------------------------- */

static bool has_room(const struct client *c)
{
	return channel_output_room(c->channel) > FRAME_MAX_PAYLOAD + 0x1000;
}

bool client_say(struct client *c, enum frame_type type, struct bytes payload)
{
	client_until(c, client_handshaken);
	client_until(c, has_room);
	bool ok = !c->ended && channel_send(c->channel, type, payload, &c->e);
	flush(c);
	return ok;
}

static bool say_buf(struct client *c, enum frame_type type, const struct buf *b)
{
	return client_say(c, type, buf_bytes(b));
}

void client_hello(struct client *c, enum frame_role role)
{
	auto_buf b = { .len = 0 };
	CHECK(frame_hello_encode(role, &b));
	say_buf(c, FRAME_HELLO, &b);
}

void client_config(struct client *c, const struct frame_config *cfg)
{
	auto_buf b = { .len = 0 };
	CHECK(frame_config_encode(cfg, &b));
	say_buf(c, FRAME_CONFIG, &b);
}

static void say_data(struct client *c, struct bytes in)
{
	while (in.len && !c->ended) {
		size_t n = size_min(in.len, FRAME_DATA_CHUNK);
		client_say(c, FRAME_DATA, bytes_of(in.ptr, n));
		in = bytes_from(in, n);
	}
}

void client_file(struct client *c, uint32_t mount, const char *path,
	struct bytes contents)
{
	auto_buf b = { .len = 0 };
	struct frame_file f = { .mount = mount,
		.size = contents.len,
		.path = bytes_str(path) };
	CHECK(crypto_digest(CRYPTO_SHA256, contents, f.sha256, &c->e));
	CHECK(frame_file_encode(&f, &b));
	say_buf(c, FRAME_FILE, &b);
	say_data(c, contents);
}

void client_module(struct client *c, struct bytes module)
{
	auto_buf b = { .len = 0 };
	struct frame_module m = { .size = module.len };
	CHECK(crypto_digest(CRYPTO_SHA256, module, m.sha256, &c->e));
	CHECK(frame_module_encode(&m, &b));
	say_buf(c, FRAME_MODULE, &b);
	say_data(c, module);
}

void client_start(struct client *c)
{
	client_say(c, FRAME_START, BYTES_NONE);
}

void client_signal(struct client *c, uint32_t signal)
{
	auto_buf b = { .len = 0 };
	buf_u32le(&b, signal);
	say_buf(c, FRAME_SIGNAL, &b);
}

void client_logs(struct client *c, uint64_t from)
{
	auto_buf b = { .len = 0 };
	buf_u64le(&b, from);
	say_buf(c, FRAME_LOGS, &b);
}

static bool has_credit(const struct client *c)
{
	return client_over(c) || channel_talk(c->channel)->credit > 0;
}

bool client_stdin(struct client *c, struct bytes in)
{
	while (in.len) {
		client_until(c, has_credit);
		if (c->ended || client_over(c))
			return false;
		size_t n = size_min(in.len, FRAME_DATA_CHUNK);
		n = size_min(n, channel_talk(c->channel)->credit);
		if (!client_say(c, FRAME_STDIN, bytes_of(in.ptr, n)))
			return false;
		in = bytes_from(in, n);
		client_turn(c, 0);
	}
	return true;
}

void client_stdin_end(struct client *c)
{
	client_say(c, FRAME_STDIN, BYTES_NONE);
}

struct client *client_deploy(struct lab *l, struct bytes module,
	const struct frame_config *cfg)
{
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_config(c, cfg);
	client_module(c, module);
	client_start(c);
	return c;
}

struct bytes program(const char *name)
{
	static struct buf contents;
	char self[400], path[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	buf_clear(&contents);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof path, "%s/../../wasm/%s.wasm", self, name);
	FILE *f = fopen(path, "rb");
	if (!f)
		SKIP_TEST("the programs of tests/wasm are not built");
	uint8_t *to = buf_reserve(&contents, 4 << 20);
	assert_non_null(to);
	buf_commit(&contents, fread(to, 1, 4 << 20, f));
	fclose(f);
	return buf_bytes(&contents);
}
