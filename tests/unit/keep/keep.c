/* SPDX-License-Identifier: Apache-2.0 */
/* Whole Keeps, in this process: clients, programs, strangers, bad hosts. */
#include "keep/keep.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"
#include "attest/claims.h"
#include "attest/receipt.h"
#include "crypto/x509.h"
#include "helpers/client.h"

static struct bytes args[] = { BYTES_LIT("app"), BYTES_LIT("one"),
	BYTES_LIT("two words") };
static struct bytes env[] = { BYTES_LIT("A=1"), BYTES_LIT("B=x y") };

static struct lab *lab(void)
{
	struct lab *l = lab_new();
	lab_start(l);
	return l;
}

static struct frame_config with_args(size_t n)
{
	return (struct frame_config){ .args = args, .arg_count = n };
}

static void exits(struct client *c, enum frame_end end, uint32_t status)
{
	client_until(c, client_over);
	if (c->error.kind != ERR_NONE)
		fail_msg("the Keep refuses: %s", c->error.text);
	if (!c->exited)
		fail_msg("hung up without EXIT: %s", c->e.text);
	if (c->exit.end != end || c->exit.status != status)
		fail_msg("end %u, status %u: %s", c->exit.end, c->exit.status,
			c->exit.text);
}

static void refused(struct client *c, enum err_kind kind, const char *why)
{
	client_until(c, client_over);
	CHECK(!c->exited);
	CHECK_INT(c->error.kind, kind);
	CHECK_HAS(c->error.text, why);
}

/* --- identity ------------------------------------------------------------ */

TEST(a_keep_shows_its_claims_evidence_and_certificate)
{
	struct lab *l = lab_new();
	struct attest_claims claims;
	struct bytes evidence, inner;
	auto_buf tagged = { .len = 0 }, endorsements = { .len = 0 };
	uint32_t tag;
	struct err e;
	memset(l->host.area->boot.nonce, 0x5a, 32);
	lab_start(l);
	client_free(client_new(l, NULL));
	struct bytes cert = buf_bytes(&l->face[3]);
	CHECK(attest_claims_parse(buf_bytes(&l->face[0]), &claims, &e));
	CHECK_MEM(claims.spki_hash, l->spki_hash, 32);
	CHECK_MEM(claims.owner, l->host.area->boot.owner_key_hash, 32);
	for (int i = 0; i < 32; i++)
		CHECK_INT(claims.nonce[i], 0x5a);
	CHECK_STR(buf_cstr(&l->face[1]), "proof");
	CHECK_STR(buf_cstr(&l->face[2]), "root");
	CHECK(crypto_cert_ext(cert, ATTEST_OID_EVIDENCE, &tagged, &e));
	CHECK(attest_tagged_parse(buf_bytes(&tagged), &tag, &evidence, &inner,
		&e));
	CHECK_INT(tag, ATTEST_TAG_SOFTWARE);
	CHECK(bytes_equal(evidence, BYTES_LIT("proof")));
	CHECK(bytes_equal(inner, buf_bytes(&l->face[0])));
	CHECK(crypto_cert_ext(cert, ATTEST_OID_ENDORSEMENTS, &endorsements,
		&e));
	CHECK(bytes_equal(buf_bytes(&endorsements), BYTES_LIT("root")));
	lab_free(l);
}

TEST(each_keep_has_a_key_of_its_own)
{
	struct lab *one = lab(), *two = lab();
	client_free(client_new(one, NULL));
	client_free(client_new(two, NULL));
	CHECK(memcmp(one->spki_hash, two->spki_hash, 32) != 0);
	lab_free(one);
	lab_free(two);
}

/* --- programs ----------------------------------------------------------- */

