/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a processor with TDX, its module and Linux's KVM refuse, the software
 * platform refuses: each test boots a domain of ours and looks at what came of
 * it.
 */
#include "soft/device_priv.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "attest/measure_tdx.h"
#include "helpers/td.h"

#define VE	  GUEST_EXCEPTION(20, 0)
#define GP	  GUEST_EXCEPTION(13, 0)
#define UD	  GUEST_EXCEPTION(6, 0)
#define DF	  GUEST_EXCEPTION(8, 0)
#define RCX_WRONG (TDX_OPERAND_INVALID | TDX_OPERAND_RCX)
#define RDX_WRONG (TDX_OPERAND_INVALID | TDX_OPERAND_RDX)

static void check_values(const struct td *t, const uint64_t *want, size_t n)
{
	const struct guest_result *got = td_result(t);
	for (size_t i = 0; i < n && i < got->count; i++)
		if (got->values[i] != want[i])
			fail_msg("value %zu: 0x%llx, not 0x%llx", i,
				(unsigned long long)got->values[i],
				(unsigned long long)want[i]);
	CHECK_INT(got->count, n);
}

#define CHECK_VALUES(t, ...)                                    \
	do {                                                    \
		static const uint64_t all_[] = { __VA_ARGS__ }; \
		check_values((t), all_, ARRAY_LEN(all_));       \
	} while (0)

/* Launches, runs to its end, compares. */
#define CHECK_TD(what, ...)                      \
	do {                                     \
		struct td td_;                   \
		td_open(&td_);                   \
		td_launch(&td_, (what), 0);      \
		td_to_end(&td_);                 \
		CHECK_VALUES(&td_, __VA_ARGS__); \
		td_close(&td_);                  \
	} while (0)

TEST(tdx_a_domain_runs)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_NOTHING, 0);
	td_to_end(&t);
	td_close(&t);
}

TEST(tdx_a_domain_is_told_what_it_is)
{
	CHECK_TD(TD_INFO, TDX_SUCCESS, 48, TDX_ATTR_SEPT_VE_OFF, 2ull << 32 | 1,
		0, TDX_NO_VALID_VE_INFO, TDX_OPERAND_INVALID,
		TDX_OPERAND_INVALID, RCX_WRONG, RCX_WRONG);
}

TEST(tdx_what_a_host_would_play_is_ve)
{
	CHECK_TD(TD_EXCEPTIONS, VE, TDX_REASON_CPUID, 0, VE, TDX_REASON_RDMSR,
		VE, TDX_REASON_WRMSR, VE, TDX_REASON_IO, VE, TDX_REASON_HLT, VE,
		TDX_REASON_WBINVD, UD, GP, UD, 0xd01, 0x756e6547, 1);
}

TEST(tdx_a_second_ve_before_the_first_was_read_is_a_double_fault)
{
	CHECK_TD(TD_VE_TWICE, VE, DF);
}

TEST(tdx_tdcall_is_the_kernel_s)
{
	CHECK_TD(TD_USER, GP);
}

TEST(tdx_a_page_is_accepted_once_and_is_empty_then)
{
	CHECK_TD(TD_ACCEPT, TDX_SUCCESS, 0, TDX_PAGE_ALREADY_ACCEPTED, 7,
		TDX_PAGE_ALREADY_ACCEPTED, RCX_WRONG, RCX_WRONG, RCX_WRONG,
		RCX_WRONG);
}

TEST(tdx_an_acceptance_wants_the_secure_ept_s_size)
{
	CHECK_TD(TD_SIZES, TDX_SUCCESS, 0, TDX_PAGE_ALREADY_ACCEPTED | 1,
		TDX_PAGE_ALREADY_ACCEPTED, TDX_PAGE_SIZE_MISMATCH | 1,
		TDX_SUCCESS, TDX_PAGE_SIZE_MISMATCH | 1, TDX_SUCCESS);
}

/* --- what a host does ---------------------------------------------------- */

TEST(tdx_who_uses_a_page_before_it_is_accepted_runs_no_more)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_PENDING, 0x3000);
	CHECK_INT(td_enter(&t), -EIO);
	CHECK_INT(td_enter(&t), -EIO);
	CHECK_INT(td_result(&t)->count, 0);
	td_close(&t);
}

