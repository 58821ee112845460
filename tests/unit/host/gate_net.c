/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"
#include "base/fmt.h"
#include "helpers/scene.h"

static uint32_t connect_to(struct scene *s, const char *target)
{
	memcpy(s->area->data, target, strlen(target));
	return scene_ask(s, GATE_CONNECT, 0, 0, (uint32_t)strlen(target));
}

/* A port of the loopback interface that listens, *fd, or did. */
static uint16_t loopback(int *fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	*fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
	CHECK_INT(listen(*fd, 4), 0);
	CHECK_INT(getsockname(*fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

TEST(gate_connects_where_it_was_granted)
{
	int fd;
	uint16_t port = loopback(&fd);
	char name[32], text[4];
	fmt(name, sizeof name, "127.0.0.1:%u", port);
	struct net_rule rule;
	struct scene s = { 0 };
	CHECK(net_rule_parse(name, &rule, &s.e));
	const struct gate_grants grants = { .connect = &rule,
		.connect_count = 1 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(connect_to(&s, "127.0.0.1:1"), GATE_DENIED);
	CHECK_INT(connect_to(&s, name), GATE_OK);
	uint32_t h = (uint32_t)s.area->reply.ret0;
	int peer = accept(fd, NULL, NULL);
	CHECK(peer >= 0);
	scene_wait_for(&s, h, GATE_OUT, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_OUT);
	memcpy(s.area->data, "ping", 4);
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 4), GATE_OK);
	CHECK_INT(read(peer, text, 4), 4);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, h, 0, 0), GATE_OK);
	CHECK_INT(s.closed, 0);
	memcpy(s.area->data, "127.0.0.1", 9);
	CHECK_INT(scene_ask(&s, GATE_RESOLVE, 0, 0, 9), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 16);
	CHECK_MEM(s.area->data, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	close(peer);
	close(fd);
	scene_close(&s);
}

TEST(gate_answers_for_addresses_without_looking_them_up)
{
	struct net_rule rule;
	struct scene s = { 0 };
	CHECK(net_rule_parse("10.0.0.0/8:80", &rule, &s.e));
	const struct gate_grants grants = { .connect = &rule,
		.connect_count = 1 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	memcpy(s.area->data, "10.1.2.3", 8);
	CHECK_INT(scene_ask(&s, GATE_RESOLVE, 0, 0, 8), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 16);
	memcpy(s.area->data, "11.1.2.3", 8);
	CHECK_INT(scene_ask(&s, GATE_RESOLVE, 0, 0, 8), GATE_DENIED);
	scene_close(&s);
}

static uint32_t resolve(struct scene *s, const char *name)
{
	memcpy(s->area->data, name, strlen(name));
	return scene_ask(s, GATE_RESOLVE, 0, 0, (uint32_t)strlen(name));
}

/* An answer of one address, 127.0.0.1 or the first of a public network. */
static enum gate_turn answer(struct scene *s, bool public)
{
	enum gate_turn turn = GATE_TURN_END;
	struct gate_answer a = { .id = s->asked, .count = 1 };
	CHECK(net_address_parse(bytes_str(public ? "8.0.0.1" : "127.0.0.1"),
		&a.address[0]));
	gate_serve_answer(s->g, &a, &turn);
	return turn;
}

TEST(gate_looks_names_up_without_keeping_the_keep_waiting)
{
	struct net_rule rules[2];
	struct scene s = { .names = true };
	CHECK(net_rule_parse("*.example:80", &rules[0], &s.e));
	CHECK(net_rule_parse("home:80", &rules[1], &s.e));
	const struct gate_grants grants = { .connect = rules,
		.connect_count = 2 };
	scene_open(&s, &grants, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(resolve(&s, "other"), GATE_DENIED);
	CHECK_INT(resolve(&s, "a.example"), GATE_AGAIN);
	CHECK_STR(s.log, "a.example");
	CHECK_INT(resolve(&s, "a.example"), GATE_AGAIN);
	scene_wait_for(&s, l, GATE_IN, UINT64_MAX);
	/* The wait ends with nothing ready; then the answer is there. */
	CHECK_INT(answer(&s, true), GATE_TURN_KEEP);
	CHECK_INT(s.area->reply.ret0, 0);
	CHECK_INT(resolve(&s, "a.example"), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 16);
	/* What anybody may say of a name is not believed of private places,
	 * unless the operator named that name. */
	CHECK_INT(resolve(&s, "b.example"), GATE_AGAIN);
	CHECK_INT(answer(&s, false), GATE_TURN_WAIT);
	CHECK_INT(resolve(&s, "b.example"), GATE_DENIED);
	CHECK_INT(resolve(&s, "home"), GATE_AGAIN);
	CHECK_INT(answer(&s, false), GATE_TURN_WAIT);
	CHECK_INT(resolve(&s, "home"), GATE_OK);
	/* Nobody has that name. */
	CHECK_INT(resolve(&s, "home"), GATE_AGAIN);
	const struct gate_answer none = { .id = s.asked };
	enum gate_turn turn;
	gate_serve_answer(s.g, &none, &turn);
	CHECK_INT(resolve(&s, "home"), GATE_NAME);
	scene_close(&s);
}

TEST(gate_wakes_a_keep_whose_answer_came_before_it_waited)
{
	struct net_rule rule;
	struct scene s = { .names = true };
	CHECK(net_rule_parse("*:80", &rule, &s.e));
	const struct gate_grants grants = { .connect = &rule,
		.connect_count = 1 };
	scene_open(&s, &grants, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(resolve(&s, "a.example"), GATE_AGAIN);
	CHECK_INT(answer(&s, true), GATE_TURN_WAIT);
	scene_wait_for(&s, l, GATE_IN, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(s.area->reply.ret0, 0);
	/* Once: a program that never asks again may wait for other things. */
	scene_wait_for(&s, l, GATE_IN, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
	scene_close(&s);
}

TEST(gate_looks_up_only_so_many_names_at_once)
{
	struct net_rule rule;
	struct scene s = { .names = true };
	char name[16];
	CHECK(net_rule_parse("*:80", &rule, &s.e));
	const struct gate_grants grants = { .connect = &rule,
		.connect_count = 1 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	for (int i = 0; i < 8; i++) {
		fmt(name, sizeof name, "host%d", i);
		CHECK_INT(resolve(&s, name), GATE_AGAIN);
	}
	CHECK_INT(resolve(&s, "one-more"), GATE_LIMIT);
	answer(&s, true);
	CHECK_INT(resolve(&s, "host7"), GATE_OK);
	CHECK_INT(resolve(&s, "one-more"), GATE_AGAIN);
	scene_close(&s);
}

TEST(gate_dials_names_and_tells_why_it_could_not)
{
	int fd;
	uint16_t port = loopback(&fd);
	char name[32];
	struct net_rule rules[2];
	struct scene s = { .names = true };
	fmt(name, sizeof name, "home:%u", port);
	CHECK(net_rule_parse("home:*", &rules[0], &s.e));
	CHECK(net_rule_parse("*:*", &rules[1], &s.e));
	const struct gate_grants grants = { .connect = rules,
		.connect_count = 2 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(connect_to(&s, name), GATE_OK);
	uint32_t h = (uint32_t)s.area->reply.ret0;
	/* Until it is there, there is nothing. */
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 1), GATE_AGAIN);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, 1, 0), GATE_AGAIN);
	CHECK_INT(scene_ask(&s, GATE_SHUTDOWN, h, GATE_SHUT_WRITE, 0),
		GATE_CLOSED);
	scene_wait_for(&s, h, GATE_IN | GATE_OUT, UINT64_MAX);
	CHECK_INT(answer(&s, false), GATE_TURN_WAIT);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_OUT);
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 1), GATE_OK);
	close(fd);
	/* Nobody listens there any more. */
	CHECK_INT(connect_to(&s, name), GATE_OK);
	h = (uint32_t)s.area->reply.ret0;
	scene_wait_for(&s, h, GATE_OUT, UINT64_MAX);
	answer(&s, false);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_HUP);
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 1), GATE_REFUSED);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, h, 0, 0), GATE_OK);
	/* A name that leads somewhere private without being trusted. */
	CHECK_INT(connect_to(&s, "evil.example:80"), GATE_OK);
	h = (uint32_t)s.area->reply.ret0;
	answer(&s, false);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, 1, 0), GATE_DENIED);
	scene_close(&s);
}

