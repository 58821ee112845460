/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with SEV-SNP and its firmware refuse, the software platform
 * refuses: each test boots a guest of ours and looks at what came of it.
 */
#include "soft/device_priv.h"
#include "soft/psp_priv.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "helpers/run.h"
#include "spec/svm.h"

#define VC(code) GUEST_EXCEPTION(29, (code))
#define GP	 GUEST_EXCEPTION(13, 0)
#define UD	 GUEST_EXCEPTION(6, 0)
#define PF(code) GUEST_EXCEPTION(14, (code))
#define CARRY	 (1ull << 32)

static void check_values(const struct run *r, const uint64_t *want, size_t n)
{
	const struct guest_result *got = run_result(r);
	for (size_t i = 0; i < n && i < got->count; i++)
		if (got->values[i] != want[i])
			fail_msg("value %zu: 0x%llx, not 0x%llx", i,
				(unsigned long long)got->values[i],
				(unsigned long long)want[i]);
	CHECK_INT(got->count, n);
}

/* Launches, runs to its end, compares. */
static void check_guest(enum guest_do what, const uint64_t *want, size_t n)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, what, 0);
	run_to_end(&r);
	check_values(&r, want, n);
	run_close(&r);
}

#define CHECK_GUEST(what, ...)                                  \
	do {                                                    \
		static const uint64_t want[] = { __VA_ARGS__ }; \
		check_guest((what), want, ARRAY_LEN(want));     \
	} while (0)

TEST(snp_a_guest_runs)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_NOTHING, 0);
	run_to_end(&r);
	run_close(&r);
}

TEST(snp_what_a_host_would_play_is_vc)
{
	CHECK_GUEST(GUEST_EXCEPTIONS, VC(0x72), VC(0x7c), VC(0x7b), VC(0x7b),
		VC(0x81), VC(0x6f), VC(0x89), VC(0x37), UD, UD, 0);
}

TEST(snp_what_was_not_validated_is_vc)
{
	CHECK_GUEST(GUEST_UNVALIDATED, VC(0x404), VC(0x404), VC(0x404),
		VC(0x404));
}

TEST(snp_pvalidate_tells_a_second_time)
{
	CHECK_GUEST(GUEST_VALIDATE, 0, 0, 1, CARRY, 0, VC(0x404), CARRY, 0, 1,
		PF(0), SNP_FAIL_INPUT, SNP_FAIL_INPUT);
}

TEST(snp_pvalidate_wants_the_rmp_s_size)
{
	CHECK_GUEST(GUEST_SIZES, 0, 0, CARRY, 0, 0, SNP_FAIL_SIZE,
		SNP_FAIL_SIZE, SNP_FAIL_INPUT);
}

TEST(snp_rmpadjust_gives_nobody_more_than_he_may)
{
	CHECK_GUEST(GUEST_ADJUST, 0, SNP_FAIL_PERMISSION, SNP_FAIL_INPUT,
		VC(0x404), SNP_FAIL_SIZE, SNP_FAIL_INPUT);
}

TEST(snp_pvalidate_is_the_kernel_s)
{
	CHECK_GUEST(GUEST_USER, GP);
}

TEST(snp_beyond_all_memory_is_vc)
{
	CHECK_GUEST(GUEST_NOWHERE, VC(0x400));
}

/* --- what a host does --------------------------------------------------- */

static struct spec_kvm_fault fault_of(const struct run *r)
{
	struct spec_kvm_fault f;
	memcpy(&f, (const uint8_t *)r->run + SPEC_KVM_RUN_UNION, sizeof f);
	return f;
}

static void check_fault(struct run *r, uint64_t gpa, bool is_private)
{
	CHECK_INT(run_enter(r), -EFAULT);
	CHECK_INT(r->run->exit_reason, SPEC_KVM_EXIT_MEMORY_FAULT);
	CHECK(fault_of(r).gpa == gpa);
	CHECK_INT(fault_of(r).flags,
		is_private ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0);
	CHECK_INT(fault_of(r).size, PAGE_BYTES);
}

TEST(snp_a_private_page_has_no_shared_view)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_SHARED_VIEW, 0);
	check_fault(&r, GUEST_PAGES_GPA, false);
	/* As long as the host does nothing about it. */
	check_fault(&r, GUEST_PAGES_GPA, false);
	CHECK_INT(run_attributes(&r, GUEST_PAGES_GPA, PAGE_BYTES, false), 0);
	run_to_end(&r);
	check_values(&r, (const uint64_t[]){ 0 }, 1);
	run_close(&r);
}