/* A domain that a hostile host launched otherwise. */
TEST(tdx_without_the_attribute_such_a_page_is_ve)
{
	struct td t;
	td_open(&t);
	t.attributes = 0;
	td_launch(&t, TD_PENDING, 0x3000);
	td_to_end(&t);
	CHECK_VALUES(&t, VE);
	td_close(&t);
}

static void check_fault(struct td *t, uint64_t gpa, bool is_private)
{
	struct spec_kvm_fault f;
	CHECK_INT(td_enter(t), -EFAULT);
	CHECK_INT(t->run->exit_reason, SPEC_KVM_EXIT_MEMORY_FAULT);
	memcpy(&f, (const uint8_t *)t->run + SPEC_KVM_RUN_UNION, sizeof f);
	CHECK(f.gpa == gpa);
	CHECK_INT(f.flags, is_private ? SPEC_KVM_ATTRIBUTE_PRIVATE : 0);
	CHECK_INT(f.size, PAGE_BYTES);
}

TEST(tdx_a_private_page_has_no_shared_view)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_SHARED_VIEW, 0);
	check_fault(&t, GUEST_PAGES_GPA, false);
	/* As long as the host does nothing about it. */
	check_fault(&t, GUEST_PAGES_GPA, false);
	CHECK_INT(td_attributes(&t, GUEST_PAGES_GPA, PAGE_BYTES, false), 0);
	td_to_end(&t);
	CHECK_VALUES(&t, 0);
	td_close(&t);
}

TEST(tdx_a_shared_page_has_no_private_view)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_PRIVATE_VIEW, 0);
	check_fault(&t, VM_WINDOW_GPA + GUEST_SHARED_AT, true);
	td_close(&t);
}

TEST(tdx_a_shared_address_where_nothing_is_is_ve)
{
	CHECK_TD(TD_NOWHERE, VE, TDX_REASON_EPT_VIOLATION);
}

/* Up to the port that tells that the page is filled. */
static void launch_hold(struct td *t, enum td_do what)
{
	td_open(t);
	td_launch(t, what, 0);
	CHECK_INT(td_event(t), 1);
}

TEST(tdx_a_page_that_a_host_left_alone_is_as_it_was)
{
	struct td t;
	launch_hold(&t, TD_HOLD);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, 0, GUEST_MARK);
	td_close(&t);
}

TEST(tdx_a_page_that_a_host_replaced_is_not_accepted)
{
	struct td t;
	launch_hold(&t, TD_HOLD);
	CHECK_INT(t.d->ops->discard(t.d, t.memfd, GUEST_PAGES_GPA - VM_RAM_GPA,
			  PAGE_BYTES),
		0);
	CHECK_INT(td_enter(&t), -EIO);
	td_close(&t);
}

TEST(tdx_a_page_that_a_host_revoked_is_gone_for_good)
{
	struct td t;
	launch_hold(&t, TD_HOLD);
	CHECK_INT(td_attributes(&t, GUEST_PAGES_GPA, PAGE_BYTES, false), 0);
	check_fault(&t, GUEST_PAGES_GPA, true);
	/* Private again it is another one. */
	CHECK_INT(td_attributes(&t, GUEST_PAGES_GPA, PAGE_BYTES, true), 0);
	CHECK_INT(td_enter(&t), -EIO);
	td_close(&t);
}

TEST(tdx_a_domain_that_accepts_a_replaced_page_finds_it_empty)
{
	struct td t;
	launch_hold(&t, TD_HOLD_AGAIN);
	CHECK_INT(t.d->ops->discard(t.d, t.memfd, GUEST_PAGES_GPA - VM_RAM_GPA,
			  PAGE_BYTES),
		0);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, TDX_SUCCESS, 0, 0);
	td_close(&t);
}

/* The same guest-physical addresses, other pages. */
TEST(tdx_a_remapped_page_is_never_seen)
{
	struct td t;
	launch_hold(&t, TD_HOLD);
	CHECK_INT(td_region(&t, 1, VM_RAM_GPA + PAGE_BYTES,
			  TD_RAM_BYTES - PAGE_BYTES, t.ram, t.memfd, 0),
		0);
	CHECK_INT(td_enter(&t), -EIO);
	td_close(&t);
}

