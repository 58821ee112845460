/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../fake/fake.h"
#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "hal/hal.h"
#include "spec/software.h"

struct place {
	char images[4096]; /* the stand-in for exec */
	char dir[64];	   /* ours, for the root key */
	char root[96];
};

static void place_open(struct place *p)
{
	char self[2048] = "";
	CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	*strrchr(self, '/') = '\0';
	fmt(p->images, sizeof p->images, "%s/../../fake/keep", self);
	fmt(p->dir, sizeof p->dir, "/tmp/donjon-hal-XXXXXX");
	CHECK(mkdtemp(p->dir));
	fmt(p->root, sizeof p->root, "%s/root.pem", p->dir);
}

static void place_close(struct place *p)
{
	unlink(p->root);
	CHECK_INT(rmdir(p->dir), 0);
}

static struct hal_config config(const struct place *p, enum fake what)
{
	struct hal_config cfg = { .image_dir = p->images,
		.root_path = p->root,
		.boot.memory_bytes = 256u << 20 };
	cfg.boot.nonce[0] = (uint8_t)what;
	memset(cfg.boot.owner_key_hash, 0x5a, 32);
	return cfg;
}

static const struct hal_tech *process(const struct hal_config *cfg)
{
	const struct hal_tech *t = NULL;
	struct err e = { 0 };
	if (!hal_find("process", cfg, &t, &e))
		fail_msg("%s", e.text);
	return t;
}

static struct hal_keep *launch(const struct hal_config *cfg)
{
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	if (!process(cfg)->launch(cfg, &k, &e))
		fail_msg("%s", e.text);
	return k;
}

/* Waits for the Keep to ring or to go. */
static bool took(const struct hal_tech *t, struct hal_keep *k, char why[128])
{
	bool gone = true;
	struct err e = { 0 };
	struct pollfd p = { .fd = t->bell(k), .events = POLLIN };
	CHECK_INT(poll(&p, 1, -1), 1);
	CHECK(t->take(k, &gone, why, &e));
	return !gone;
}

static void hash_file(const struct place *p, uint8_t out[48])
{
	char path[4200];
	auto_buf b = { 0 };
	fmt(path, sizeof path, "%s/process/exec", p->images);
	auto_fd fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	for (;;) {
		uint8_t *to = buf_reserve(&b, 1 << 20);
		CHECK(to != NULL);
		ssize_t n = read(fd, to, 1 << 20);
		CHECK(n >= 0);
		if (n == 0)
			break;
		buf_commit(&b, (size_t)n);
	}
	CHECK(crypto_digest(CRYPTO_SHA384, buf_bytes(&b), out, NULL));
}

TEST(process_measures_the_whole_image_file)
{
	struct place p;
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	uint8_t got[64] = { 0 }, want[48];
	size_t len = 0;
	struct err e = { 0 };
	CHECK(process(&cfg)->measure(&cfg, got, &len, &e));
	hash_file(&p, want);
	CHECK_INT(len, 48);
	CHECK_MEM(got, want, 48);
	place_close(&p);
}

TEST(process_keep_finds_its_boot_information_and_rings)
{
	struct place p;
	char why[128] = "";
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	const struct hal_tech *t = process(&cfg);
	struct hal_keep *k = launch(&cfg);
	CHECK(took(t, k, why));
	struct gate_area *a = t->area(k);
	CHECK_INT(a->magic, GATE_MAGIC);
	CHECK_INT(a->boot.tee, GATE_TEE_PROCESS);
	CHECK_INT(a->request.op, GATE_EVIDENCE);
	CHECK_INT(a->request.seq, 1);
	CHECK_INT(a->request.data_len, 64);
	t->destroy(k);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	CHECK_INT(errno, ECHILD);
	place_close(&p);
}

TEST(process_evidence_names_what_runs_and_whom_it_obeys)
{
	struct place p;
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	const struct hal_tech *t = process(&cfg);
	struct hal_keep *k = launch(&cfg);
	auto_buf ev = { 0 };
	auto_buf end = { 0 };
	struct err e = { 0 };
	uint8_t report[64], want[48];
	struct software_evidence s;
	memset(report, 7, sizeof report);
	CHECK(t->evidence(k, BYTES_ARRAY(report), &ev, &end, &e));
	CHECK_INT(ev.len, sizeof s);
	memcpy(&s, ev.ptr, sizeof s);
	hash_file(&p, want);
	CHECK_MEM(s.measurement, want, 48);
	CHECK_MEM(s.report_data, report, 64);
	CHECK_MEM(s.owner_key_hash, cfg.boot.owner_key_hash, 32);
	CHECK_INT(s.tee, GATE_TEE_PROCESS);
	CHECK_INT(s.flags, 0);
	CHECK(end.len > 0);
	CHECK(!t->evidence(k, bytes_of(report, 63), &ev, &end, &e));
	CHECK_STR(e.text, "evidence: report data of 63");
	t->destroy(k);
	place_close(&p);
}