TEST(snp_a_shared_page_has_no_private_view)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_PRIVATE_VIEW, 0);
	check_fault(&r, VM_WINDOW_GPA + GUEST_SHARED_AT, true);
	run_close(&r);
}

TEST(snp_a_vmsa_is_not_written_to)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_WRITE_VMSA, 0);
	check_fault(&r, GUEST_PAGES_GPA, true);
	check_values(&r, (const uint64_t[]){ 0, 0 }, 2);
	run_close(&r);
}

/* Up to the port that tells that the page is filled. */
static void launch_hold(struct run *r)
{
	run_open(r, true);
	run_launch(r, GUEST_HOLD, 0);
	CHECK_INT(run_enter(r), 0);
	CHECK_INT(r->run->exit_reason, KVM_EXIT_IO);
	CHECK_INT(r->run->io.port, VM_PORT);
}

TEST(snp_a_page_that_a_host_left_alone_is_as_it_was)
{
	struct run r;
	launch_hold(&r);
	run_to_end(&r);
	check_values(&r, (const uint64_t[]){ 0, GUEST_MARK }, 2);
	run_close(&r);
}

TEST(snp_a_page_that_a_host_replaced_is_not_validated)
{
	struct run r;
	launch_hold(&r);
	CHECK_INT(r.d->ops->discard(r.d, r.memfd, GUEST_PAGES_GPA - VM_RAM_GPA,
			  PAGE_BYTES),
		0);
	run_to_end(&r);
	check_values(&r, (const uint64_t[]){ VC(0x404), 0 }, 2);
	run_close(&r);
}

TEST(snp_a_page_that_a_host_revoked_is_gone_at_once)
{
	struct run r;
	launch_hold(&r);
	CHECK_INT(run_attributes(&r, GUEST_PAGES_GPA, PAGE_BYTES, false), 0);
	check_fault(&r, GUEST_PAGES_GPA, true);
	CHECK_INT(run_attributes(&r, GUEST_PAGES_GPA, PAGE_BYTES, true), 0);
	run_to_end(&r);
	check_values(&r, (const uint64_t[]){ 0, GUEST_MARK }, 2);
	run_close(&r);
}

/* The same guest-physical addresses, other pages: two of them swapped. */
TEST(snp_a_remapped_page_is_never_seen)
{
	struct run r;
	launch_hold(&r);
	CHECK_INT(run_region(&r, 1, VM_RAM_GPA + PAGE_BYTES,
			  RUN_RAM_BYTES - PAGE_BYTES, r.ram, 0),
		0);
	CHECK_INT(run_enter(&r), -EFAULT);
	CHECK_INT(r.run->exit_reason, SPEC_KVM_EXIT_MEMORY_FAULT);
	run_close(&r);
}

static bool has_mark(const uint8_t *p, size_t n)
{
	const uint64_t mark = GUEST_MARK;
	return memmem(p, n, &mark, sizeof mark) != NULL;
}

TEST(snp_a_host_finds_no_private_byte_in_what_it_can_read)
{
	struct run r;
	launch_hold(&r);
	const struct soft_device *s = (const void *)r.d;
	CHECK(!has_mark(r.window, VM_WINDOW_BYTES));
	CHECK(!has_mark(r.ram, RUN_RAM_BYTES));
	CHECK(!has_mark((const void *)s->machine.box, MONITOR_GUEST_AT));
	run_to_end(&r);
	/* It was there, all the time. */
	check_values(&r, (const uint64_t[]){ 0, GUEST_MARK }, 2);
	run_close(&r);
}

TEST(snp_a_host_reads_no_register)
{
	struct run r;
	struct kvm_sregs s;
	struct kvm_regs g;
	run_open(&r, true);
	run_launch(&r, GUEST_NOTHING, 0);
	CHECK_INT(device_ioctl(r.d, r.cpu, KVM_GET_SREGS, &s), -EINVAL);
	CHECK_INT(device_ioctl(r.d, r.cpu, KVM_SET_SREGS, &s), -EINVAL);
	CHECK_INT(device_ioctl(r.d, r.cpu, KVM_SET_REGS, &g), -EINVAL);
	run_close(&r);
}

/* --- the GHCB ----------------------------------------------------------- */

