/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include "crypto/x509.h"

void end_make(struct end *x)
{
	auto_buf der = { 0 };
	struct err e;
	CHECK(crypto_key_generate(CRYPTO_P256, &x->key, &e));
	CHECK(crypto_key_fingerprint(x->key, x->hash, &e));
	CHECK(crypto_cert_make(x->key, "test", 0, 4102444800, NULL, 0, &der,
		&e));
	CHECK(channel_identity_new(x->key, buf_bytes(&der), &x->id, &e));
}

void end_fini(struct end *x)
{
	channel_identity_free(x->id);
	crypto_key_free(x->key);
}

void pair_make_expecting(struct pair *p, const uint8_t *keep,
	const uint8_t *owner)
{
	struct err e;
	*p = (struct pair){ 0 };
	end_make(&p->client);
	end_make(&p->keep);
	CHECK(channel_connect(p->client.id, keep ? keep : p->keep.hash, &p->c,
		&e));
	CHECK(channel_accept(p->keep.id, owner ? owner : p->client.hash, &p->k,
		&e));
}

void pair_make(struct pair *p)
{
	pair_make_expecting(p, NULL, NULL);
}

void pair_fini(struct pair *p)
{
	channel_free(p->c);
	channel_free(p->k);
	end_fini(&p->client);
	end_fini(&p->keep);
}

bool pair_carry_one(struct pair *p, struct channel *from, struct channel *to,
	struct err *e)
{
	for (;;) {
		struct bytes out = channel_output(from);
		size_t n = size_min(out.len, channel_input_room(to));
		if (p->step)
			n = size_min(n, p->step);
		if (!n)
			return true;
		/* An exact block: a read past its end is an address error. */
		uint8_t *copy = malloc(n);
		CHECK(copy != NULL);
		memcpy(copy, out.ptr, n);
		channel_output_done(from, n);
		p->carried += n;
		bool ok = channel_input(to, bytes_of(copy, n), e);
		free(copy);
		if (!ok)
			return false;
	}
}

void pair_carry(struct pair *p)
{
	uint64_t before;
	do {
		before = p->carried;
		if (p->keep_err.kind == ERR_NONE)
			(void)!pair_carry_one(p, p->c, p->k, &p->keep_err);
		if (p->client_err.kind == ERR_NONE)
			(void)!pair_carry_one(p, p->k, p->c, &p->client_err);
	} while (p->carried != before);
}

void pair_open(struct pair *p)
{
	pair_make(p);
	pair_carry(p);
	CHECK_STR(p->client_err.text, "");
	CHECK_STR(p->keep_err.text, "");
	CHECK_INT(channel_state(p->c), CHANNEL_OPEN);
	CHECK_INT(channel_state(p->k), CHANNEL_OPEN);
}

void pair_say(struct pair *p, enum frame_side side, enum frame_type type,
	struct bytes payload)
{
	struct channel *from = side == FRAME_FROM_CLIENT ? p->c : p->k;
	struct channel *to = side == FRAME_FROM_CLIENT ? p->k : p->c;
	struct frame f;
	struct err e = { 0 };
	bool got = false;
	if (!channel_send(from, type, payload, &e))
		fail_msg("send %s: %s", frame_type_name(type), e.text);
	for (int i = 0; i < 8 && !got; i++) {
		if (!pair_carry_one(p, from, to, &e) ||
			!channel_next(to, &f, &got, &e))
			fail_msg("take %s: %s", frame_type_name(type), e.text);
	}
	CHECK(got);
	CHECK_INT(f.type, type);
	CHECK(bytes_equal(f.payload, payload));
}

void pair_hello(struct pair *p, enum frame_role role)
{
	auto_buf client = { 0 };
	auto_buf keep = { 0 };
	CHECK(frame_hello_encode(role, &client));
	CHECK(frame_hello_encode(FRAME_ROLE_KEEP, &keep));
	pair_say(p, FRAME_FROM_CLIENT, FRAME_HELLO, buf_bytes(&client));
	pair_say(p, FRAME_FROM_KEEP, FRAME_HELLO, buf_bytes(&keep));
}

void pair_start(struct pair *p)
{
	struct frame_config config = { 0 };
	struct frame_module module = { 0 };
	auto_buf c = { 0 };
	auto_buf m = { 0 };
	pair_hello(p, FRAME_ROLE_DEPLOY);
	CHECK(frame_config_encode(&config, &c));
	pair_say(p, FRAME_FROM_CLIENT, FRAME_CONFIG, buf_bytes(&c));
	CHECK(frame_module_encode(&module, &m));
	pair_say(p, FRAME_FROM_CLIENT, FRAME_MODULE, buf_bytes(&m));
	pair_say(p, FRAME_FROM_CLIENT, FRAME_START, BYTES_NONE);
	pair_say(p, FRAME_FROM_KEEP, FRAME_START, BYTES_NONE);
}
