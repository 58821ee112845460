/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a KVM that runs code: here when there is one, else tests/e2e/
 * test_kvm.py runs this program where there is. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../fake/guest.h"
#include "../test.h"
#include "attest/measure.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/hal.h"
#include "spec/software.h"

struct place {
	char images[4096];
	char dir[64]; /* ours, for the root key */
	char root[96];
	struct hal_config cfg;
	const struct hal_tech *tech;
};

/* Skips where there is no such KVM. */
static void place_open(struct place *p, enum guest what)
{
	char self[2048] = "";
	struct err e = { 0 };
#if defined(__SANITIZE_ADDRESS__)
	SKIP_TEST("under a sanitizer exec is no static program");
#endif
	CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	*strrchr(self, '/') = '\0';
	fmt(p->images, sizeof p->images, "%s/../../fake/keep", self);
	fmt(p->dir, sizeof p->dir, "/tmp/donjon-hal-XXXXXX");
	p->cfg = (struct hal_config){ .image_dir = p->images,
		.root_path = p->root,
		.boot.memory_bytes = 64u << 20 };
	p->cfg.boot.nonce[0] = (uint8_t)what;
	memset(p->cfg.boot.owner_key_hash, 0x5a, 32);
	if (!hal_find("kvm", &p->cfg, &p->tech, &e))
		SKIP_TEST(e.text);
	CHECK(mkdtemp(p->dir));
	fmt(p->root, sizeof p->root, "%s/root.pem", p->dir);
}

static void place_close(struct place *p)
{
	unlink(p->root);
	CHECK_INT(rmdir(p->dir), 0);
}

static struct hal_keep *launch(struct place *p)
{
	struct hal_keep *k = NULL;
	struct err e = { 0 };
	if (!p->tech->launch(&p->cfg, &k, &e))
		fail_msg("%s", e.text);
	return k;
}

/* Waits for the Keep to ring or to go. */
static bool took(struct place *p, struct hal_keep *k, char why[128])
{
	bool gone = true;
	struct err e = { 0 };
	struct pollfd f = { .fd = p->tech->bell(k), .events = POLLIN };
	CHECK_INT(poll(&f, 1, -1), 1);
	CHECK(p->tech->take(k, &gone, why, &e));
	return !gone;
}

/* How it ends, when it never asks. */
static void ends(enum guest what, const char *how)
{
	struct place p;
	char why[128] = "";
	place_open(&p, what);
	struct hal_keep *k = launch(&p);
	if (took(&p, k, why))
		fail_msg("it asked");
	if (!strstr(why, how))
		fail_msg("\"%s\" does not mention \"%s\"", why, how);
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_measures_both_images_as_a_verifier_does)
{
	struct place p;
	uint8_t got[64] = { 0 }, want[64] = { 0 };
	size_t len = 0, n = 0;
	struct err e = { 0 };
	place_open(&p, GUEST_QUIT);
	CHECK(p.tech->measure(&p.cfg, got, &len, &e));
	if (!attest_measure("kvm", p.images, want, &n, &e))
		fail_msg("%s", e.text);
	CHECK_INT(len, 48);
	CHECK_INT(n, 48);
	CHECK_MEM(got, want, 48);
	place_close(&p);
}