static void check_map(struct run *r, uint64_t gpa, uint64_t pages,
	uint64_t flags, uint64_t answer)
{
	CHECK_INT(run_enter(r), 0);
	CHECK_INT(r->run->exit_reason, KVM_EXIT_HYPERCALL);
	CHECK_INT(r->run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	CHECK(r->run->hypercall.args[0] == gpa);
	CHECK_INT(r->run->hypercall.args[1], pages);
	CHECK_INT(r->run->hypercall.args[2], flags);
	if (!answer)
		CHECK_INT(run_attributes(r, gpa, pages * PAGE_BYTES,
				  flags == SPEC_KVM_MAP_ENCRYPTED),
			0);
	r->run->hypercall.ret = answer;
}

TEST(snp_page_states_change_as_userspace_says)
{
	const uint64_t page = GUEST_FREE_GPA + 0x9000;
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_STATE, 0);
	check_map(&r, page, 1, 0, 0);
	check_map(&r, page, 1, SPEC_KVM_MAP_ENCRYPTED, 0);
	check_map(&r, page + PAGE_BYTES, 3, 0, 0);
	run_to_end(&r);
	check_values(&r,
		(const uint64_t[]){ GHCB_INFO_STATE, 0x1234, GHCB_INFO_STATE, 0,
			0, GHCB_ANSWER_DONE, 0, 0x77,
			1ull << 32 | GHCB_INFO_STATE },
		9);
	run_close(&r);
}

TEST(snp_a_refused_page_state_change_is_told)
{
	const uint64_t page = GUEST_FREE_GPA + 0x9000;
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_STATE, 0);
	check_map(&r, page, 1, 0, 5);
	/* It goes on as if it were shared: the host hears of that. */
	check_fault(&r, page, false);
	CHECK(run_result(&r)->values[0] == (1ull << 32 | GHCB_INFO_STATE));
	run_close(&r);
}

TEST(snp_the_msr_protocol_answers)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_PROTOCOL, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	CHECK_INT(r.run->system_event.type, KVM_SYSTEM_EVENT_SEV_TERM);
	CHECK_INT(r.run->system_event.data[0], 0x12000 | GHCB_INFO_END);
	const uint64_t info = 2ull << 48 | 1ull << 32 |
		(uint64_t)GUEST_C_BIT << 24 | GHCB_INFO_SEV;
	const uint64_t *v = run_result(&r)->values;
	CHECK(v[0] == info);
	CHECK(v[1] == info);
	CHECK(v[2] == (GHCB_FEATURE_SNP << 12 | GHCB_INFO_FEATURES));
	CHECK(v[3] == (~0ull << 12 | GHCB_INFO_PREFERRED));
	CHECK((v[4] & 0xffffffff) == (1u << 30 | GHCB_INFO_CPUID));
	CHECK(v[4] >> 32 != 0);
	CHECK(v[5] == ((VM_WINDOW_GPA + VM_GHCB_AT) | GHCB_INFO_REGISTER));
	CHECK(v[6] == 0xabc);
	run_close(&r);
}

TEST(snp_ports_go_through_the_ghcb)
{
	const uint64_t bad = (uint64_t)GHCB_ANSWER_WRONG << 32;
	const uint32_t in = 0xcafe1234;
	uint32_t out;
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_PORTS, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->exit_reason, KVM_EXIT_IO);
	CHECK_INT(r.run->io.direction, KVM_EXIT_IO_OUT);
	CHECK_INT(r.run->io.size, 4);
	memcpy(&out, (uint8_t *)r.run + r.run->io.data_offset, 4);
	CHECK_INT(out, 0x12345678);
	CHECK_INT(run_enter(&r), 0);
	CHECK_INT(r.run->io.direction, KVM_EXIT_IO_IN);
	memcpy((uint8_t *)r.run + r.run->io.data_offset, &in, 4);
	/* At last, with a GHCB of another page. */
	CHECK_INT(run_enter(&r), -EINVAL);
	const uint64_t *v = run_result(&r)->values;
	CHECK(v[0] == ((VM_WINDOW_GPA + VM_GHCB_AT) | GHCB_INFO_REGISTER));
	CHECK_INT(v[1], 0);
	CHECK_INT(v[2], 0);
	CHECK_INT((uint32_t)v[3], in);
	CHECK(v[4] == (bad | GHCB_WRONG_MISSING));
	CHECK(v[5] == (bad | GHCB_WRONG_EVENT));
	CHECK(v[6] == (bad | GHCB_WRONG_INPUT));
	CHECK_INT(v[7], GHCB_FEATURE_SNP);
	CHECK_INT(v[8], 0);
	CHECK(v[9] != 0);
	run_close(&r);
}