TEST(process_says_how_a_keep_died)
{
	static const struct {
		enum fake what;
		const char *why;
	} cases[] = { { FAKE_CRASH, "killed by signal 11 (SIGSEGV)" },
		{ FAKE_QUIT, "exit status 7" },
		{ FAKE_DROP_BELL, "killed by signal 9 (SIGKILL)" } };
	struct place p;
	place_open(&p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char why[128] = "";
		struct hal_config cfg = config(&p, cases[i].what);
		const struct hal_tech *t = process(&cfg);
		struct hal_keep *k = launch(&cfg);
		CHECK(!took(t, k, why));
		CHECK_STR(why, cases[i].why);
		t->destroy(k);
	}
	place_close(&p);
}

TEST(process_keep_reaches_nothing_of_its_host)
{
	struct place p;
	char why[128] = "";
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_PROBE);
	const struct hal_tech *t = process(&cfg);
	struct hal_keep *k = launch(&cfg);
	if (!took(t, k, why))
		fail_msg("the stand-in could do what it must not: %s", why);
	CHECK_INT(t->area(k)->request.op, GATE_EXIT);
	t->destroy(k);
	place_close(&p);
}

TEST(process_keep_dies_with_its_loader)
{
	struct place p;
	int status = 0;
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	pid_t loader = fork();
	if (loader == 0) {
		launch(&cfg);
		_exit(0);
	}
	CHECK_INT(waitpid(loader, &status, 0), loader);
	CHECK_INT(status, 0);
	/* The orphan is ours now. */
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK(WIFSIGNALED(status) || WIFEXITED(status));
	CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
	place_close(&p);
}

/* In a process of its own: there is no way back from it. */
static int confined(const struct hal_config *cfg)
{
	struct hal_keep *k = launch(cfg);
	const struct hal_tech *t = process(cfg);
	struct err e = { 0 };
	auto_buf ev = { 0 };
	auto_buf end = { 0 };
	uint8_t report[64] = { 0 };
	char why[128] = "";
	if (!t->confine(k, &e))
		return 2;
	/* It still serves... */
	if (!took(t, k, why) || !t->resume(k, &e) ||
		!t->evidence(k, BYTES_ARRAY(report), &ev, &end, &e))
		return 3;
	t->destroy(k);
	if (waitpid(-1, NULL, WNOHANG) != -1)
		return 4;
#ifndef __SANITIZE_ADDRESS__
	/* ...and does nothing else. */
	if (open("/dev/null", O_RDONLY) >= 0 || fork() >= 0 || geteuid() == 0 ||
		prctl(PR_GET_DUMPABLE) == 1)
		return 5;
#endif
	return 0;
}

TEST(process_confines_the_loader_to_serving)
{
	struct place p;
	int status = 0;
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	pid_t child = fork();
	if (child == 0)
		_exit(confined(&cfg));
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	place_close(&p);
}

static void refuses_image(const void *bytes, size_t len, const char *what)
{
	struct place p;
	char dir[160], path[192];
	struct err e = { 0 };
	struct hal_keep *k = NULL;
	place_open(&p);
	fmt(dir, sizeof dir, "%s/process", p.dir);
	fmt(path, sizeof path, "%s/exec", dir);
	CHECK_INT(mkdir(dir, 0700), 0);
	int fd = open(path, O_WRONLY | O_CREAT, 0700);
	CHECK_INT(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	const struct hal_tech *t = process(&cfg);
	cfg.image_dir = p.dir;
	CHECK(!t->launch(&cfg, &k, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, "launch process: ");
	CHECK_HAS(e.text, what);
	CHECK(!k);
	unlink(path);
	rmdir(dir);
	place_close(&p);
}

TEST(process_refuses_an_image_that_is_no_program)
{
	uint8_t foreign[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	uint8_t empty_program[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	foreign[16] = 3;
	foreign[18] = 0xff;
	empty_program[16] = 3;
#ifdef __x86_64__
	empty_program[18] = 62;
#endif
	refuses_image("", 0, "exec: no image");
	refuses_image("#!/bin/sh\n", 10, "not an ELF file");
	refuses_image(foreign, sizeof foreign, "Exec format error");
	refuses_image(empty_program, sizeof empty_program, "exec");
}

TEST(process_refuses_a_root_that_others_may_read)
{
	struct place p;
	struct err e = { 0 };
	struct hal_keep *k = NULL;
	place_open(&p);
	struct hal_config cfg = config(&p, FAKE_ECHO);
	process(&cfg)->destroy(launch(&cfg));
	CHECK_INT(chmod(p.root, 0644), 0);
	CHECK(!process(&cfg)->launch(&cfg, &k, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	place_close(&p);
}