static bool has_mark(const uint8_t *p, size_t n)
{
	const uint64_t mark = GUEST_MARK;
	return memmem(p, n, &mark, sizeof mark) != NULL;
}

TEST(tdx_a_host_finds_no_private_byte_in_what_it_can_read)
{
	struct td t;
	launch_hold(&t, TD_HOLD);
	const struct soft_device *s = (const void *)t.d;
	CHECK(!has_mark(t.window, VM_WINDOW_BYTES));
	CHECK(!has_mark(t.ram, TD_RAM_BYTES));
	CHECK(!has_mark((const void *)s->machine.box, MONITOR_GUEST_AT));
	td_to_end(&t);
	/* It was there, all the time. */
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, 0, GUEST_MARK);
	td_close(&t);
}

TEST(tdx_a_host_reads_and_sets_no_register)
{
	struct kvm_sregs s;
	struct kvm_regs g;
	struct td t;
	td_open(&t);
	td_launch(&t, TD_NOTHING, 0);
	CHECK_INT(device_ioctl(t.d, t.cpu, KVM_GET_SREGS, &s), -EINVAL);
	CHECK_INT(device_ioctl(t.d, t.cpu, KVM_SET_SREGS, &s), -EINVAL);
	CHECK_INT(device_ioctl(t.d, t.cpu, KVM_SET_REGS, &g), -EINVAL);
	td_close(&t);
}

/* --- TDG.VP.VMCALL ------------------------------------------------------- */

static void check_map(struct td *t, uint64_t gpa, uint64_t pages,
	bool is_private, uint64_t answer)
{
	struct kvm_run *r = t->run;
	CHECK_INT(td_enter(t), 0);
	CHECK_INT(r->exit_reason, KVM_EXIT_HYPERCALL);
	CHECK_INT(r->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	CHECK(r->hypercall.args[0] == gpa);
	CHECK_INT(r->hypercall.args[1], pages);
	CHECK_INT(r->hypercall.args[2],
		is_private ? SPEC_KVM_MAP_ENCRYPTED : 0);
	if (!answer)
		CHECK_INT(td_attributes(t, gpa, pages * PAGE_BYTES, is_private),
			0);
	r->hypercall.ret = answer;
}

TEST(tdx_page_states_change_as_userspace_says)
{
	const uint64_t page = GUEST_FREE_GPA;
	struct td t;
	td_open(&t);
	td_launch(&t, TD_MAP, 0);
	/* 2 MiB at a time. */
	check_map(&t, page, 512, false, 0);
	check_map(&t, page + 0x200000, 512, false, 0);
	check_map(&t, page, 1, true, 0);
	check_map(&t, page, 512, false, 0);
	check_map(&t, page + 0x200000, 512, false, EAGAIN);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, 0x1234, TDX_CALL_SUCCESS,
		TDX_SUCCESS, 0, TDX_CALL_OPERAND_INVALID, TDX_CALL_ALIGN_ERROR,
		TDX_CALL_OPERAND_INVALID, TDX_CALL_RETRY,
		(GUEST_FREE_GPA + 0x200000) | TDX_SHARED);
	td_close(&t);
}

TEST(tdx_what_a_kernel_answers_itself)
{
	CHECK_TD(TD_CALLS, TDX_CALL_SUCCESS, 0, TDX_CALL_OPERAND_INVALID,
		TDX_CALL_SUCCESS, 1, TDX_CALL_OPERAND_INVALID, TDX_CALL_SUCCESS,
		TDX_CALL_UNSUPPORTED, TDX_CALL_OPERAND_INVALID,
		TDX_CALL_OPERAND_INVALID, (uint64_t)-KVM_ENOSYS, 0x5151);
}

TEST(tdx_ports_are_calls)
{
	const uint32_t in = 0xcafe1234;
	struct td t;
	td_open(&t);
	td_launch(&t, TD_PORTS, 0);
	CHECK_INT(td_event(&t), 0x12345678);
	CHECK_INT(td_enter(&t), 0);
	CHECK_INT(t.run->io.direction, KVM_EXIT_IO_IN);
	CHECK_INT(t.run->io.size, 4);
	memcpy((uint8_t *)t.run + t.run->io.data_offset, &in, 4);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, TDX_CALL_SUCCESS, 0xcafe1234,
		TDX_CALL_OPERAND_INVALID, TDX_CALL_OPERAND_INVALID);
	td_close(&t);
}