TEST(gate_dials_no_names_without_anybody_to_ask)
{
	struct net_rule rule;
	struct scene s = { 0 };
	CHECK(net_rule_parse("any", &rule, &s.e));
	const struct gate_grants grants = { .connect = &rule,
		.connect_count = 1 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(connect_to(&s, "name:80"), GATE_NAME);
	CHECK_INT(resolve(&s, "name"), GATE_NAME);
	CHECK_INT(connect_to(&s, "127.0.0.1"), GATE_NAME);
	CHECK_INT(connect_to(&s, "127.0.0.1:0"), GATE_NAME);
	CHECK_INT(connect_to(&s, "127.0.0.1:65536"), GATE_NAME);
	CHECK_INT(connect_to(&s, "127.0.0.1:1x"), GATE_NAME);
	scene_close(&s);
}

static uint32_t accept_from(struct scene *s, uint32_t l,
	const struct sockaddr_in *a, int *peer)
{
	*peer = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(connect(*peer, (const struct sockaddr *)a, sizeof *a), 0);
	return scene_ask(s, GATE_ACCEPT, l, 0, 0);
}

TEST(gate_keeps_connections_and_bytes_within_the_grants)
{
	int fd, peers[3];
	uint16_t port = loopback(&fd);
	close(fd);
	const struct gate_port ports[] = { { .port = port } };
	const struct gate_grants grants = { .ports = ports,
		.port_count = 1,
		.max_streams = 2,
		.max_bytes = 5 };
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct scene s = { 0 };
	char text[8];
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_TCP, port, 0),
		GATE_OK);
	uint32_t l = (uint32_t)s.area->reply.ret0;
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_TCP, port, 0),
		GATE_LIMIT);
	CHECK_INT(accept_from(&s, l, &a, &peers[0]), GATE_OK);
	uint32_t h = (uint32_t)s.area->reply.ret0;
	CHECK_INT(accept_from(&s, l, &a, &peers[1]), GATE_OK);
	uint32_t k = (uint32_t)s.area->reply.ret0;
	CHECK_INT(accept_from(&s, l, &a, &peers[2]), GATE_AGAIN);
	/* A listener without room keeps quiet, or a Keep would spin. */
	scene_wait_for(&s, l, GATE_IN, 0);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), 0);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, h, 0, 0), GATE_OK);
	scene_wait_for(&s, l, GATE_IN, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_IN);
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
	/* Bytes of both ways count together. */
	CHECK_INT(scene_ask(&s, GATE_SEND, k, 0, 3), GATE_OK);
	CHECK_INT(write(peers[1], "abcd", 4), 4);
	CHECK_INT(scene_ask(&s, GATE_RECV, k, 9, 0), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 2);
	CHECK_INT(scene_ask(&s, GATE_RECV, k, 9, 0), GATE_LIMIT);
	CHECK_INT(scene_ask(&s, GATE_SEND, k, 0, 1), GATE_LIMIT);
	CHECK_INT(read(peers[1], text, sizeof text), 3);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		close(peers[i]);
	scene_close(&s);
}