TEST(a_program_gets_its_arguments_and_environment)
{
	struct bytes module = program("echoargs");
	struct lab *l = lab();
	struct frame_config cfg = with_args(3);
	cfg.env = env;
	cfg.env_count = 2;
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 2);
	CHECK(c->started);
	CHECK_STR(buf_cstr(&c->out),
		"arg one\narg two words\nenv A=1\nenv B=x y\n");
	CHECK_INT(c->exit.stdout_bytes, c->out.len);
	CHECK(c->exit.memory_peak > 0x10000);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	CHECK_INT(l->host.exit_reason, GATE_EXIT_DONE);
	lab_free(l);
}

TEST(bytes_pass_both_ways_unchanged)
{
	enum { SIZE = 3 << 20 };
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	uint8_t *in = malloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		in[i] = (uint8_t)(i * 7 >> 3);
	CHECK(client_stdin(c, bytes_of(in, SIZE)));
	client_stdin_end(c);
	exits(c, FRAME_END_EXITED, 0);
	CHECK_INT(c->out.len, SIZE);
	CHECK_MEM(c->out.ptr, in, SIZE);
	CHECK_STR(buf_cstr(&c->err), "3145728 bytes\n");
	CHECK_INT(c->exit.stdin_bytes, SIZE);
	CHECK_INT(c->exit.stderr_bytes, c->err.len);
	free(in);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

TEST(what_a_program_leaves_in_a_returned_mount_comes_back)
{
	struct bytes argv[] = { BYTES_LIT("files"), BYTES_LIT("/in/poem"),
		BYTES_LIT("/out/POEM") };
	struct frame_mount mounts[] = { { BYTES_LIT("/in"), false, false },
		{ BYTES_LIT("/out"), true, true } };
	struct frame_config cfg = { .args = argv,
		.arg_count = 3,
		.mounts = mounts,
		.mount_count = 2 };
	struct bytes module = program("files");
	struct lab *l = lab();
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_config(c, &cfg);
	client_file(c, 0, "poem", BYTES_LIT("roses\nare red\n"));
	client_file(c, 1, "kept", BYTES_NONE);
	client_module(c, module);
	client_start(c);
	exits(c, FRAME_END_EXITED, 0);
	CHECK_STR(buf_cstr(&c->out), "input read-only\n");
	CHECK(c->results_end);
	CHECK_HAS(buf_cstr(&c->results), "POEM=ROSES\nARE RED\n\n");
	CHECK_HAS(buf_cstr(&c->results), "kept=\n");
	CHECK_HAS(buf_cstr(&c->results), "POEM.d/\n");
	CHECK_HAS(buf_cstr(&c->results), "POEM.d/note=made in the Keep\n\n");
	CHECK(!strstr(buf_cstr(&c->results), "poem"));
	client_free(c);
	lab_free(l);
}

TEST(a_trap_is_told_with_its_stack)
{
	struct bytes module = program("trap");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_TRAPPED, 134);
	CHECK_HAS(c->exit.text, "unreachable");
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

TEST(a_program_that_computes_for_ever_can_be_interrupted)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	CHECK_STR(buf_cstr(&c->out), "spinning\n");
	client_signal(c, FRAME_SIGNAL_INTERRUPT);
	exits(c, FRAME_END_STOPPED, 130);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

TEST(time_runs_out)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.time_ns = 50000000;
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_TIMEOUT, 124);
	CHECK(c->exit.run_ns >= cfg.time_ns);
	client_free(c);
	/* And for one that waits. */
	l = (lab_free(l), lab());
	module = program("cat");
	c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_TIMEOUT, 124);
	client_free(c);
	lab_free(l);
}

TEST(fuel_runs_out)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.fuel = 2000000;
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_LIMIT, 124);
	CHECK_HAS(c->exit.text, "fuel");
	client_free(c);
	lab_free(l);
}

TEST(memory_ends_where_the_smaller_limit_says)
{
	struct bytes module = program("hog");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.memory_bytes = 8u << 20;
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 0);
	CHECK_HAS(buf_cstr(&c->out), "stopped after");
	CHECK(strtol(strstr(buf_cstr(&c->out), "after") + 6, NULL, 10) < 8);
	CHECK(c->exit.memory_peak <= 8u << 20);
	client_free(c);
	lab_free(l);
}