static void check_user(struct td *t, uint64_t nr, uint64_t ret,
	struct spec_kvm_tdx_exit *x)
{
	uint8_t *at = (uint8_t *)t->run + SPEC_KVM_RUN_UNION;
	CHECK_INT(td_enter(t), 0);
	CHECK_INT(t->run->exit_reason, SPEC_KVM_EXIT_TDX);
	memcpy(x, at, sizeof *x);
	CHECK_INT(x->nr, nr);
	CHECK(x->ret == ret);
}

static void answer_user(struct td *t, const struct spec_kvm_tdx_exit *x)
{
	memcpy((uint8_t *)t->run + SPEC_KVM_RUN_UNION, x, sizeof *x);
}

TEST(tdx_calls_go_to_userspace_and_back)
{
	struct spec_kvm_tdx_exit x;
	struct td t;
	td_open(&t);
	td_launch(&t, TD_QUOTE, 0);
	check_user(&t, TDX_CALL_GET_QUOTE, TDX_CALL_UNSUPPORTED, &x);
	CHECK(x.get_quote.gpa == VM_WINDOW_GPA + GUEST_SHARED_AT);
	CHECK_INT(x.get_quote.size, 0x2000);
	x.ret = TDX_CALL_SUCCESS;
	answer_user(&t, &x);
	check_user(&t, TDX_CALL_INFO, TDX_CALL_SUCCESS, &x);
	CHECK_INT(x.info.leaf, 1);
	x.info.r11 = 0xabc;
	x.info.r14 = 0xdef;
	answer_user(&t, &x);
	check_user(&t, TDX_CALL_EVENT_NOTIFY, TDX_CALL_UNSUPPORTED, &x);
	CHECK_INT(x.event_notify.vector, 0x55);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_CALL_SUCCESS, TDX_CALL_SUCCESS, 0xabc, 0xdef,
		TDX_CALL_UNSUPPORTED);
	td_close(&t);
}

TEST(tdx_a_domain_s_last_words_are_told)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_END, 0);
	CHECK_INT(td_enter(&t), 0);
	CHECK_INT(t.run->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	CHECK_INT(t.run->system_event.type, SPEC_KVM_SYSTEM_EVENT_TDX_FATAL);
	CHECK_INT(t.run->system_event.ndata, 4);
	CHECK_INT(t.run->system_event.data[0], 0x1234);
	CHECK_INT(t.run->system_event.data[1], 0x5678);
	CHECK_INT(t.run->system_event.data[2], 0x9abc);
	td_close(&t);
}

TEST(tdx_calls_with_random_registers_hurt_nobody)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct td t;
		unsigned exits = 0;
		td_open(&t);
		td_launch(&t, TD_RANDOM, seed);
		int n;
		do {
			n = td_enter(&t);
			t.run->hypercall.ret = exits & 1;
		} while (n == 0 && td_result(&t)->magic != GUEST_MARK &&
			++exits < 100000);
		CHECK_INT(n, 0);
		CHECK(exits > 10);
		td_close(&t);
	}
}

TEST(tdx_a_running_domain_is_kicked_and_does_not_run_again)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_LONG, 0);
	t.d->ops->kick(t.d, t.cpu, t.run);
	CHECK_INT(td_enter(&t), -EINTR);
	CHECK_INT(td_enter(&t), -EINTR);
	td_close(&t);
}

TEST(tdx_a_triple_fault_is_told)
{
	struct td t;
	td_open(&t);
	td_launch(&t, TD_TRIPLE, 0);
	CHECK_INT(td_enter(&t), 0);
	CHECK_INT(t.run->exit_reason, KVM_EXIT_SHUTDOWN);
	td_close(&t);
}

/* --- a hostile host's events --------------------------------------------- */

static void *inject_soon(void *arg)
{
	struct td *t = arg;
	const volatile struct guest_result *r = td_result(t);
	while (!r->count)
		usleep(1000);
	usleep(1000);
	return (void *)(uintptr_t)soft_device_inject(t->d,
		SVM_EVENT_NMI | 2 | SVM_EVENT_VALID, 0, NULL);
}

