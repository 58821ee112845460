/* SPDX-License-Identifier: Apache-2.0 */
/* tests/e2e/test_kvm.py runs this program on a real KVM, too. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "attest/measure.h"
#include "base/cleanup.h"
#include "hal/vm_priv.h"
#include "helpers/vm.h"
#include "spec/software.h"

TEST(kvm_measures_both_images_as_a_verifier_does)
{
	struct place p;
	uint8_t got[64] = { 0 }, want[64] = { 0 };
	size_t len = 0, n = 0;
	struct err e = { 0 };
	place_open(&p, "kvm", GUEST_QUIT);
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
	place_open(&p, "kvm", GUEST_WAIT);
	struct hal_keep *k = place_launch(&p);
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
	place_open(&p, "kvm", GUEST_RING);
	struct hal_keep *k = place_launch(&p);
	struct gate_area *a = p.tech->area(k);
	struct err e = { 0 };
	for (uint32_t i = 1; i <= 3; i++) {
		if (!place_took(&p, k, why))
			fail_msg("%s", why);
		CHECK_INT(a->request.op, GATE_TIME_HINT);
		CHECK_INT(a->request.seq, i);
		CHECK_INT(a->boot.tee, GATE_TEE_KVM);
		a->reply = (struct gate_reply){ .seq = i, .ret0 = i * 3 };
		CHECK(p.tech->resume(k, &e));
	}
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_keep_lives_on_memory_time_and_randomness)
{
	place_ends("kvm", GUEST_LIVE, "exit status 0");
}

TEST(kvm_keep_finds_the_walls_of_its_shim)
{
	place_ends("kvm", GUEST_WALLS, "exit status 0");
}

TEST(kvm_keep_may_use_all_memory_that_was_promised)
{
	place_ends("kvm", GUEST_FULL, "exit status 0");
}

static const struct device_ops *real;
static size_t dropped;

static void count_drop(struct device *d, void *at, size_t len)
{
	real->memory_drop(d, at, len);
	for (size_t i = 0; i < len; i += PAGE_BYTES)
		CHECK_INT(((const uint8_t *)at)[i], 0);
	dropped += len;
}

static const struct device_ops *spy(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.memory_drop = count_drop;
	return &mine;
}

TEST(kvm_keep_gives_back_memory_that_it_needs_no_more)
{
	struct place p;
	char why[128] = "";
	place_open(&p, "kvm", GUEST_FULL);
	dropped = 0;
	place_spy = spy;
	struct hal_keep *k = place_launch(&p);
	place_spy = NULL;
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "exit status 0");
	/* Of 64 MiB, all but some. */
	CHECK(dropped >= 40u << 20);
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_images_window_and_what_is_no_memory_are_never_dropped)
{
	enum { BLOCK = VM_IMAGE_ALIGN };
	/* Images end in block 4. */
	const struct vm_machine m = { .ram_bytes = 20 * BLOCK,
		.images.end = 3 * BLOCK + PAGE_BYTES };
	const uint64_t ram = VM_RAM_GPA;
	CHECK(vm_machine_may_drop(&m, ram + 4 * BLOCK, 16 * BLOCK));
	CHECK(vm_machine_may_drop(&m, ram + 19 * BLOCK, BLOCK));
	const struct {
		uint64_t gpa, bytes;
	} wrong[] = { { ram + 3 * BLOCK, BLOCK }, { ram, 20 * BLOCK },
		{ VM_WINDOW_GPA, BLOCK }, { 0, BLOCK },
		{ ram + 4 * BLOCK, 17 * BLOCK }, { ram + 20 * BLOCK, BLOCK },
		{ ram + 4 * BLOCK, 0 }, { ram + 4 * BLOCK, PAGE_BYTES },
		{ ram + 4 * BLOCK + PAGE_BYTES, BLOCK },
		{ ram + 4 * BLOCK, -(uint64_t)BLOCK },
		{ -(uint64_t)BLOCK, 2 * BLOCK } };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK(!vm_machine_may_drop(&m, wrong[i].gpa, wrong[i].bytes));
}

/* --- a host that starts the shim again ---------------------------------------
 */

static struct kvm_sregs first_sregs;
static struct kvm_regs first_regs;
static struct device *machine;
static int processor;

static int remember(struct device *d, int handle, unsigned long request,
	void *arg)
{
	if (request == KVM_SET_SREGS)
		memcpy(&first_sregs, arg, sizeof first_sregs);
	if (request == KVM_SET_REGS) {
		memcpy(&first_regs, arg, sizeof first_regs);
		machine = d;
		processor = handle;
	}
	return real->ioctl(d, handle, request, arg);
}

static const struct device_ops *spy_registers(const struct device_ops *ops)
{
	static struct device_ops mine;
	real = ops;
	mine = *ops;
	mine.ioctl = remember;
	return &mine;
}

TEST(kvm_shim_is_entered_once)
{
	struct place p;
	char why[128] = "";
	struct err e = { 0 };
	place_open(&p, "kvm", GUEST_RING);
	place_spy = spy_registers;
	struct hal_keep *k = place_launch(&p);
	place_spy = NULL;
	CHECK(place_took(&p, k, why));
	/* The state that it was launched with, and where. */
	CHECK_INT(real->ioctl(machine, processor, KVM_SET_SREGS, &first_sregs),
		0);
	CHECK_INT(real->ioctl(machine, processor, KVM_SET_REGS, &first_regs),
		0);
	CHECK(p.tech->resume(k, &e));
	CHECK(!place_took(&p, k, why));
	CHECK_STR(why, "halted (5)");
	p.tech->destroy(k);
	place_close(&p);
}

TEST(kvm_says_how_a_keep_died)
{
	place_deaths("kvm");
}

TEST(kvm_keep_ends_when_it_is_told_to_whatever_it_does)
{
	static const enum guest what[] = { GUEST_SPIN, GUEST_WAIT };
	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		struct place p;
		char why[128] = "";
		place_open(&p, "kvm", what[i]);
		struct hal_keep *k = place_launch(&p);
		if (what[i] == GUEST_WAIT)
			CHECK(place_took(&p, k, why));
		p.tech->destroy(k);
		place_close(&p);
	}
}

TEST(kvm_keep_still_runs_when_its_loader_is_confined)
{
	struct place p;
	char why[128] = "";
	place_open(&p, "kvm", GUEST_WAIT);
	pid_t child = fork();
	if (child == 0) {
		struct err e = { 0 };
		struct hal_keep *k = place_launch(&p);
		bool ok = p.tech->confine(k, &e) && place_took(&p, k, why);
		struct gate_area *a = p.tech->area(k);
		a->reply = (struct gate_reply){ .seq = 1, .ret0 = 3 };
		ok = ok && open("/dev/null", O_RDONLY) < 0 &&
			p.tech->resume(k, &e) && !place_took(&p, k, why);
		p.tech->destroy(k);
		_exit(ok && !strcmp(why, "exit status 98") ? 0 : 1);
	}
	int status = 0;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	place_close(&p);
}