TEST(gate_listens_again_on_a_port_that_was_closed)
{
	int fd, peer;
	uint16_t port = loopback(&fd);
	close(fd);
	struct gate_port ports[] = { { .port = port } };
	CHECK(net_address_parse(BYTES_LIT("127.0.0.1"), &ports[0].address));
	const struct gate_grants grants = { .ports = ports, .port_count = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct scene s = { 0 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	for (int i = 0; i < 2; i++) {
		peer = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect(peer, (struct sockaddr *)&a, sizeof a) != 0);
		close(peer);
		CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_TCP, port, 0),
			GATE_OK);
		uint32_t l = (uint32_t)s.area->reply.ret0;
		CHECK_INT(accept_from(&s, l, &a, &peer), GATE_OK);
		close(peer);
		CHECK_INT(scene_ask(&s, GATE_CLOSE, l, 0, 0), GATE_OK);
	}
	scene_close(&s);
}

TEST(gate_does_not_begin_without_its_ports)
{
	int fd;
	struct err e = { 0 };
	struct gate_area *area = calloc(1, sizeof *area);
	const struct gate_sink sink = { 0 };
	struct gate_port port = { .port = loopback(&fd) };
	struct gate_serve *g;
	CHECK(net_address_parse(BYTES_LIT("127.0.0.1"), &port.address));
	const struct gate_grants grants = { .ports = &port, .port_count = 1 };
	CHECK(!gate_serve_new(area, &sink, &grants, &g, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "port");
	close(fd);
	free(area);
}

TEST(gate_listens_where_it_was_granted)
{
	int fd;
	uint16_t port = loopback(&fd);
	close(fd);
	const struct gate_port ports[] = { { .port = port } };
	const struct gate_grants grants = { .ports = ports, .port_count = 1 };
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct scene s = { 0 };
	scene_open(&s, &grants, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_TCP, port, 0),
		GATE_OK);
	uint32_t l = (uint32_t)s.area->reply.ret0;
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_AGAIN);
	int peer = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_INT(connect(peer, (struct sockaddr *)&a, sizeof a), 0);
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
	CHECK_INT(scene_ask(&s, GATE_RECV, s.area->reply.ret0, 1, 0),
		GATE_AGAIN);
	close(peer);
	scene_close(&s);
}
