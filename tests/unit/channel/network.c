/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../test.h"
#include "channel/frame.h"

#define SPAN(s)                                     \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define HASH32 "0123456789abcdef0123456789abcdef"

static struct frame_mount mounts[] = { { .guest = SPAN("/data") },
	{ .guest = SPAN("/out"), .writable = true } };
static struct frame_fd fds[] = {
	{ .kind = FRAME_FD_STDIN },
	{ .kind = FRAME_FD_STDOUT },
	{ .kind = FRAME_FD_NULL },
	{ .kind = FRAME_FD_LISTEN,
		.flags = FRAME_FD_NONBLOCK,
		.prot = FRAME_PROT_TLS,
		.profile = 1,
		.number = 8443 },
	{ .kind = FRAME_FD_MOUNT, .number = 1 },
	{ .kind = FRAME_FD_CONNECT,
		.prot = FRAME_PROT_TCP,
		.number = 65535,
		.host = SPAN("db.example") },
	{ .kind = FRAME_FD_MOUNT, .number = 0 },
};
static struct frame_rule connects[] = {
	{ .prot = FRAME_PROT_TCP,
		.first = 1,
		.last = 65535,
		.host = SPAN("*.example") },
	{ .prot = FRAME_PROT_TLS,
		.profile = 0,
		.first = 443,
		.last = 443,
		.host = SPAN("10.0.0.0/8") },
};
static struct frame_rule listens[] = {
	{ .prot = FRAME_PROT_TCP, .first = 80, .last = 81 },
};
static struct frame_tls profiles[] = {
	{ .flags = FRAME_TLS_TRUST },
	{ .flags = FRAME_TLS_REQUEST | FRAME_TLS_REQUIRE | FRAME_TLS_ATTESTED,
		.pins = SPAN(HASH32 HASH32),
		.alpn = SPAN("\2h2\10http/1.1"),
		.owners = SPAN(HASH32),
		.policy = SPAN("policy"),
		.chain = SPAN("chain"),
		.key = SPAN("key") },
};

static struct frame_config whole(void)
{
	return (struct frame_config){
		.mounts = mounts,
		.mount_count = ARRAY_LEN(mounts),
		.fds = fds,
		.fd_count = ARRAY_LEN(fds),
		.connects = connects,
		.connect_count = ARRAY_LEN(connects),
		.listens = listens,
		.listen_count = ARRAY_LEN(listens),
		.profiles = profiles,
		.profile_count = ARRAY_LEN(profiles),
	};
}

/* From an exact heap block, so that a read past the end is found. */
static bool parse(struct bytes in, struct err *e)
{
	struct frame_config c;
	uint8_t *copy = malloc(in.len ? in.len : 1);
	memcpy(copy, in.ptr, in.len);
	bool ok = frame_config_parse(bytes_of(copy, in.len), &c, e);
	if (ok)
		frame_config_fini(&c);
	free(copy);
	return ok;
}

TEST(a_network_comes_back)
{
	struct frame_config in = whole(), c;
	struct err e;
	auto_buf b = { 0 }, again = { 0 };
	CHECK(frame_config_encode(&in, &b));
	CHECK_INT(b.ptr[0], 2);
	CHECK(frame_config_parse(buf_bytes(&b), &c, &e));
	CHECK_INT(c.fd_count, ARRAY_LEN(fds));
	CHECK_INT(c.fds[3].number, 8443);
	CHECK_INT(c.fds[3].flags, FRAME_FD_NONBLOCK);
	CHECK(bytes_equal(c.fds[5].host, BYTES_LIT("db.example")));
	CHECK_INT(c.connects[1].first, 443);
	CHECK(bytes_equal(c.profiles[1].alpn, profiles[1].alpn));
	CHECK(frame_config_encode(&c, &again));
	CHECK(bytes_equal(buf_bytes(&b), buf_bytes(&again)));
	frame_config_fini(&c);
}