TEST(tdx_a_host_s_nmi_comes_to_a_running_domain_and_nothing_else)
{
	struct err e;
	struct td t;
	pthread_t thread;
	void *ok;
	td_open(&t);
	td_launch(&t, TD_WATCH, 0);
	CHECK(!soft_device_inject(t.d, 0x80 | SVM_EVENT_VALID, 0, &e));
	CHECK(!soft_device_inject(t.d,
		20 | SVM_EVENT_VALID | SVM_EVENT_EXCEPTION, 0, &e));
	CHECK_INT(pthread_create(&thread, NULL, inject_soon, &t), 0);
	td_to_end(&t);
	pthread_join(thread, &ok);
	CHECK(ok != NULL);
	CHECK_VALUES(&t, 1, GUEST_EXCEPTION(2, 0));
	td_close(&t);
}

/* --- measurements -------------------------------------------------------- */

static void add_pages(struct attest_td_build *b, uint64_t gpa,
	const uint8_t *from, size_t bytes, bool contents)
{
	struct err e;
	for (size_t at = 0; at < bytes; at += PAGE_BYTES) {
		CHECK(attest_td_add(b, gpa + at, &e));
		CHECK(!contents ||
			attest_td_extend(b, gpa + at,
				bytes_of(from + at, PAGE_BYTES), &e));
	}
}

/* A verifier's calculation of what td_launch does. */
static void expect(const struct td *t, uint8_t mrtd[48])
{
	struct attest_td_build *b;
	struct err e;
	CHECK(attest_td_create(&b, &e));
	add_pages(b, VM_RAM_GPA, t->image, t->image_bytes, true);
	add_pages(b, VM_RESET_GPA, t->image + t->head.reset, PAGE_BYTES, true);
	add_pages(b, GUEST_PAGES_GPA, NULL, PAGE_BYTES, false);
	CHECK(attest_td_end(b, mrtd, &e));
	attest_td_free(b);
}

static struct tdx_report_struct report_of(const struct td *t)
{
	struct tdx_report_struct r;
	memcpy(&r, t->window + GUEST_SHARED_AT, sizeof r);
	return r;
}

TEST(tdx_a_report_says_what_was_launched)
{
	const uint64_t mark = GUEST_MARK;
	uint8_t want[48];
	struct td t;
	td_open(&t);
	t.owner = 0x5a;
	td_launch(&t, TD_REPORT, 0);
	td_to_end(&t);
	CHECK_VALUES(&t, TDX_SUCCESS, TDX_OPERAND_INVALID | TDX_OPERAND_R8,
		RCX_WRONG, RDX_WRONG);
	struct tdx_report_struct r = report_of(&t);
	expect(&t, want);
	CHECK_MEM(r.info.mrtd, want, 48);
	CHECK(r.info.attributes == TDX_ATTR_SEPT_VE_OFF);
	CHECK_INT(r.info.xfam, 7);
	CHECK_INT(r.info.mrconfigid[47], 0x5a);
	CHECK_MEM(r.head.report_data, &mark, 8);
	CHECK_INT(r.head.type, TDX_REPORT_TYPE);
	td_close(&t);
}

TEST(tdx_a_page_more_is_another_measurement)
{
	static const uint8_t page[PAGE_BYTES]
		__attribute__((aligned(PAGE_BYTES)));
	uint8_t want[48];
	struct td t;
	td_open(&t);
	td_prepare(&t, TD_REPORT, 0);
	/* Without its contents, too. */
	CHECK_INT(td_add(&t, GUEST_FREE_GPA, page, PAGE_BYTES, false), 0);
	CHECK_INT(td_finalize(&t), 0);
	td_to_end(&t);
	expect(&t, want);
	CHECK(memcmp(report_of(&t).info.mrtd, want, 48) != 0);
	td_close(&t);
}

TEST(tdx_registers_are_extended)
{
	struct td t;
	static const uint8_t none[48];
	td_open(&t);
	td_launch(&t, TD_EXTEND, 0);
	td_to_end(&t);
	struct tdx_report_struct r = report_of(&t);
	CHECK(td_result(&t)->values[0] == TDX_SUCCESS);
	CHECK(td_result(&t)->values[1] == RDX_WRONG);
	CHECK_MEM(r.info.rtmr[0], none, 48);
	CHECK(memcmp(r.info.rtmr[2], none, 48) != 0);
	td_close(&t);
}

