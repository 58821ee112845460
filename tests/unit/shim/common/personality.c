/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/personality.h"

#include <setjmp.h>
#include <stdlib.h>

#include "../../test.h"
#include "abi/gate.h"
#include "shim/common/linux.h"

/* exec's memory: one page at HERE; everything else is not there. */
#define HERE 0x100000u

static uint8_t memory[PAGE_BYTES];
static unsigned bells;
static uint64_t ticks;
static int status;
static uint32_t refused;
static const char *crashed;
static jmp_buf gone;

static bool inside(uint64_t at, size_t n)
{
	return at >= HERE && at - HERE <= sizeof memory &&
		n <= sizeof memory - (at - HERE);
}

static bool copy_out(uint64_t to, const void *from, size_t n)
{
	if (!inside(to, n))
		return false;
	memcpy(memory + (to - HERE), from, n);
	return true;
}

static bool copy_in(void *to, uint64_t from, size_t n)
{
	if (!inside(from, n))
		return false;
	memcpy(to, memory + (from - HERE), n);
	return true;
}

static uint64_t counter(void)
{
	return ticks;
}

static void bell(void)
{
	bells++;
}

NORETURN static void leave(int s, uint32_t unknown_calls)
{
	status = s;
	refused = unknown_calls;
	longjmp(gone, 1);
}

NORETURN static void crash(const char *why)
{
	crashed = why;
	longjmp(gone, 1);
}

static bool draw(uint64_t *out)
{
	static uint64_t z;
	z += 0x9e3779b97f4a7c15;
	*out = (z ^ z >> 29) * 0xbf58476d1ce4e5b9;
	*out ^= *out >> 32;
	return true;
}

static const struct personality_ops ops = { copy_out, copy_in, counter, bell,
	leave, crash };

static struct space space;
static struct clock the_clock;
static struct random_source source;
static struct personality p;

static void begin(void)
{
	memset(memory, 0xee, sizeof memory);
	bells = 0;
	ticks = 0;
	status = -1;
	crashed = NULL;
	space = (struct space){ .low = 0x10000,
		.high = 1u << 30,
		.pages_max = 100 };
	CHECK(clock_init(&the_clock, 0, 1000000, 1700000000000000000));
	CHECK(random_init(&source, NULL, draw, NULL));
	p = (struct personality){ .ops = &ops,
		.space = &space,
		.clock = &the_clock,
		.random = &source };
}

static int64_t call(enum call c, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3)
{
	const uint64_t args[6] = { a0, a1, a2, a3, UINT64_MAX, 0 };
	return personality_call(&p, c, args);
}

static uint64_t word(uint64_t at)
{
	uint64_t v;
	CHECK(copy_in(&v, at, sizeof v));
	return v;
}

TEST(bell_is_rung_by_a_byte_and_answered_by_one)
{
	begin();
	CHECK_INT(call(CALL_READ, GATE_BELL_FD, HERE, 1, 0), 0);
	CHECK_INT(call(CALL_WRITE, GATE_BELL_FD, HERE, 1, 0), 1);
	CHECK_INT(bells, 1);
	CHECK_INT(call(CALL_READ, GATE_BELL_FD, HERE, 1, 0), 1);
	CHECK_INT(memory[0], 0);
	CHECK_INT(call(CALL_READ, GATE_BELL_FD, HERE, 1, 0), 0);
	CHECK_INT(bells, 1);
}

TEST(no_other_descriptor_leads_anywhere)
{
	begin();
	for (uint64_t fd = 0; fd < 8; fd++) {
		if (fd == GATE_BELL_FD)
			continue;
		CHECK_INT(call(CALL_WRITE, fd, HERE, 1, 0), -LINUX_EBADF);
		CHECK_INT(call(CALL_READ, fd, HERE, 1, 0), -LINUX_EBADF);
	}
	CHECK_INT(call(CALL_WRITE, GATE_BELL_FD, HERE, 2, 0), -LINUX_EINVAL);
	CHECK_INT(bells, 0);
}

TEST(answer_that_has_nowhere_to_go_stays)
{
	begin();
	CHECK_INT(call(CALL_WRITE, GATE_BELL_FD, HERE, 1, 0), 1);
	CHECK_INT(call(CALL_READ, GATE_BELL_FD, 8, 1, 0), -LINUX_EFAULT);
	CHECK_INT(call(CALL_READ, GATE_BELL_FD, HERE, 1, 0), 1);
}