TEST(a_module_that_is_none_is_refused_to_its_owner)
{
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, BYTES_LIT("no wasm"), &cfg);
	exits(c, FRAME_END_REFUSED, 121);
	CHECK(c->exit.text[0]);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

TEST(a_module_without_start_is_refused)
{
	static const uint8_t empty[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, BYTES_ARRAY(empty), &cfg);
	exits(c, FRAME_END_REFUSED, 121);
	CHECK_HAS(c->exit.text, "_start");
	client_free(c);
	lab_free(l);
}

/* Its start function never returns. */
static const uint8_t start_loops[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, /**/
	1, 4, 1, 0x60, 0, 0,					     /**/
	3, 3, 2, 0, 0,						     /**/
	7, 10, 1, 6, '_', 's', 't', 'a', 'r', 't', 0, 1,	     /**/
	8, 1, 0,						     /**/
	10, 12, 2, 7, 0, 3, 0x40, 12, 0, 11, 11, 2, 0, 11 };

TEST(a_start_function_is_under_the_same_limits)
{
	struct frame_config cfg = with_args(1);
	struct lab *l = lab();
	struct client *c = client_deploy(l, BYTES_ARRAY(start_loops), &cfg);
	client_until(c, client_started);
	client_signal(c, FRAME_SIGNAL_INTERRUPT);
	exits(c, FRAME_END_STOPPED, 130);
	client_free(c);
	lab_free(l);
	cfg.fuel = 1000000;
	l = lab();
	c = client_deploy(l, BYTES_ARRAY(start_loops), &cfg);
	exits(c, FRAME_END_LIMIT, 124);
	client_free(c);
	lab_free(l);
}

TEST(a_module_with_unknown_imports_is_refused_by_their_name)
{
	/* (import "mars" "rover" (func)) */
	static const uint8_t imports[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, /**/
		1, 4, 1, 0x60, 0, 0,					 /**/
		2, 14, 1, 4, 'm', 'a', 'r', 's', 5, 'r', 'o', 'v', 'e', 'r', 0,
		0, /**/
		7, 10, 1, 6, '_', 's', 't', 'a', 'r', 't', 0, 0 };
	struct frame_config cfg = with_args(1);
	struct lab *l = lab();
	struct client *c = client_deploy(l, BYTES_ARRAY(imports), &cfg);
	exits(c, FRAME_END_REFUSED, 121);
	CHECK_HAS(c->exit.text, "mars");
	CHECK_HAS(c->exit.text, "rover");
	client_free(c);
	lab_free(l);
}

TEST(null_stdio_is_silent)
{
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.stdio[0] = cfg.stdio[1] = FRAME_STDIO_NULL;
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 0);
	CHECK_STR(buf_cstr(&c->out), "");
	CHECK_STR(buf_cstr(&c->err), "0 bytes\n");
	client_free(c);
	lab_free(l);
}

TEST(a_program_waits_for_a_slow_reader)
{
	enum { SIZE = 8 << 20 };
	struct bytes argv[] = { BYTES_LIT("source"), BYTES_LIT("8388608") };
	struct frame_config cfg = { .args = argv, .arg_count = 2 };
	struct bytes module = program("source");
	struct lab *l = lab();
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	/* Nobody reads: the Keep holds what its channel holds, no more. */
	usleep(100000);
	CHECK(l->keep.streams.each[1].bytes < SIZE);
	exits(c, FRAME_END_EXITED, 0);
	CHECK_INT(c->out.len, SIZE);
	for (size_t i = 0; i < SIZE; i += 997)
		CHECK_INT(c->out.ptr[i], (uint8_t)i);
	client_free(c);
	lab_free(l);
}

TEST(a_host_that_takes_a_few_bytes_at_a_time_is_only_slow)
{
	struct bytes module = program("echoargs");
	struct lab *l = lab_new();
	l->host.send_max = 7;
	lab_start(l);
	struct frame_config cfg = with_args(2);
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 1);
	CHECK_STR(buf_cstr(&c->out), "arg one\n");
	client_free(c);
	lab_free(l);
}