TEST(a_network_cut_anywhere_or_longer_is_refused)
{
	struct frame_config in = whole();
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_config_encode(&in, &b));
	CHECK(parse(buf_bytes(&b), &e));
	for (size_t n = 0; n < b.len; n++)
		CHECK(!parse(bytes_of(b.ptr, n), &e));
	CHECK(buf_u8(&b, 0));
	CHECK(!parse(buf_bytes(&b), &e));
}

/* One thing wrong at a time; `says` names it. */
static void check_refused(void (*spoil)(struct frame_config *c),
	const char *says)
{
	struct frame_fd f[ARRAY_LEN(fds)];
	struct frame_rule on[ARRAY_LEN(connects)], at[ARRAY_LEN(listens)];
	struct frame_tls t[ARRAY_LEN(profiles)];
	struct frame_config c = whole();
	struct err e = { 0 };
	auto_buf b = { 0 };
	memcpy(f, fds, sizeof f);
	memcpy(on, connects, sizeof on);
	memcpy(at, listens, sizeof at);
	memcpy(t, profiles, sizeof t);
	c.fds = f;
	c.connects = on;
	c.listens = at;
	c.profiles = t;
	spoil(&c);
	print_message("%s\n", says);
	CHECK(frame_config_encode(&c, &b));
	CHECK(!parse(buf_bytes(&b), &e));
	CHECK_INT(e.kind, ERR_INPUT);
	CHECK_HAS(e.text, says);
}

#define SPOIL(name, what)                                \
	static void spoil_##name(struct frame_config *c) \
	{                                                \
		what;                                    \
	}
SPOIL(kind, c->fds[0].kind = FRAME_FD_COUNT)
SPOIL(number, c->fds[1].number = 1)
SPOIL(flags, c->fds[1].flags = 1)
SPOIL(host, c->fds[3].host = c->fds[5].host)
SPOIL(port, c->fds[3].number = 0)
SPOIL(socket_flags, c->fds[3].flags = 2)
SPOIL(prot, c->fds[3].prot = 3)
SPOIL(tcp_profile, c->fds[5].profile = 1)
SPOIL(space, c->fds[5].host = BYTES_LIT("a b"))
SPOIL(no_host, c->fds[5].host = BYTES_NONE)
SPOIL(mount, c->fds[4].number = 2)
SPOIL(twice, c->fds[4].number = 0)
SPOIL(lost, c->fds[4] = c->fds[0])
SPOIL(profile, c->fds[3].profile = 2)
SPOIL(rule_profile, c->connects[1].profile = 9)
SPOIL(range, c->connects[0].last = 0)
SPOIL(zero, c->listens[0].first = 0)
SPOIL(listen_host, c->listens[0].host = c->fds[5].host)
SPOIL(nul, c->connects[1].host = BYTES_LIT("a\0b"))
SPOIL(tls_flags, c->profiles[0].flags = 0x10)
SPOIL(require, c->profiles[0].flags = FRAME_TLS_REQUIRE)
SPOIL(policy, c->profiles[0].policy = BYTES_LIT("x"))
SPOIL(pins, c->profiles[1].pins.len = 33)
SPOIL(alpn, c->profiles[1].alpn = BYTES_LIT("\3h2"))
SPOIL(alpn_empty, c->profiles[1].alpn = BYTES_LIT("\2h2\0"))
SPOIL(key, c->profiles[1].key = BYTES_NONE)
SPOIL(stdio, c->stdio[1] = FRAME_STDIO_NULL)