TEST(snp_a_ghcb_of_random_bytes_hurts_nobody)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct run r;
		unsigned exits = 0;
		run_open(&r, true);
		run_launch(&r, GUEST_RANDOM_GHCB, seed);
		int n;
		do {
			n = run_enter(&r);
			r.run->hypercall.ret = exits & 1;
		} while (n == 0 && r.run->exit_reason != KVM_EXIT_HLT &&
			++exits < 100000);
		CHECK_INT(n, 0);
		CHECK(exits > 10);
		CHECK(run_result(&r)->magic == GUEST_MARK);
		run_close(&r);
	}
}

TEST(snp_a_running_guest_is_kicked_and_does_not_run_again)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_LONG, 0);
	r.d->ops->kick(r.d, r.cpu, r.run);
	CHECK_INT(run_enter(&r), -EINTR);
	CHECK_INT(run_enter(&r), -EINTR);
	run_close(&r);
}

/* --- a hostile host's events --------------------------------------------- */

struct injection {
	struct run *r;
	uint64_t event;
};

static void *inject_soon(void *arg)
{
	const struct injection *i = arg;
	const volatile struct guest_result *r = run_result(i->r);
	while (!r->count)
		usleep(1000);
	usleep(1000);
	return (void *)(uintptr_t)soft_device_inject(i->r->d, i->event, 0,
		NULL);
}

TEST(snp_a_host_s_event_comes_to_a_running_guest)
{
	const uint64_t valid = SVM_EVENT_VALID | SVM_EVENT_EXCEPTION;
	const struct {
		uint64_t event, want;
	} cases[] = {
		{ 6 | valid, UD },
		{ 13 | valid | SVM_EVENT_HAS_ERROR | 0x18ull << 32,
			GUEST_EXCEPTION(13, 0x18) },
		{ 29 | valid | SVM_EVENT_HAS_ERROR | 0x72ull << 32, VC(0x72) },
		{ 2 | SVM_EVENT_VALID | 2 << 8, GUEST_EXCEPTION(2, 0) },
		{ 20 | SVM_EVENT_VALID, GUEST_EXCEPTION(20, 0) },
	};
	for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
		struct run r;
		pthread_t t;
		void *ok;
		run_open(&r, true);
		run_launch(&r, GUEST_WATCH, 0);
		struct injection i = { &r, cases[n].event };
		CHECK_INT(pthread_create(&t, NULL, inject_soon, &i), 0);
		run_to_end(&r);
		pthread_join(t, &ok);
		CHECK(ok != NULL);
		check_values(&r, (const uint64_t[]){ 1, cases[n].want }, 2);
		run_close(&r);
	}
}

static void lie(void *ctx, void *ghcb, uint64_t *msr)
{
	unsigned *calls = ctx;
	++*calls;
	if (ghcb)
		((struct ghcb *)ghcb)->exit_info_2 = 0x1234;
	else if ((*msr & GHCB_INFO_MASK) == GHCB_INFO_FEATURES)
		*msr = 0xfeed;
}

TEST(snp_a_host_s_lies_reach_the_guest)
{
	struct run r;
	unsigned calls = 0;
	run_open(&r, true);
	soft_device_scribble(r.d, lie, &calls);
	run_launch(&r, GUEST_PROTOCOL, 0);
	CHECK_INT(run_enter(&r), 0);
	CHECK(run_result(&r)->values[2] == 0xfeed);
	CHECK(calls > 5);
	run_close(&r);
}

/* --- launch ------------------------------------------------------------- */

TEST(snp_a_launch_has_its_order)
{
	static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct spec_kvm_sev_init again = { .ghcb_version = 2 };
	struct run r;
	run_open(&r, true);
	CHECK_INT(run_op(&r, SPEC_KVM_SEV_INIT2, &again), -EPERM);
	run_set(&r, GUEST_NOTHING, 0);
	/* Before it was started. */
	CHECK_INT(run_update(&r, VM_RAM_GPA, page, PAGE_BYTES, SNP_PAGE_NORMAL),
		-EINVAL);
	CHECK_INT(run_finish(&r), -EINVAL);
	CHECK_INT(run_enter(&r), -EINVAL);
	CHECK_INT(run_start(&r, RUN_POLICY), 0);
	CHECK_INT(run_start(&r, RUN_POLICY), -EINVAL);
	/* A page that is not private, and one that is there already. */
	CHECK(run_update(&r, VM_RAM_GPA, page, PAGE_BYTES, SNP_PAGE_NORMAL) <
		0);
	run_close(&r);
}

