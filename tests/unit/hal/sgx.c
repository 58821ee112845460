/* SPDX-License-Identifier: Apache-2.0 */
/* An enclave on the software platform, and the shim in it. */
#include <asm/sgx.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "attest/measure.h"
#include "helpers/nest.h"
#include "helpers/vm.h"
#include "spec/sgx_enclave.h"

static const struct device_ops *first;

static void ends(enum guest what, const char *how)
{
	static struct place n;
	char why[128] = "";
	nest_open(&n, what);
	struct hal_keep *k = place_launch(&n);
	if (place_took(&n, k, why))
		fail_msg("it asked");
	if (!strstr(why, how))
		fail_msg("guest %d: \"%s\" does not mention \"%s\"", what, why,
			how);
	n.tech->destroy(k);
}

TEST(sgx_measures_both_images_as_a_verifier_does)
{
	static struct place n;
	uint8_t got[64] = { 0 }, want[64] = { 0 };
	size_t len = 0, other = 0;
	struct err e = { 0 };
	nest_open(&n, GUEST_QUIT);
	CHECK(n.tech->measure(&n.cfg, got, &len, &e));
	if (!attest_measure("sgx", n.images, want, &other, &e))
		fail_msg("%s", e.text);
	CHECK_INT(len, 32);
	CHECK_INT(other, 32);
	CHECK_MEM(got, want, 32);
}

TEST(sgx_keep_rings_and_goes_on_behind_the_answer)
{
	static struct place n;
	char why[128] = "";
	struct err e = { 0 };
	nest_open(&n, GUEST_RING);
	struct hal_keep *k = place_launch(&n);
	struct gate_area *a = n.tech->area(k);
	for (uint32_t i = 1; i <= 3; i++) {
		if (!place_took(&n, k, why))
			fail_msg("%s", why);
		CHECK_INT(a->request.op, GATE_TIME_HINT);
		CHECK_INT(a->request.seq, i);
		CHECK_INT(a->boot.tee, GATE_TEE_SGX);
		a->reply = (struct gate_reply){ .seq = i, .ret0 = i * 3 };
		CHECK(n.tech->resume(k, &e));
	}
	CHECK(!place_took(&n, k, why));
	CHECK_STR(why, "exit status 0");
	n.tech->destroy(k);
}

/* A processor without SGX2; a kernel that can't change pages. */
static int cpuid_without_edmm(struct device *d, uint32_t leaf, uint32_t sub,
	uint32_t out[4])
{
	int n = first->cpuid(d, leaf, sub, out);
	if (leaf == 0x12 && sub == 0)
		out[0] &= ~(2u | 1u << 11);
	return n;
}

static int ioctl_without_edmm(struct device *d, int handle,
	unsigned long request, void *arg)
{
	struct sgx_enclave_add_pages *a = arg;
	if (request == SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS)
		return -ENOTTY;
	/* What is in them is the host's choice. */
	if (request == SGX_IOC_ENCLAVE_ADD_PAGES &&
		!(a->flags & SGX_PAGE_MEASURE))
		memset((void *)(uintptr_t)a->src, 0xaa, a->length);
	return first->ioctl(d, handle, request, arg);
}

static struct device_ops without;

static const struct device_ops *old_processor(const struct device_ops *real)
{
	first = real;
	without = *real;
	without.cpuid = cpuid_without_edmm;
	return &without;
}

static const struct device_ops *old_kernel(const struct device_ops *real)
{
	first = real;
	without = *real;
	without.ioctl = ioctl_without_edmm;
	return &without;
}

static void runs_without_edmm(const struct device_ops *(*spy)(
				      const struct device_ops *),
	enum guest what)
{
	static struct place n;
	char why[128] = "";
	nest_open(&n, what);
	n.cfg.boot.memory_bytes = 48u << 20;
	place_spy = spy;
	struct hal_keep *k = place_launch(&n);
	place_spy = NULL;
	CHECK_INT(n.tech->area(k)->boot.memory_bytes, 48u << 20);
	while (place_took(&n, k, why))
		fail_msg("it rang");
	CHECK_STR(why, "exit status 0");
	n.tech->destroy(k);
}