/* --- going, coming back -------------------------------------------------- */

TEST(a_client_that_vanishes_takes_its_program_along)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

static bool greeted(const struct client *c)
{
	return c->greeted;
}

TEST(a_client_that_vanishes_before_start_ends_the_keep)
{
	struct frame_config cfg = with_args(1);
	struct lab *l = lab();
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_until(c, greeted);
	client_config(c, &cfg);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

TEST(a_client_that_brought_nothing_may_come_again)
{
	struct bytes module = program("echoargs");
	struct frame_config cfg = with_args(1);
	struct lab *l = lab();
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_until(c, greeted);
	client_free(c);
	/* One that only stands there makes way, too. */
	struct client *idle = client_new(l, NULL);
	client_hello(idle, FRAME_ROLE_DEPLOY);
	client_until(idle, greeted);
	c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 0);
	refused(idle, ERR_DENIED, "another client deploys");
	client_free(c);
	client_free(idle);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

static struct frame_config detached_ticker(void)
{
	static struct bytes argv[] = { BYTES_LIT("ticker"), BYTES_LIT("3"),
		BYTES_LIT("30") };
	return (struct frame_config){ .args = argv,
		.arg_count = 3,
		.flags = FRAME_CONFIG_DETACHED };
}

TEST(a_detached_program_outlives_its_client_and_can_be_looked_at)
{
	struct bytes module = program("ticker");
	struct lab *l = lab();
	struct frame_config cfg = detached_ticker();
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_started);
	client_free(c);
	/* The log, from the start, to the end. */
	struct client *logs = client_new(l, NULL);
	client_hello(logs, FRAME_ROLE_LOGS);
	client_logs(logs, 0);
	exits(logs, FRAME_END_EXITED, 9);
	CHECK_STR(buf_cstr(&logs->out), "tick 0\ntick 1\ntick 2\n");
	client_free(logs);
	/* A part of it, after the end. */
	logs = client_new(l, NULL);
	client_hello(logs, FRAME_ROLE_LOGS);
	client_logs(logs, 7);
	exits(logs, FRAME_END_EXITED, 9);
	CHECK_STR(buf_cstr(&logs->out), "tick 1\ntick 2\n");
	CHECK_INT(logs->status.state, FRAME_RUN_ENDED);
	CHECK_INT(logs->status.status, 9);
	CHECK_INT(logs->status.log_end, 21);
	client_free(logs);
	/* How it ended, to who attaches late. */
	struct client *late = client_new(l, NULL);
	client_hello(late, FRAME_ROLE_ATTACH);
	exits(late, FRAME_END_EXITED, 9);
	client_free(late);
	struct client *stop = client_new(l, NULL);
	client_hello(stop, FRAME_ROLE_STOP);
	exits(stop, FRAME_END_EXITED, 9);
	client_free(stop);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

/* Signed by the Keep's key, and it says what EXIT says. */
static void has_receipt(struct lab *l, struct client *c)
{
	struct frame_receipt x;
	struct attest_receipt r;
	struct crypto_key *k;
	auto_buf spki = { 0 };
	CHECK(c->receipt.len);
	CHECK(frame_receipt_parse(buf_bytes(&c->receipt), &x, &c->e));
	CHECK(crypto_cert_spki(buf_bytes(&l->face[3]), &spki, &c->e));
	CHECK(crypto_key_from_spki(buf_bytes(&spki), &k, &c->e));
	CHECK(attest_receipt_verify(k, x.statement, x.signature, &c->e));
	crypto_key_free(k);
	CHECK(attest_receipt_parse(x.statement, &r, &c->e));
	CHECK_INT(r.status, c->exit.status);
	CHECK_INT(r.end, c->exit.end);
}

TEST(who_sees_the_end_of_a_detached_program_gets_its_receipt)
{
	struct bytes module = program("ticker");
	struct lab *l = lab();
	struct frame_config cfg = detached_ticker();
	cfg.flags |= FRAME_CONFIG_RECEIPT;
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_started);
	client_free(c);
	struct client *late = client_new(l, NULL);
	client_hello(late, FRAME_ROLE_ATTACH);
	exits(late, FRAME_END_EXITED, 9);
	has_receipt(l, late);
	client_free(late);
	struct client *stop = client_new(l, NULL);
	client_hello(stop, FRAME_ROLE_STOP);
	exits(stop, FRAME_END_EXITED, 9);
	has_receipt(l, stop);
	client_free(stop);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

TEST(who_stops_a_running_program_gets_its_receipt)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.flags = FRAME_CONFIG_DETACHED | FRAME_CONFIG_RECEIPT;
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	client_free(c);
	struct client *stop = client_new(l, NULL);
	client_hello(stop, FRAME_ROLE_STOP);
	exits(stop, FRAME_END_STOPPED, 143);
	has_receipt(l, stop);
	client_free(stop);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

TEST(a_running_program_is_stopped_by_its_owner_from_elsewhere)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.flags = FRAME_CONFIG_DETACHED;
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	struct client *stop = client_new(l, NULL);
	client_hello(stop, FRAME_ROLE_STOP);
	exits(stop, FRAME_END_STOPPED, 143);
	exits(c, FRAME_END_STOPPED, 143);
	client_free(stop);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_STOPPED);
	lab_free(l);
}