TEST(kvm_evidence_names_what_runs_and_whom_it_obeys)
{
	struct place p;
	auto_buf ev = { 0 };
	auto_buf end = { 0 };
	struct err e = { 0 };
	uint8_t report[64], want[64];
	size_t n = 0;
	struct software_evidence s;
	memset(report, 7, sizeof report);
	place_open(&p, GUEST_WAIT);
	struct hal_keep *k = launch(&p);
	CHECK(p.tech->evidence(k, BYTES_ARRAY(report), &ev, &end, &e));
	CHECK_INT(ev.len, sizeof s);
	memcpy(&s, ev.ptr, sizeof s);
	CHECK(attest_measure("kvm", p.images, want, &n, &e));
	CHECK_MEM(s.measurement, want, 48);
	CHECK_MEM(s.report_data, report, 64);
	CHECK_MEM(s.owner_key_hash, p.cfg.boot.owner_key_hash, 32);
	CHECK_INT(s.tee, GATE_TEE_KVM);
	CHECK(!p.tech->evidence(k, bytes_of(report, 63), &ev, &end, &e));
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_keep_rings_and_goes_on_behind_the_answer)
{
	struct place p;
	char why[128] = "";
	place_open(&p, GUEST_RING);
	struct hal_keep *k = launch(&p);
	struct gate_area *a = p.tech->area(k);
	struct err e = { 0 };
	for (uint32_t i = 1; i <= 3; i++) {
		if (!took(&p, k, why))
			fail_msg("%s", why);
		CHECK_INT(a->request.op, GATE_TIME_HINT);
		CHECK_INT(a->request.seq, i);
		CHECK_INT(a->boot.tee, GATE_TEE_KVM);
		a->reply = (struct gate_reply){ .seq = i, .ret0 = i * 3 };
		CHECK(p.tech->resume(k, &e));
	}
	CHECK(!took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_keep_lives_on_memory_time_and_randomness)
{
	ends(GUEST_LIVE, "exit status 0");
}

TEST(kvm_keep_finds_the_walls_of_its_shim)
{
	ends(GUEST_WALLS, "exit status 0");
}

TEST(kvm_keep_may_use_all_memory_that_was_promised)
{
	ends(GUEST_FULL, "exit status 0");
}

TEST(kvm_says_how_a_keep_died)
{
	static const struct {
		enum guest what;
		const char *how;
	} cases[] = { { GUEST_QUIT, "exit status 7" },
		{ GUEST_NULL, "page fault 0x6 at exec+0x" },
		{ GUEST_NULL, ", in the null page" },
		{ GUEST_READ_SHIM, "page fault 0x5 at exec+0x" },
		{ GUEST_WRITE_CODE, "page fault 0x7 at exec+0x" },
		{ GUEST_RUN_DATA, "page fault 0x15 at memory, in memory" },
		{ GUEST_OVERFLOW, "page fault 0x6 at exec+0x" },
		{ GUEST_UD, "exception 6, error 0x0, at exec+0x" },
		{ GUEST_DIVIDE, "exception 0, error 0x0, at exec+0x" },
		{ GUEST_HLT, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_OUT, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_RDMSR, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_INT80, "exception 13, error 0x" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ends(cases[i].what, cases[i].how);
}

TEST(kvm_keep_ends_when_it_is_told_to_whatever_it_does)
{
	static const enum guest what[] = { GUEST_SPIN, GUEST_WAIT };
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		struct place p;
		char why[128] = "";
		place_open(&p, what[i]);
		struct hal_keep *k = launch(&p);
		if (what[i] == GUEST_WAIT)
			CHECK(took(&p, k, why));
		p.tech->destroy(k);
		place_close(&p);
	}
}

TEST(kvm_keep_still_runs_when_its_loader_is_confined)
{
	struct place p;
	char why[128] = "";
	place_open(&p, GUEST_WAIT);
	pid_t child = fork();
	if (child == 0) {
		struct err e = { 0 };
		struct hal_keep *k = launch(&p);
		bool ok = p.tech->confine(k, &e) && took(&p, k, why);
		struct gate_area *a = p.tech->area(k);
		a->reply = (struct gate_reply){ .seq = 1, .ret0 = 3 };
		ok = ok && open("/dev/null", O_RDONLY) < 0 &&
			p.tech->resume(k, &e) && !took(&p, k, why);
		p.tech->destroy(k);
		_exit(ok && !strcmp(why, "exit status 98") ? 0 : 1);
	}
	int status = 0;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	place_close(&p);
}
