/* SPDX-License-Identifier: Apache-2.0 */
#include "client/api.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "client/workload.h"
#include "net/http.h"

static const char keep[] =
	"{\"id\":\"0123456789abcdef0123456789abcdef\",\"tee\":\"process\","
	"\"state\":\"attested\",\"software\":true,\"created\":5,"
	"\"memory\":1024,\"later\":\"unknown members are a newer agent's\","
	"\"claims\":\"AQ==\",\"evidence\":\"Ag==\",\"endorsements\":\"Aw==\","
	"\"certificate\":\"BA==\"}";

TEST(keep_is_read_with_its_evidence)
{
	struct client_keep k;
	struct err e = { 0 };
	CHECK(client_keep_parse(bytes_str(keep), true, &k, &e));
	CHECK_STR(k.id, "0123456789abcdef0123456789abcdef");
	CHECK_STR(k.tee, "process");
	CHECK_STR(k.state, "attested");
	CHECK(k.software);
	CHECK_INT(k.memory, 1024);
	CHECK_INT(k.claims.len, 1);
	CHECK_INT(k.certificate.ptr[0], 4);
	client_keep_fini(&k);
}

TEST(keep_refuses_every_truncation)
{
	struct client_keep k;
	struct err e;
	for (size_t n = 0; n < strlen(keep); n++)
		CHECK(!client_keep_parse(bytes_of(keep, n), true, &k, &e));
}

TEST(keep_refuses_what_could_harm)
{
	static const char *const bad[] = { "[]", "{}", "null",
		"{\"id\":\"../../../../etc/passwd00000000000\","
		"\"tee\":\"process\",\"state\":\"attested\"}",
		"{\"id\":\"0123456789abcdef0123456789abcdef\","
		"\"tee\":\"\\u001b[31m\",\"state\":\"attested\"}",
		"{\"id\":\"0123456789abcdef0123456789abcdef\","
		"\"tee\":\"process\",\"state\":\"Attested\"}",
		"{\"id\":\"0123456789abcdef0123456789abcdef\","
		"\"tee\":\"process\",\"state\":\"attested\",\"memory\":-1}",
		"{\"id\":\"0123456789abcdef0123456789abcdef\","
		"\"tee\":\"process\",\"state\":\"attested\",\"reason\":7}" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct client_keep k;
		struct err e = { 0 };
		print_message("%s\n", bad[i]);
		CHECK(!client_keep_parse(bytes_str(bad[i]), false, &k, &e));
	}
}

TEST(keep_text_for_people_is_printable)
{
	struct client_keep k;
	struct err e = { 0 };
	CHECK(client_keep_parse(
		BYTES_LIT("{\"id\":\"0123456789abcdef0123456789abcdef\","
			  "\"tee\":\"process\",\"state\":\"ended\","
			  "\"reason\":\"a\\u001b[2J\\u00e9\"}"),
		false, &k, &e));
	for (const char *p = k.reason; *p; p++)
		CHECK(*p >= ' ' && *p <= '~');
	CHECK_INT(k.reason[0], 'a');
	client_keep_fini(&k);
}

TEST(keeps_are_a_list)
{
	struct client_keep *list;
	size_t count;
	struct err e = { 0 };
	CHECK(client_keeps_parse(
		BYTES_LIT("{\"keeps\":[{\"id\":"
			  "\"0123456789abcdef0123456789abcdef\",\"tee\":\"a\","
			  "\"state\":\"b\"}]}"),
		&list, &count, &e));
	CHECK_INT(count, 1);
	client_keeps_free(list, count);
	CHECK(!client_keeps_parse(BYTES_LIT("{}"), &list, &count, &e));
	CHECK(!client_keeps_parse(BYTES_LIT("{\"keeps\":[{}]}"), &list, &count,
		&e));
}