TEST(clocks_tell_the_counter_and_the_hour)
{
	begin();
	ticks = 2500000123;
	CHECK_INT(call(CALL_CLOCK_GETTIME, LINUX_CLOCK_MONOTONIC, HERE, 0, 0),
		0);
	CHECK_INT(word(HERE), 2);
	CHECK(word(HERE + 8) / 10 == 50000012);
	CHECK_INT(call(CALL_CLOCK_GETTIME, LINUX_CLOCK_REALTIME, HERE, 0, 0),
		0);
	CHECK_INT(word(HERE), 1700000002);
	CHECK_INT(call(CALL_TIME, 0, 0, 0, 0), 1700000002);
	CHECK_INT(call(CALL_GETTIMEOFDAY, HERE, 0, 0, 0), 0);
	CHECK_INT(word(HERE + 8), 500000);
	CHECK_INT(call(CALL_CLOCK_GETTIME, 8, HERE, 0, 0), -LINUX_EINVAL);
	CHECK_INT(call(CALL_CLOCK_GETTIME, 1, HERE + PAGE_BYTES - 8, 0, 0),
		-LINUX_EFAULT);
}

TEST(getrandom_fills_any_length)
{
	begin();
	CHECK_INT(call(CALL_GETRANDOM, HERE + 3, 29, 0, 0), 29);
	CHECK_INT(memory[2], 0xee);
	CHECK_INT(memory[32], 0xee);
	unsigned same = 0;
	for (size_t i = 3; i < 32; i++)
		same += memory[i] == 0xee;
	CHECK(same < 8);
	CHECK_INT(call(CALL_GETRANDOM, HERE, PAGE_BYTES + 1, 0, 0),
		-LINUX_EFAULT);
	CHECK_INT(call(CALL_GETRANDOM, 0, 0, 0, 0), 0);
}

TEST(broken_generator_ends_the_keep)
{
	begin();
	source.failed = true;
	if (!setjmp(gone)) {
		call(CALL_GETRANDOM, HERE, 8, 0, 0);
		fail_msg("it gave random bytes");
	}
	CHECK_STR(crashed, "random generator failed");
}

TEST(futex_of_one_thread_never_sleeps)
{
	static const uint32_t value = 5;
	begin();
	CHECK(copy_out(HERE, &value, sizeof value));
	CHECK_INT(call(CALL_FUTEX, HERE, LINUX_FUTEX_WAKE | 128, 1, 0), 0);
	CHECK_INT(call(CALL_FUTEX, HERE, LINUX_FUTEX_WAIT, 6, 0),
		-LINUX_EAGAIN);
	CHECK_INT(call(CALL_FUTEX, HERE, LINUX_FUTEX_WAIT, 5, HERE),
		-LINUX_ETIMEDOUT);
	CHECK_INT(call(CALL_FUTEX, 0, LINUX_FUTEX_WAIT, 5, 0), -LINUX_EFAULT);
	CHECK_INT(call(CALL_FUTEX, HERE, 4, 5, 0), -LINUX_ENOSYS);
	if (!setjmp(gone)) {
		call(CALL_FUTEX, HERE, LINUX_FUTEX_WAIT, 5, 0);
		fail_msg("it woke up");
	}
	CHECK_STR(crashed, "exec waits for itself");
}

TEST(exit_takes_the_status_and_the_count_of_refused_calls_along)
{
	begin();
	CHECK_INT(call(CALL_UNKNOWN, 0, 0, 0, 0), -LINUX_ENOSYS);
	if (!setjmp(gone))
		call(CALL_EXIT, 0x107, 0, 0, 0);
	CHECK_INT(status, 7);
	CHECK_INT(refused, 1);
	if (!setjmp(gone))
		call(CALL_KILL, 1, 1, 6, 0);
	CHECK_INT(status, 134);
}

TEST(unknown_calls_are_refused_and_counted)
{
	begin();
	CHECK_INT(call(CALL_UNKNOWN, 0, 0, 0, 0), -LINUX_ENOSYS);
	CHECK_INT(call(CALL_COUNT, 0, 0, 0, 0), -LINUX_ENOSYS);
	CHECK_INT(p.unknown, 2);
	CHECK_INT(call(CALL_SYSINFO, 0, 0, 0, 0), -LINUX_ENOSYS);
	CHECK_INT(call(CALL_NOTHING, 0, 0, 0, 0), 0);
	CHECK_INT(call(CALL_READLINK, 0, 0, 0, 0), -LINUX_ENOENT);
	CHECK_INT(call(CALL_GETPID, 0, 0, 0, 0), 1);
	CHECK_INT(call(CALL_PRLIMIT64, 0, 3, 0, HERE), 0);
	CHECK_INT(word(HERE), 8 << 20);
	CHECK_INT(p.unknown, 2);
}

TEST(memory_calls_reach_the_address_space)
{
	begin();
	int64_t at = personality_call(&p, CALL_MMAP,
		(const uint64_t[]){ 0, PAGE_BYTES, 3, 0x22, 0xffffffff, 0 });
	CHECK(at > 0);
	CHECK(space_find(&space, (uint64_t)at));
	CHECK_INT(call(CALL_MPROTECT, (uint64_t)at, PAGE_BYTES, 7, 0),
		-LINUX_EACCES);
}
