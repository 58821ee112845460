/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_monitor.h"
#include "helpers/bench.h"

#include "../../test.h"

/* One call of the right ones, with one argument that is not. */
struct wrong {
	enum bench_step step;
	unsigned argument;
	uint64_t value;
};

static void refused(const struct wrong *w, size_t n)
{
	static struct monitor before;
	for (size_t i = 0; i < n; i++) {
		struct bench_call c = bench_step(w[i].step);
		c.a[w[i].argument] = w[i].value;
		bench_load(w[i].step);
		before = bench;
		enum sanctum_result r = bench_do(c);
		if (r != SANCTUM_VALUE)
			fail_msg("step %d, argument %u, 0x%llx: %d",
				(int)w[i].step, w[i].argument,
				(unsigned long long)w[i].value, (int)r);
		CHECK_MEM(&bench, &before, sizeof before);
		CHECK_INT(bench_do(bench_step(w[i].step)), SANCTUM_OK);
	}
}

TEST(enclave_is_loaded_by_the_calls_in_their_order)
{
	bench_load(STEPS);
	CHECK_INT(bench.enclave[0].state, ENCLAVE_READY);
}

/* With that as its page. */
static void measures(const uint8_t page[PAGE_BYTES])
{
	struct attest_sanctum_build *b;
	uint8_t want[64];
	CHECK(attest_sanctum_create(BENCH_EV, BENCH_EV, 0, false, &b, NULL));
	CHECK(attest_sanctum_handler(b,
		bytes_of(bench.handler.ptr, bench.handler.len), NULL));
	for (uint64_t level = 3; level; level--)
		CHECK(attest_sanctum_table(b, BENCH_EV, level, 1, NULL));
	CHECK(attest_sanctum_page(b, BENCH_EV + 0x5000, 1 | 2 | 8,
		bytes_of(page, PAGE_BYTES), NULL));
	CHECK(attest_sanctum_thread(b, BENCH_EV + 0x5000, BENCH_EV + 0x6000, 0,
		NULL));
	CHECK(attest_sanctum_end(b, want, NULL));
	attest_sanctum_free(b);
	CHECK_MEM(bench.enclave[0].measurement, want, sizeof want);
}

TEST(enclave_measures_what_a_verifier_computes)
{
	bench_load(STEPS);
	measures(bench_at(BENCH_OS + 0x1000));
}

static void change_the_page(void)
{
	bench_at(BENCH_OS + 0x1000)[9]++;
}

/* MIT's monitor hashes the operating system's page, behind the copy. */
TEST(enclave_s_page_that_changes_meanwhile_is_measured_as_it_is_loaded)
{
	bench_load(STEP_PAGE);
	bench_meanwhile = change_the_page;
	CHECK_INT(bench_do(bench_step(STEP_PAGE)), SANCTUM_OK);
	bench_meanwhile = NULL;
	for (int s = STEP_THREAD; s < STEPS; s++)
		CHECK_INT(bench_do(bench_step((enum bench_step)s)), SANCTUM_OK);
	CHECK(memcmp(bench_at(BENCH_BASE + 0x5000), bench_at(BENCH_OS + 0x1000),
		      PAGE_BYTES) != 0);
	measures(bench_at(BENCH_BASE + 0x5000));
}

TEST(enclave_s_pages_are_copies)
{
	bench_load(STEP_THREAD);
	uint8_t *page = bench_at(BENCH_BASE + 0x5000);
	CHECK_MEM(page, bench_at(BENCH_OS + 0x1000), PAGE_BYTES);
	bench_at(BENCH_OS + 0x1000)[5] ^= 1;
	CHECK(page[5] != bench_at(BENCH_OS + 0x1000)[5]);
}