/* Two of KVM's processors, both to start where the Keep's one does. */
static void second(struct run *r, uint8_t digest[48], int *entry, bool early)
{
	const struct soft_device *s = (const void *)r->d;
	int other = -1;
	run_open(r, true);
	s = (const void *)r->d;
	if (early) {
		other = r->d->ops->ioctl(r->d, r->vm, KVM_CREATE_VCPU,
			(void *)1);
		CHECK(other > 0);
		int first = r->cpu;
		r->cpu = other;
		run_set(r, GUEST_NOTHING, 0);
		r->cpu = first;
	}
	run_launch(r, GUEST_NOTHING, 0);
	memcpy(digest, s->snp.psp->digest, 48);
	if (!early)
		other = r->d->ops->ioctl(r->d, r->vm, KVM_CREATE_VCPU,
			(void *)1);
	CHECK(other > 0);
	struct kvm_run *run = r->d->ops->map(r->d, other, r->run_bytes);
	CHECK(run != NULL);
	CHECK_INT(r->d->ops->enter(r->d, other, run), 0);
	*entry = (int)run->exit_reason;
	r->d->ops->unmap(r->d, run, r->run_bytes);
}

TEST(snp_a_second_processor_is_measured_or_does_not_run)
{
	uint8_t one[48], two[48], late[48];
	int entry;
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_NOTHING, 0);
	memcpy(one,
		((const struct soft_device *)(const void *)r.d)
			->snp.psp->digest,
		48);
	run_close(&r);
	/* Made before the launch ends, it is in the digest: no Keep of ours. */
	second(&r, two, &entry, true);
	run_close(&r);
	CHECK(memcmp(one, two, 48) != 0);
	/* Made later, it has no save area that the firmware took; and the first
	 * one runs. */
	second(&r, late, &entry, false);
	CHECK_MEM(one, late, 48);
	CHECK_INT(entry, KVM_EXIT_FAIL_ENTRY);
	run_to_end(&r);
	run_close(&r);
}

TEST(snp_no_page_is_launched_twice_or_late)
{
	static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct run r;
	run_open(&r, true);
	CHECK_INT(run_attributes(&r, VM_RAM_GPA, RUN_RAM_BYTES, true), 0);
	run_set(&r, GUEST_NOTHING, 0);
	CHECK_INT(run_start(&r, RUN_POLICY), 0);
	CHECK_INT(run_update(&r, VM_RAM_GPA, page, PAGE_BYTES, SNP_PAGE_VMSA),
		-EINVAL);
	CHECK_INT(run_update(&r, VM_RAM_GPA, page, 100, SNP_PAGE_NORMAL),
		-EINVAL);
	CHECK_INT(run_update(&r, VM_RAM_GPA, page, PAGE_BYTES, SNP_PAGE_NORMAL),
		0);
	CHECK_INT(run_finish(&r), 0);
	CHECK_INT(run_update(&r, VM_RAM_GPA + PAGE_BYTES, page, PAGE_BYTES,
			  SNP_PAGE_NORMAL),
		-EIO);
	CHECK_INT(r.error, SNP_INVALID_GUEST_STATE);
	CHECK_INT(run_finish(&r), -EIO);
	CHECK_INT(r.error, SNP_INVALID_GUEST_STATE);
	run_close(&r);
}

TEST(snp_a_policy_that_the_firmware_does_not_know_is_refused)
{
	static const struct {
		uint64_t policy;
		uint32_t error;
	} cases[] = {
		{ 0x10000, SNP_INVALID_PARAM }, /* bit 17 must be 1 */
		{ 1ull << 40 | 0x30000, SNP_INVALID_PARAM },
		{ 0x30000 | 1 << 18, SNP_INVALID_PARAM }, /* migration */
		{ 0x30000 | 2 << 8, SNP_POLICY_FAILURE }, /* newer firmware */
	};
	struct run r;
	run_open(&r, true);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK_INT(run_start(&r, cases[i].policy), -EIO);
		CHECK_INT(r.error, cases[i].error);
	}
	CHECK_INT(run_start(&r, RUN_POLICY | SNP_POLICY_DEBUG), 0);
	run_close(&r);
}

TEST(snp_the_secrets_page_is_the_firmware_s)
{
	struct run r;
	run_open(&r, true);
	run_launch(&r, GUEST_SECRETS, 0);
	run_to_end(&r);
	const uint64_t *v = run_result(&r)->values;
	CHECK_INT((uint32_t)v[0], 3); /* version */
	for (size_t key = 0; key < 4; key++)
		CHECK(v[4 + 4 * key] != 0x1111111111111111 &&
			v[4 + 4 * key] != 0);
	run_close(&r);
}