TEST(platform_is_read)
{
	struct client_platform p;
	struct err e = { 0 };
	CHECK(client_platform_parse(
		BYTES_LIT(
			"{\"version\":\"1\",\"software_root\":\"00010203040506"
			"0708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f\","
			"\"auto\":null,\"technologies\":[{\"name\":\"snp\","
			"\"available\":false,\"missing\":\"hardware\"}]}"),
		&p, &e));
	CHECK(p.has_root);
	CHECK_INT(p.software_root[31], 15);
	CHECK_STR(p.automatic, "");
	CHECK_STR(p.technologies[0].missing, "hardware");
	CHECK_HAS(buf_cstr(&p.json), "\"technologies\"");
	client_platform_fini(&p);
}

TEST(ports_that_no_host_gives_are_not_asked_for)
{
	/* Each is looked up among all: a stranger's "*" took half a minute. */
	static const char *const ports[] = { "1-64", "1-65", "*" };
	const struct net_http_config nowhere = { .url = "unix:///nonexistent/x",
		.cancel_fd = -1 };
	struct net_http *h;
	struct err e = { 0 };
	CHECK(net_http_open(&nowhere, &h, &e));
	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct client_workload w = { 0 };
		const struct client_ask ask = { .tee = "process",
			.platform = "auto",
			.workload = &w };
		CHECK(client_workload_allow(&w, false, ports[i], &e));
		CHECK(client_workload_allow(&w, false, "7", &e));
		CHECK(!client_api_ask(h, &ask, &e));
		CHECK_INT(e.kind, i ? ERR_INPUT : ERR_HOST);
		CHECK_HAS(e.text, i ? "64 ports" : "nonexistent");
		client_workload_fini(&w);
	}
	net_http_close(h);
}

/* --- a host that learns of a Keep's end later than its tenant ---------------
 */

#define ID "0123456789abcdef0123456789abcdef"

struct host {
	int listener;
	unsigned late; /* answers that know of no end */
	unsigned asked;
};

static void *play_host(void *arg)
{
	struct host *h = arg;
	char request[4096], body[200], answer[400];
	auto_fd s = accept(h->listener, NULL, NULL);
	while (recv(s, request, sizeof request, 0) > 0) {
		fmt(body, sizeof body,
			"{\"id\":\"" ID "\",\"tee\":\"process\","
			"\"state\":\"%s\",\"reason\":\"%s\"}",
			h->asked < h->late ? "attested" : "ended",
			h->asked < h->late ? "" : "crashed");
		fmt(answer, sizeof answer,
			"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
			strlen(body), body);
		h->asked++;
		CHECK(send(s, answer, strlen(answer), 0) > 0);
	}
	return NULL;
}

TEST(keep_that_was_cut_is_asked_for_until_its_host_knows_why)
{
	char folder[] = "/tmp/donjon-api-XXXXXX", url[128];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct host host = { .late = 3 };
	struct net_http *h;
	struct client_keep k;
	struct err e = { 0 };
	pthread_t thread;
	CHECK(mkdtemp(folder));
	fmt(at.sun_path, sizeof at.sun_path, "%s/s", folder);
	fmt(url, sizeof url, "unix://%s", at.sun_path);
	host.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_INT(bind(host.listener, (struct sockaddr *)&at, sizeof at), 0);
	CHECK_INT(listen(host.listener, 1), 0);
	CHECK_INT(pthread_create(&thread, NULL, play_host, &host), 0);
	const struct net_http_config cfg = { .url = url, .cancel_fd = -1 };
	CHECK(net_http_open(&cfg, &h, &e));
	if (!client_api_settled(h, ID, &k, &e))
		fail_msg("%s", e.text);
	CHECK_STR(k.state, "ended");
	CHECK_STR(k.reason, "crashed");
	client_keep_fini(&k);
	net_http_close(h);
	pthread_join(thread, NULL);
	CHECK_INT(host.asked, 4);
	close(host.listener);
	unlink(at.sun_path);
	rmdir(folder);
}