TEST(a_client_can_detach_and_another_take_over)
{
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	CHECK(client_stdin(c, BYTES_LIT("one ")));
	client_until(c, client_has_output);
	client_signal(c, FRAME_SIGNAL_DETACH);
	channel_close(c->channel);
	client_turn(c, 0);
	client_free(c);
	struct client *next = client_new(l, NULL);
	client_hello(next, FRAME_ROLE_ATTACH);
	client_until(next, client_started);
	CHECK_INT(next->status.state, FRAME_RUN_RUNNING);
	CHECK(client_stdin(next, BYTES_LIT("two")));
	client_stdin_end(next);
	exits(next, FRAME_END_EXITED, 0);
	CHECK_STR(buf_cstr(&next->out), "two");
	CHECK_STR(buf_cstr(&next->err), "7 bytes\n");
	client_free(next);
	lab_free(l);
}

TEST(a_detach_counts_when_its_client_is_gone_already)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	for (int i = 0; i < 10; i++) {
		struct client *c = client_deploy(l, module, &cfg);
		client_signal(c, FRAME_SIGNAL_DETACH);
		client_free(c);
		struct client *stop = NULL;
		do {
			if (stop)
				client_free(stop);
			stop = client_new(l, NULL);
			client_hello(stop, FRAME_ROLE_ATTACH);
			client_until(stop, client_answered);
		} while (!stop->started &&
			!__atomic_load_n(&l->over, __ATOMIC_SEQ_CST));
		CHECK_INT(stop->status.state, FRAME_RUN_RUNNING);
		client_signal(stop, FRAME_SIGNAL_TERMINATE);
		exits(stop, FRAME_END_STOPPED, 143);
		client_free(stop);
		lab_free(l);
		l = lab();
	}
	lab_free(l);
}

TEST(who_attaches_last_has_the_program)
{
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_started);
	struct client *next = client_new(l, NULL);
	client_hello(next, FRAME_ROLE_ATTACH);
	refused(c, ERR_DENIED, "another client attached");
	client_free(c);
	client_until(next, client_started);
	client_stdin_end(next);
	exits(next, FRAME_END_EXITED, 0);
	client_free(next);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

TEST(what_makes_no_sense_now_is_refused_and_harms_nothing)
{
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *early = client_new(l, NULL);
	client_hello(early, FRAME_ROLE_ATTACH);
	refused(early, ERR_INPUT, "no program runs");
	client_free(early);
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_started);
	struct client *second = client_new(l, NULL);
	client_hello(second, FRAME_ROLE_DEPLOY);
	refused(second, ERR_DENIED, "its workload already");
	client_free(second);
	struct client *logs = client_new(l, NULL);
	client_hello(logs, FRAME_ROLE_LOGS);
	refused(logs, ERR_INPUT, "not detached");
	client_free(logs);
	client_stdin_end(c);
	exits(c, FRAME_END_EXITED, 0);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