TEST(tdx_only_a_report_of_this_processor_is_quoted)
{
	struct buf quote = { 0 }, endorsements = { 0 };
	struct err e = { 0 };
	struct td t;
	td_open(&t);
	td_launch(&t, TD_REPORT, 0);
	td_to_end(&t);
	struct tdx_report_struct r = report_of(&t);
	CHECK(soft_device_quote(t.d, bytes_of(&r, sizeof r), &quote,
		&endorsements, &e));
	CHECK(quote.len > 1000 && endorsements.len > 1000);
	for (size_t at = 0; at < sizeof r; at += 37) {
		((uint8_t *)&r)[at] ^= 1;
		bool hashed = at < sizeof r.head + sizeof r.tcb ||
			at >= offsetof(struct tdx_report_struct, info);
		bool ok = soft_device_quote(t.d, bytes_of(&r, sizeof r), &quote,
			&endorsements, &e);
		if (ok == hashed)
			fail_msg("byte %zu", at);
		((uint8_t *)&r)[at] ^= 1;
	}
	CHECK(!soft_device_quote(t.d, bytes_of(&r, sizeof r - 1), &quote,
		&endorsements, &e));
	buf_fini(&quote);
	buf_fini(&endorsements);
	td_close(&t);
}

/* --- launch -------------------------------------------------------------- */

TEST(tdx_a_launch_has_its_order)
{
	static const uint8_t page[PAGE_BYTES]
		__attribute__((aligned(PAGE_BYTES)));
	struct td t;
	td_open(&t);
	/* No domain, no processor. */
	CHECK_INT(td_add_cpu(&t), -EIO);
	CHECK_INT(td_finalize(&t), -EINVAL);
	CHECK_INT(td_init(&t), 0);
	CHECK_INT(td_init(&t), -EINVAL);
	/* KVM's half of the APIC is what posts interrupts. */
	CHECK_INT(td_add_cpu(&t), -EINVAL);
	CHECK_INT(td_enable(&t, KVM_CAP_SPLIT_IRQCHIP, 24), 0);
	CHECK_INT(td_add_cpu(&t), 0);
	CHECK_INT(td_cpu_op(&t, SPEC_KVM_TDX_INIT_VCPU, 0, NULL), -EINVAL);
	CHECK_INT(td_init(&t), -EBUSY);
	CHECK_INT(td_enter(&t), -EINVAL);
	/* A page that is not private, not there, or there already. */
	CHECK(td_add(&t, VM_WINDOW_GPA, page, PAGE_BYTES, true) < 0);
	td_close(&t);
}

TEST(tdx_a_second_processor_is_told_of_or_comes_too_late)
{
	const struct kvm_run *run;
	struct td t;
	td_open(&t);
	td_prepare(&t, TD_INFO, 0);
	int other = device_ioctl(t.d, t.vm, KVM_CREATE_VCPU, (void *)1);
	CHECK(other > 0);
	struct spec_kvm_tdx_cmd c = { .id = SPEC_KVM_TDX_INIT_VCPU };
	CHECK_INT(device_ioctl(t.d, other, KVM_MEMORY_ENCRYPT_OP, &c), 0);
	CHECK_INT(td_finalize(&t), 0);
	run = t.d->ops->map(t.d, other, t.run_bytes);
	CHECK_INT(t.d->ops->enter(t.d, other, (void *)(uintptr_t)run), 0);
	CHECK_INT(run->exit_reason, KVM_EXIT_FAIL_ENTRY);
	t.d->ops->unmap(t.d, (void *)(uintptr_t)run, t.run_bytes);
	td_to_end(&t);
	CHECK(td_result(&t)->values[3] == (2ull << 32 | 2));
	td_close(&t);
	td_open(&t);
	td_launch(&t, TD_NOTHING, 0);
	CHECK_INT(device_ioctl(t.d, t.vm, KVM_CREATE_VCPU, (void *)1), -EIO);
	td_close(&t);
}