TEST(what_no_keep_could_do_is_refused_by_name)
{
	check_refused(spoil_kind, "descriptor 0");
	check_refused(spoil_number, "descriptor 1");
	check_refused(spoil_flags, "descriptor 1");
	check_refused(spoil_host, "descriptor 3");
	check_refused(spoil_port, "descriptor 3");
	check_refused(spoil_socket_flags, "descriptor 3");
	check_refused(spoil_prot, "descriptor 3");
	check_refused(spoil_tcp_profile, "descriptor 5");
	check_refused(spoil_space, "descriptor 5");
	check_refused(spoil_no_host, "descriptor 5");
	check_refused(spoil_mount, "each mount");
	check_refused(spoil_twice, "each mount");
	check_refused(spoil_lost, "each mount");
	check_refused(spoil_profile, "no such TLS profile");
	check_refused(spoil_rule_profile, "no such TLS profile");
	check_refused(spoil_range, "entry 0 of connect rules");
	check_refused(spoil_zero, "entry 0 of listen rules");
	check_refused(spoil_listen_host, "entry 0 of listen rules");
	check_refused(spoil_nul, "entry 1 of connect rules");
	check_refused(spoil_tls_flags, "TLS profile 0");
	check_refused(spoil_require, "TLS profile 0");
	check_refused(spoil_policy, "TLS profile 0");
	check_refused(spoil_pins, "TLS profile 1");
	check_refused(spoil_alpn, "TLS profile 1");
	check_refused(spoil_alpn_empty, "TLS profile 1");
	check_refused(spoil_key, "TLS profile 1");
	check_refused(spoil_stdio, "stdio beside");
}

TEST(a_network_beyond_a_limit_is_not_encoded)
{
	static struct frame_fd many[FRAME_MAX_FDS + 1];
	static struct frame_rule rules[FRAME_MAX_RULES + 1];
	static struct frame_tls terms[FRAME_MAX_PROFILES + 1];
	auto_buf b = { 0 };
	struct frame_config c = { .fds = many, .fd_count = FRAME_MAX_FDS };
	CHECK(frame_config_encode(&c, &b));
	CHECK(parse(buf_bytes(&b), NULL));
	c.fd_count++;
	CHECK(!frame_config_encode(&c, &b));
	c.fd_count = 1;
	c.listens = c.connects = rules;
	c.listen_count = FRAME_MAX_RULES + 1;
	CHECK(!frame_config_encode(&c, &b));
	c.listen_count = 0;
	c.connect_count = FRAME_MAX_RULES + 1;
	CHECK(!frame_config_encode(&c, &b));
	c.connect_count = 0;
	c.profiles = terms;
	c.profile_count = FRAME_MAX_PROFILES + 1;
	CHECK(!frame_config_encode(&c, &b));
}

TEST(trust_comes_back_and_is_bounded)
{
	struct frame_trust t = { .size = FRAME_MAX_TRUST, .profile = 15 }, u;
	struct err e;
	auto_buf b = { 0 };
	memset(t.sha256, 7, sizeof t.sha256);
	CHECK(frame_trust_encode(&t, &b));
	CHECK_INT(b.len, 44);
	CHECK(frame_trust_parse(buf_bytes(&b), &u, &e));
	CHECK(u.size == t.size && u.profile == 15);
	CHECK_MEM(u.sha256, t.sha256, 32);
	CHECK(!frame_trust_parse(bytes_of(b.ptr, 43), &u, &e));
	b.ptr[40] = 16;
	CHECK(!frame_trust_parse(buf_bytes(&b), &u, &e));
	CHECK_HAS(e.text, "profile 16");
	t.size++;
	CHECK(!frame_trust_encode(&t, &b));
	t.size--;
	t.profile = 16;
	CHECK(!frame_trust_encode(&t, &b));
}

TEST(a_secret_is_a_file)
{
	struct frame_file f = { .secret = true, .path = BYTES_LIT("key") }, g;
	struct err e;
	auto_buf b = { 0 };
	CHECK(frame_file_encode(&f, &b));
	CHECK(frame_file_parse(buf_bytes(&b), &g, &e));
	CHECK(g.secret && !g.directory);
	b.ptr[5] |= 0x40;
	CHECK(!frame_file_parse(buf_bytes(&b), &g, &e));
	f.directory = true;
	CHECK(!frame_file_encode(&f, &b));
}