TEST(sgx_without_a_kernel_that_changes_pages_memory_is_fixed_and_zero)
{
	runs_without_edmm(old_kernel, GUEST_FULL);
}

TEST(sgx_without_sgx2_memory_is_fixed)
{
	if (!getenv("DONJON_ALL"))
		SKIP_TEST("the other way to it only with DONJON_ALL=1");
	runs_without_edmm(old_processor, GUEST_FULL);
}

TEST(sgx_keep_lives_on_memory_time_and_randomness)
{
	ends(GUEST_LIVE, "exit status 0");
}

TEST(sgx_keep_finds_the_walls_of_its_shim)
{
	ends(GUEST_WALLS, "exit status 0");
}

TEST(sgx_keep_may_use_all_memory_that_was_promised)
{
	ends(GUEST_FULL, "exit status 0");
}

TEST(sgx_says_how_a_keep_died)
{
	static const struct {
		enum guest what;
		const char *how;
	} cases[] = { { GUEST_QUIT, "exit status 7" },
		{ GUEST_NULL, "page fault 0x6 at exec+0x" },
		{ GUEST_NULL, ", in the null page" },
		{ GUEST_WRITE_CODE, "page fault 0x8007 at exec+0x" },
		{ GUEST_RUN_DATA, "page fault 0x8015 at memory, in memory" },
		{ GUEST_OVERFLOW, " at exec+0x" },
		{ GUEST_UD, "exception 6, error 0x0, at exec+0x" },
		{ GUEST_DIVIDE, "exception 0, error 0x0, at exec+0x" },
		{ GUEST_HLT, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_OUT, "exception 6, error 0x0, at exec+0x" },
		{ GUEST_RDMSR, "exception 13, error 0x0, at exec+0x" },
		{ GUEST_INT80, "exception 13, error 0x" } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ends(cases[i].what, cases[i].how);
}

TEST(sgx_keep_ends_when_it_is_told_to_whatever_it_does)
{
	static const enum guest what[] = { GUEST_SPIN, GUEST_WAIT };
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		static struct place n;
		char why[128] = "";
		nest_open(&n, what[i]);
		struct hal_keep *k = place_launch(&n);
		if (what[i] == GUEST_WAIT)
			CHECK(place_took(&n, k, why));
		n.tech->destroy(k);
	}
}

TEST(sgx_keep_still_runs_when_its_loader_is_confined)
{
	static struct place n;
	char why[128] = "";
	nest_open(&n, GUEST_WAIT);
	pid_t child = fork();
	if (child == 0) {
		struct err e = { 0 };
		struct hal_keep *k = place_launch(&n);
		bool ok = n.tech->confine(k, &e) && place_took(&n, k, why);
		struct gate_area *a = n.tech->area(k);
		a->reply = (struct gate_reply){ .seq = 1, .ret0 = 3 };
		ok = ok && open("/dev/null", O_RDONLY) < 0 &&
			n.tech->resume(k, &e) && !place_took(&n, k, why);
		n.tech->destroy(k);
		_exit(ok && !strcmp(why, "exit status 98") ? 0 : 1);
	}
	int status = 0;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
}

TEST(sgx_evidence_is_for_reports_and_nothing_else)
{
	static struct place n;
	auto_buf ev = { 0 };
	auto_buf end = { 0 };
	struct err e = { 0 };
	static const uint8_t zeros[sizeof(struct sgx_report_mac)];
	nest_open(&n, GUEST_WAIT);
	struct hal_keep *k = place_launch(&n);
	CHECK(!n.tech->evidence(k, bytes_of(zeros, 64), &ev, &end, &e));
	CHECK_HAS(e.text, "64 bytes");
	CHECK(!n.tech->evidence(k, BYTES_ARRAY(zeros), &ev, &end, &e));
	CHECK_HAS(e.text, "of nobody");
	CHECK_INT(ev.len + end.len, 0);
	n.tech->destroy(k);
}

TEST(sgx_leaves_nothing_on_disk_but_its_two_keys)
{
	static struct place n;
	nest_open(&n, GUEST_QUIT);
	nest_forget();
}