static void says_status(struct lab *l, enum frame_state_run state,
	uint32_t status)
{
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_STATUS);
	client_until(c, client_over);
	CHECK(c->ended && c->greeted && c->started);
	CHECK_INT(c->error.kind, ERR_NONE);
	CHECK_INT(c->status.state, state);
	CHECK_INT(c->status.status, status);
	CHECK(!c->exited && !c->out.len && !c->results_end);
	client_free(c);
}

TEST(who_asks_for_the_status_gets_it_at_any_time_and_nothing_else_happens)
{
	struct bytes module = program("ticker");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	says_status(l, FRAME_RUN_EMPTY, 0);
	/* Not detached: it has no log, but it has a status. */
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_config(c, &cfg);
	while (!c->greeted)
		client_turn(c, 10);
	says_status(l, FRAME_RUN_LOADING, 0);
	client_free(c);
	lab_free(l);
	l = lab();
	cfg = detached_ticker();
	c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	says_status(l, FRAME_RUN_RUNNING, 0);
	/* The streams are still with who had them. */
	exits(c, FRAME_END_EXITED, 9);
	client_free(c);
	says_status(l, FRAME_RUN_ENDED, 9);
	struct client *late = client_new(l, NULL);
	client_hello(late, FRAME_ROLE_ATTACH);
	exits(late, FRAME_END_EXITED, 9);
	client_free(late);
	lab_free(l);
}

TEST(a_keep_that_nobody_comes_to_ends)
{
	struct lab *l = lab_new();
	l->host.area->boot.owner_wait_ns = 20000000;
	lab_start(l);
	CHECK_INT(lab_join(l), GATE_EXIT_IDLE);
	CHECK_INT(l->host.exit_reason, GATE_EXIT_IDLE);
	lab_free(l);
}

TEST(a_detached_keep_whose_program_ended_goes_when_nobody_comes)
{
	struct bytes module = program("ticker");
	struct lab *l = lab_new();
	l->host.area->boot.owner_wait_ns = 200000000;
	lab_start(l);
	struct frame_config cfg = detached_ticker();
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 9);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

/* --- hostile peers ------------------------------------------------------- */

TEST(another_key_than_the_owners_gets_nothing)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct crypto_key *other = NULL;
	struct frame_config cfg = with_args(1);
	struct err e;
	cfg.flags = FRAME_CONFIG_DETACHED;
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	CHECK(crypto_key_generate(CRYPTO_P256, &other, &e));
	for (enum frame_role role = FRAME_ROLE_DEPLOY; role < FRAME_ROLE_COUNT;
		role++) {
		struct client *thief = client_new(l, other);
		client_hello(thief, role);
		client_until(thief, client_over);
		CHECK(thief->ended);
		CHECK(!thief->exited && !thief->started);
		CHECK_INT(thief->error.kind, ERR_NONE);
		client_free(thief);
	}
	crypto_key_free(other);
	/* The program runs on. */
	client_signal(c, FRAME_SIGNAL_TERMINATE);
	exits(c, FRAME_END_STOPPED, 143);
	client_free(c);
	lab_free(l);
}

TEST(noise_loses_its_own_connection_only)
{
	struct bytes module = program("echoargs");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	uint8_t noise[4096], b[64];
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * 131 + 17);
	int fd = host_connect(&l->host);
	CHECK(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
	while (recv(fd, b, sizeof b, 0) > 0)
		continue;
	close(fd);
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 0);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	lab_free(l);
}