TEST(enclave_s_memory_is_where_enclaves_may_be)
{
	static const struct wrong w[] = {
		{ STEP_CREATE, 0, SANCTUM_MONITOR_AT },
		{ STEP_CREATE, 0, BENCH_OS },
		{ STEP_CREATE, 0, BENCH_BASE + PAGE_BYTES },
		{ STEP_CREATE, 0, BENCH_OTHER + 0x200000 },
		{ STEP_CREATE, 0, UINT64_MAX - 0x1fffff },
		{ STEP_CREATE, 1, 0 },
		{ STEP_CREATE, 1, BENCH_ENCLAVE_BYTES - PAGE_BYTES },
		{ STEP_CREATE, 1, 2 * BENCH_ENCLAVE_BYTES + 0x200000 },
		{ STEP_CREATE, 1, ~0ull & ~0x1fffffull },
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_s_parameters_are_judged)
{
	static const struct wrong w[] = {
		{ STEP_CREATE, 2, BENCH_EV | 1 },
		{ STEP_CREATE, 3, 0x7fffffff80000000ull },
		{ STEP_CREATE, 4, 1 }, /* mailboxes: there are none */
		{ STEP_CREATE, 5, 2 }, /* debug is a bool */
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclaves_do_not_overlap)
{
	uint64_t value;
	struct bench_call c = bench_step(STEP_CREATE);
	bench_load(STEP_HANDLER);
	CHECK_INT(bench_do(c), SANCTUM_VALUE);
	c.a[0] = BENCH_BASE + 0x200000;
	CHECK_INT(bench_do(c), SANCTUM_VALUE);
	c.a[0] = BENCH_OTHER;
	CHECK_INT(enclave_call(&bench, c.number, c.a, &value), SANCTUM_OK);
	CHECK_INT(value, 1);
}

TEST(enclaves_are_so_many_and_no_more)
{
	bench_start();
	for (size_t i = 0; i < ENCLAVES; i++) {
		bench.enclave[i].state = ENCLAVE_READY;
		bench.enclave[i].base = BENCH_OTHER;
		bench.enclave[i].bytes = 0x200000;
	}
	CHECK_INT(bench_do(bench_step(STEP_CREATE)), SANCTUM_FULL);
}

TEST(enclave_s_pages_lie_in_its_memory_and_behind_each_other)
{
	static const struct wrong w[] = {
		{ STEP_HANDLER, 1, BENCH_BASE + PAGE_BYTES },
		{ STEP_HANDLER, 1, BENCH_OTHER },
		{ STEP_ROOT, 1, BENCH_BASE }, /* the handler's */
		{ STEP_ROOT, 1, BENCH_BASE + 0x1800 },
		{ STEP_ROOT, 1, BENCH_OTHER },
		{ STEP_ROOT, 1, SANCTUM_MONITOR_AT },
		{ STEP_ROOT, 1, BENCH_OS },
		{ STEP_MIDDLE, 1, BENCH_BASE + 0x1000 }, /* the root's */
		{ STEP_PAGE, 1, BENCH_BASE + 0x3000 },	 /* a table's */
		{ STEP_PAGE, 1, BENCH_BASE + 0x6000 },	 /* another place */
		{ STEP_PAGE, 1, BENCH_OTHER + 0x5000 },
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_s_addresses_are_in_its_range)
{
	static const struct wrong w[] = {
		{ STEP_ROOT, 2, 0 }, { STEP_ROOT, 2, BENCH_EV + 8 },
		{ STEP_MIDDLE, 2, 0xffffffff40000000ull },
		{ STEP_LAST, 2, 0x80000000ull },
		{ STEP_LAST, 2, BENCH_EV + 0x40000000 }, /* no table there */
		{ STEP_PAGE, 2, 0x5000 }, { STEP_PAGE, 2, BENCH_EV + 0x5800 },
		{ STEP_PAGE, 2, BENCH_EV + 0x6000 },
		{ STEP_PAGE, 2, BENCH_EV + 0x205000 }, /* no table there */
		{ STEP_THREAD, 1, 0x5000 },
		{ STEP_THREAD, 1, BENCH_EV + 0x5002 },
		{ STEP_THREAD, 3, 1 }, /* timer limit: there is none */
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_s_tables_are_of_a_level_and_only_pointers)
{
	static const struct wrong w[] = {
		{ STEP_ROOT, 3, 2 },   /* no root yet */
		{ STEP_ROOT, 3, 4 },   /* more than Sv39 has */
		{ STEP_ROOT, 3, 0 },   /* a page's */
		{ STEP_MIDDLE, 3, 3 }, /* a second root */
		{ STEP_MIDDLE, 3, 1 }, /* the one above is not there */
		{ STEP_LAST, 3, 2 },   /* is there already */
		{ STEP_LAST, 4, 0 },
		{ STEP_LAST, 4, SANCTUM_V | SANCTUM_R }, /* a large page */
		{ STEP_LAST, 4, SANCTUM_V | SANCTUM_X },
		{ STEP_LAST, 4, SANCTUM_V | 0x10 }, /* U-mode's */
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_s_pages_are_never_writable_and_executable)
{
	static const struct wrong w[] = {
		{ STEP_PAGE, 4, 0xf },
		{ STEP_PAGE, 4, SANCTUM_R | SANCTUM_X },
		{ STEP_PAGE, 4, SANCTUM_V },
		{ STEP_PAGE, 4, SANCTUM_V | SANCTUM_X },
		{ STEP_PAGE, 4, SANCTUM_V | SANCTUM_W },
		{ STEP_PAGE, 4, SANCTUM_V | SANCTUM_R | 0x10 },
		{ STEP_PAGE, 4, SANCTUM_V | SANCTUM_R | 0x100 },
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_is_loaded_from_untrusted_memory_alone)
{
	static const struct wrong w[] = {
		{ STEP_PAGE, 3, SANCTUM_MONITOR_AT },
		{ STEP_PAGE, 3, BENCH_BASE },
		{ STEP_PAGE, 3, BENCH_OTHER },
		{ STEP_PAGE, 3, BENCH_OS + 0x800 },
		{ STEP_PAGE, 3, BENCH_OS + BENCH_UNTRUSTED_BYTES },
		{ STEP_PAGE, 3, BENCH_OS - PAGE_BYTES },
		{ STEP_PAGE, 3, UINT64_MAX - 0xfff },
		{ STEP_WINDOW, 1, SANCTUM_MONITOR_AT },
		{ STEP_WINDOW, 1, BENCH_BASE },
		{ STEP_WINDOW, 1, BENCH_OS + 0x800 },
		{ STEP_WINDOW, 2, 0 },
		{ STEP_WINDOW, 2, 0x800 },
		{ STEP_WINDOW, 2, BENCH_UNTRUSTED_BYTES },
		{ STEP_WINDOW, 2, ~0ull & ~0xfffull },
	};
	refused(w, ARRAY_LEN(w));
}

TEST(enclave_s_first_page_is_the_handler_s)
{
	struct bench_call c = bench_step(STEP_PAGE);
	bench_load(STEP_PAGE);
	c.a[1] = BENCH_BASE;
	c.a[2] = BENCH_EV;
	CHECK_INT(bench_do(c), SANCTUM_VALUE);
	bench_load(STEPS);
	uint64_t entry = tables_entry(&bench.enclave[0], BENCH_EV, 1), v;
	memcpy(&v, bench_at(entry), sizeof v);
	CHECK_INT(v >> 10, BENCH_BASE >> 12);
	CHECK_INT(v & 0xf, SANCTUM_V | SANCTUM_R | SANCTUM_X);
	CHECK_MEM(bench_at(BENCH_BASE), bench.handler.ptr, bench.handler.len);
}

TEST(enclave_with_no_table_for_the_handler_is_none)
{
	static const enum bench_step others[] = { STEP_CREATE, STEP_HANDLER,
		STEP_ROOT, STEP_MIDDLE, STEP_LAST, STEP_PAGE, STEP_THREAD };
	bench_start();
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct bench_call c = bench_step(others[i]);
		if (others[i] == STEP_LAST)
			c.a[2] += 0x200000;
		if (others[i] == STEP_PAGE) {
			c.a[1] += 0x200000;
			c.a[2] += 0x200000;
		}
		CHECK_INT(bench_do(c), SANCTUM_OK);
	}
	CHECK_INT(bench_do(bench_step(STEP_INIT)), SANCTUM_VALUE);
}

/* --- what is legal when ------------------------------------------------- */

static bool legal(enum enclave_state s, uint64_t call)
{
	switch (call) {
	case SANCTUM_HANDLER:
		return s == ENCLAVE_CREATED;
	case SANCTUM_TABLE:
		return s == ENCLAVE_HANDLER || s == ENCLAVE_TABLES;
	case SANCTUM_PAGE:
		return s == ENCLAVE_TABLES || s == ENCLAVE_PAGES;
	case SANCTUM_THREAD:
	case SANCTUM_INIT:
		return s == ENCLAVE_PAGES;
	case SANCTUM_WINDOW:
		return s >= ENCLAVE_CREATED && s <= ENCLAVE_PAGES;
	case SANCTUM_ENTER:
		return s == ENCLAVE_READY;
	default:
		return s != ENCLAVE_RUNNING;
	}
}

TEST(enclave_refuses_by_name_what_its_state_does_not_allow)
{
	for (int s = ENCLAVE_CREATED; s < ENCLAVE_STATES; s++)
		for (uint64_t call = SANCTUM_HANDLER; call <= SANCTUM_DELETE;
			call++) {
			const uint64_t a[6] = { 0 };
			enum sanctum_result r = SANCTUM_OK;
			uint64_t value;
			bench_load(STEP_INIT);
			bench.enclave[0].state = (enum enclave_state)s;
			if (call == SANCTUM_ENTER)
				(void)enclave_enter(&bench, 0, &r);
			else
				r = enclave_call(&bench, call, a, &value);
			bool ok = legal((enum enclave_state)s, call);
			/* Thread and window are there already. */
			if (call == SANCTUM_THREAD || call == SANCTUM_WINDOW)
				ok = false;
			if ((r == SANCTUM_STATE) == ok)
				fail_msg("state %d, call %d: %d", s, (int)call,
					(int)r);
		}
}

TEST(enclave_that_is_none_is_not_found)
{
	uint64_t value;
	bench_load(STEPS);
	for (uint64_t call = SANCTUM_HANDLER; call <= SANCTUM_DELETE; call++) {
		static const uint64_t numbers[] = { 1, ENCLAVES, UINT64_MAX };
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
			const uint64_t a[6] = { numbers[i] };
			enum sanctum_result r = SANCTUM_OK;
			if (call == SANCTUM_ENTER)
				(void)enclave_enter(&bench, numbers[i], &r);
			else
				r = enclave_call(&bench, call, a, &value);
			CHECK_INT(r, SANCTUM_VALUE);
		}
	}
}

TEST(enclave_calls_that_are_none_are_unknown)
{
	static const uint64_t numbers[] = { 0, SANCTUM_ENTER,
		SANCTUM_DELETE + 1, SANCTUM_LEAVE, SANCTUM_ATTEST,
		SANCTUM_RANDOM, SANCTUM_FAULT, UINT64_MAX };
	bench_load(STEPS);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		CHECK_INT(bench_do((struct bench_call){ numbers[i], { 0 } }),
			SANCTUM_UNKNOWN);
}

TEST(enclave_without_a_thread_is_not_finished)
{
	bench_load(STEP_THREAD);
	CHECK_INT(bench_do(bench_step(STEP_INIT)), SANCTUM_STATE);
}

/* --- its end ------------------------------------------------------------ */

TEST(enclave_that_is_deleted_leaves_nothing)
{
	static const uint8_t zeros[BENCH_ENCLAVE_BYTES];
	static const struct enclave none;
	bench_load(STEPS);
	bench_at(BENCH_BASE + 0x300000)[77] = 1;
	CHECK_INT(bench_do((struct bench_call){ SANCTUM_DELETE, { 0 } }),
		SANCTUM_OK);
	CHECK_MEM(bench_at(BENCH_BASE), zeros, sizeof zeros);
	CHECK_MEM(&bench.enclave[0], &none, sizeof none);
	CHECK_INT(bench_do(bench_step(STEP_CREATE)), SANCTUM_OK);
}

/* --- what runs sees ----------------------------------------------------- */

static unsigned right_at(const struct pmp *p, uint64_t at)
{
	for (unsigned i = 0; i < 2 * p->used; i++) {
		unsigned c = p->config >> (8 * i) & 0xff;
		uint64_t from = i ? p->address[i - 1] : 0;
		if ((c & 0x18) == 8 && at >> 2 >= from &&
			at >> 2 < p->address[i])
			return c & 7;
	}
	return 0;
}

TEST(enclave_sees_its_memory_and_its_window_and_nothing_else)
{
	struct pmp p;
	bench_load(STEPS);
	enclave_protect_inside(&bench.enclave[0], &p);
	CHECK_INT(right_at(&p, BENCH_BASE), 7);
	CHECK_INT(right_at(&p, BENCH_OTHER - 1), 7);
	CHECK_INT(right_at(&p, BENCH_BASE - 1), 0);
	CHECK_INT(right_at(&p, BENCH_OTHER), 0);
	CHECK_INT(right_at(&p, SANCTUM_MONITOR_AT), 0);
	CHECK_INT(right_at(&p, BENCH_OS + 0x2000), PMP_R | PMP_W);
	CHECK_INT(right_at(&p, BENCH_OS + 0x4fff), PMP_R | PMP_W);
	CHECK_INT(right_at(&p, BENCH_OS + 0x1fff), 0);
	CHECK_INT(right_at(&p, BENCH_OS + 0x5000), 0);
}

TEST(operating_system_sees_no_enclave_and_no_monitor)
{
	struct pmp p;
	bench_load(STEPS);
	enclave_protect_outside(&bench, &p);
	CHECK_INT(right_at(&p, BENCH_OS), 7);
	CHECK_INT(right_at(&p, BENCH_OS + BENCH_UNTRUSTED_BYTES - 1), 7);
	CHECK_INT(right_at(&p, BENCH_OS + BENCH_UNTRUSTED_BYTES), 0);
	CHECK_INT(right_at(&p, BENCH_BASE), 0);
	CHECK_INT(right_at(&p, BENCH_OTHER), 0);
	CHECK_INT(right_at(&p, SANCTUM_MONITOR_AT), 0);
	CHECK_INT(right_at(&p, SANCTUM_RECORD_AT), 0);
	CHECK_INT(right_at(&p, 0x40000000), 0);
}

TEST(enclave_begins_as_it_was_measured)
{
	enum sanctum_result r;
	bench_load(STEPS);
	struct enclave *v = enclave_enter(&bench, 0, &r);
	CHECK(v && v->state == ENCLAVE_RUNNING);
	CHECK_INT(v->context.pc, BENCH_EV + 0x5000);
	CHECK_INT(v->context.x[REG_SP], BENCH_EV + 0x6000);
	CHECK_INT(v->context.csrs.stvec, BENCH_EV);
	CHECK_INT(v->context.csrs.satp,
		8ull << 60 | (BENCH_BASE + 0x1000) >> 12);
	CHECK_INT(v->context.mode, 1);
	CHECK_INT(v->context.x[REG_A0], BENCH_BASE);
	CHECK_INT(v->context.x[REG_A0 + 2], BENCH_OS + 0x2000);
	CHECK_INT(enclave_enter(&bench, 0, &r) != NULL, false);
	CHECK_INT(r, SANCTUM_STATE);
}