TEST(tdx_no_page_is_added_twice_or_late)
{
	static const uint8_t page[PAGE_BYTES]
		__attribute__((aligned(PAGE_BYTES)));
	struct td t;
	td_open(&t);
	td_launch(&t, TD_NOTHING, 0);
	CHECK_INT(td_add(&t, GUEST_FREE_GPA, page, PAGE_BYTES, true), -EINVAL);
	CHECK_INT(td_finalize(&t), -EINVAL);
	td_close(&t);
	td_open(&t);
	td_prepare(&t, TD_NOTHING, 0);
	CHECK_INT(td_add(&t, GUEST_FREE_GPA, page + 8, PAGE_BYTES, true),
		-EINVAL);
	CHECK_INT(td_add(&t, GUEST_FREE_GPA | TDX_SHARED, page, PAGE_BYTES,
			  true),
		-EINVAL);
	CHECK(td_add(&t, GUEST_PAGES_GPA, page, PAGE_BYTES, true) < 0);
	td_close(&t);
}

TEST(tdx_a_domain_that_the_module_does_not_know_is_refused)
{
	static const struct {
		uint64_t attributes, xfam;
	} cases[] = {
		{ TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_PERFMON, 7 },
		{ TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_MIGRATABLE, 7 },
		{ 2, 7 },
		{ TDX_ATTR_SEPT_VE_OFF, 6 }, /* x87 is always there */
		{ TDX_ATTR_SEPT_VE_OFF, 7 | 1ull << 18 },
	};
	struct td t;
	td_open(&t);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		t.attributes = cases[i].attributes;
		t.xfam = cases[i].xfam;
		CHECK_INT(td_init(&t), -EINVAL);
	}
	t.attributes = TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_DEBUG;
	t.xfam = 3;
	CHECK_INT(td_init(&t), 0);
	td_close(&t);
}

/* One entry, as a host may choose it. */
static int init_with(struct td *t, struct kvm_cpuid_entry2 x)
{
	struct {
		struct spec_kvm_tdx_init i;
		struct kvm_cpuid_entry2 entry[2];
	} *v = calloc(1, sizeof *v);
	CHECK(v != NULL);
	v->i.attributes = t->attributes;
	v->i.xfam = t->xfam;
	v->i.cpuid.nent = 2;
	v->entry[0] = (struct kvm_cpuid_entry2){ .function = 0x80000008,
		.eax = 48 << 16 };
	v->entry[1] = x;
	int n = td_vm_op(t, SPEC_KVM_TDX_INIT_VM, 0, v);
	free(v);
	return n;
}

TEST(tdx_a_host_chooses_no_more_of_cpuid_than_it_may)
{
	const struct kvm_cpuid_entry2 wrong[] = {
		{ .function = 0xd, .eax = 7 },
		{ .function = 1, .ecx = 1 },
		{ .function = 7, .ebx = 1 << 19 }, /* by number below, too */
		{ .function = 7,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.ebx = 1 << 2 },
		{ .function = 0x80000008, .eax = 52 << 16 },
		{ .function = 0x80000008 },
	};
	struct td t;
	td_open(&t);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CHECK_INT(init_with(&t, wrong[i]), -EINVAL);
		CHECK(t.hw_error == TDX_OPERAND_INVALID);
	}
	CHECK_INT(init_with(&t,
			  (struct kvm_cpuid_entry2){ .function = 1,
				  .ebx = 4 << 16 }),
		0);
	td_close(&t);
}

TEST(tdx_a_command_of_another_kind_is_refused)
{
	struct kvm_cpuid2 few = { .nent = 0 };
	struct spec_kvm_tdx_cmd dirty = { .id = SPEC_KVM_TDX_FINALIZE_VM,
		.hw_error = 1 };
	struct td t;
	td_open(&t);
	CHECK_INT(td_vm_op(&t, SPEC_KVM_TDX_INIT_VCPU, 0, &few), -EINVAL);
	CHECK_INT(td_vm_op(&t, SPEC_KVM_TDX_INIT_VM, 0, NULL), -EFAULT);
	CHECK_INT(device_ioctl(t.d, t.vm, KVM_MEMORY_ENCRYPT_OP, &dirty),
		-EINVAL);
	td_prepare(&t, TD_NOTHING, 0);
	CHECK_INT(td_cpu_op(&t, SPEC_KVM_TDX_FINALIZE_VM, 0, NULL), -EINVAL);
	CHECK_INT(td_cpu_op(&t, SPEC_KVM_TDX_GET_CPUID, 0, &few), -E2BIG);
	CHECK(few.nent > 8);
	td_close(&t);
}