TEST(strangers_who_say_nothing_do_not_keep_the_owner_out)
{
	enum { CROWD = 12 };
	struct bytes module = program("echoargs");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	int crowd[CROWD];
	for (int i = 0; i < CROWD; i++)
		crowd[i] = host_connect(&l->host);
	struct client *c = client_deploy(l, module, &cfg);
	exits(c, FRAME_END_EXITED, 0);
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_DONE);
	for (int i = 0; i < CROWD; i++)
		close(crowd[i]);
	lab_free(l);
}

TEST(a_deployer_who_breaks_the_protocol_is_told_and_ends_the_keep)
{
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_config(c, &cfg);
	client_file(c, 3, "x", BYTES_NONE);
	refused(c, ERR_INPUT, "FILE: no mount 3");
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_PROTOCOL);
	CHECK_INT(l->host.exit_reason, GATE_EXIT_PROTOCOL);
	lab_free(l);
}

TEST(an_unknown_signal_from_the_deployer_stops_its_program)
{
	struct bytes module = program("spin");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_has_output);
	client_signal(c, 99);
	refused(c, ERR_INPUT, "SIGNAL: 99");
	client_free(c);
	CHECK_INT(lab_join(l), GATE_EXIT_PROTOCOL);
	lab_free(l);
}

TEST(an_attached_client_who_breaks_the_protocol_loses_its_connection)
{
	struct bytes module = program("cat");
	struct lab *l = lab();
	struct frame_config cfg = with_args(1);
	cfg.flags = FRAME_CONFIG_DETACHED;
	struct client *c = client_deploy(l, module, &cfg);
	client_until(c, client_started);
	client_free(c);
	struct client *bad = client_new(l, NULL);
	client_hello(bad, FRAME_ROLE_ATTACH);
	client_until(bad, client_started);
	client_signal(bad, 99);
	refused(bad, ERR_INPUT, "SIGNAL: 99");
	client_free(bad);
	struct client *good = client_new(l, NULL);
	client_hello(good, FRAME_ROLE_ATTACH);
	client_until(good, client_started);
	client_stdin_end(good);
	exits(good, FRAME_END_EXITED, 0);
	client_free(good);
	lab_free(l);
}

/* --- hostile hosts ------------------------------------------------------- */

static uint32_t turn, bad_turn;

static void die_then(struct host *h, uint32_t op)
{
	(void)op;
	h->die = ++turn == bad_turn;
}

static void lie_then(struct host *h, uint32_t op)
{
	(void)op;
	if (++turn == bad_turn)
		h->area->reply.seq ^= 0x80;
}

/* One run with a host that turns bad at some request; true when it did. */
static bool run_with(void (*lie)(struct host *, uint32_t), uint32_t at,
	struct bytes module, bool expect_host)
{
	struct lab *l = lab_new();
	turn = 0;
	bad_turn = at;
	l->lie = lie;
	lab_start(l);
	struct frame_config cfg = with_args(2);
	struct client *c = client_new(l, NULL);
	client_hello(c, FRAME_ROLE_DEPLOY);
	client_config(c, &cfg);
	client_module(c, module);
	client_start(c);
	time_t end = time(NULL) + 20;
	while (!c->ended && !client_over(c) &&
		!__atomic_load_n(&l->over, __ATOMIC_SEQ_CST) &&
		time(NULL) < end)
		client_turn(c, 5);
	client_free(c);
	enum gate_exit reason = lab_join(l);
	bool turned = turn >= at;
	if (turned && expect_host)
		CHECK_INT(reason, GATE_EXIT_HOST);
	if (!turned)
		CHECK_INT(reason, GATE_EXIT_DONE);
	lab_free(l);
	return turned;
}

TEST(a_host_that_dies_at_any_request_ends_the_keep)
{
	struct bytes module = program("echoargs");
	uint32_t at = 1;
	while (at < 200 && run_with(die_then, at, module, true))
		at++;
	CHECK(at > 6 && at < 200);
}

TEST(a_host_that_lies_at_any_request_ends_the_keep)
{
	struct bytes module = program("echoargs");
	uint32_t at = 1;
	while (at < 200 && run_with(lie_then, at, module, true))
		at++;
	CHECK(at > 6 && at < 200);
}
