/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/boot.h"

#include <setjmp.h>

#include "../test.h"
#include "base/fmt.h"
#include "shim/common/end.h"
#include "shim/common/user.h"

/* --- a shim ------------------------------------------------------------- */

struct user shim_user;
static jmp_buf ended;
static char why[256];
static uint64_t ticks, rings, asked_for;
static uint32_t khz, unknown;
static int left;
static bool draws;
static uint8_t memory[16];

uint64_t shim_counter(void)
{
	return ticks;
}

uint32_t shim_counter_khz(UNUSED const struct vm_hints *h)
{
	return khz;
}

static bool draw(uint64_t *out)
{
	static uint64_t n = 88172645463325252;
	n ^= n << 13;
	n ^= n >> 7;
	n ^= n << 17;
	*out = n * 2685821657736338717;
	return draws;
}

bool shim_random(struct random_source *r, struct err *e)
{
	return random_init(r, NULL, draw, e);
}

void shim_bell(void)
{
	rings++;
}

void shim_exit(int status, uint32_t unknown_calls)
{
	left = status;
	unknown = unknown_calls;
	longjmp(ended, 1);
}

void shim_crash(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fmt_v(why, sizeof why, format, ap);
	va_end(ap);
	longjmp(ended, 1);
}

bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n)
{
	CHECK(u == &shim_user);
	asked_for = to;
	memcpy(memory, from, n);
	return true;
}

bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n)
{
	CHECK(u == &shim_user);
	asked_for = from;
	memcpy(to, memory, n);
	return true;
}

static struct personality *begin(void)
{
	static struct clock clock;
	static struct random_source random;
	static struct personality p;
	p = (struct personality){ .clock = &clock, .random = &random };
	khz = 1000000;
	draws = true;
	ticks = 70;
	return &p;
}

/* --- tests ---------------------------------------------------------------- */

TEST(hints_are_copied_and_judged)
{
	struct vm_hints h = { .magic = VM_HINTS_MAGIC,
		.version = VM_HINTS_VERSION,
		.ram_bytes = 5,
		.real_ns = 6 };
	struct vm_hints got = boot_hints(&h);
	CHECK_MEM(&got, &h, sizeof h);
}

static void check_no_hints(uint32_t magic, uint32_t version)
{
	const struct vm_hints h = { .magic = magic, .version = version };
	if (!setjmp(ended)) {
		boot_hints(&h);
		fail_msg("lives");
	}
	CHECK_STR(why, "boot: the host's hints are no hints");
}

TEST(hints_that_are_none_end_the_keep)
{
	check_no_hints(VM_HINTS_MAGIC + 1, VM_HINTS_VERSION);
	check_no_hints(VM_HINTS_MAGIC, VM_HINTS_VERSION + 1);
	check_no_hints(0, 0);
}

TEST(calls_begin_with_the_hosts_hour_and_reach_the_shim)
{
	const struct vm_hints h = { .real_ns = 1000000 };
	struct personality *p = begin();
	boot_calls(p, &h);
	CHECK_INT(clock_real(p->clock, 70 + 30), 1000030);
	CHECK(p->ops->copy_out(0x1234, "exec", 5));
	CHECK_INT(asked_for, 0x1234);
	char text[5];
	CHECK(p->ops->copy_in(text, 0x4321, 5));
	CHECK_STR(text, "exec");
	CHECK_INT(asked_for, 0x4321);
	p->ops->bell();
	CHECK_INT(rings, 1);
	CHECK_INT(p->ops->counter(), 70);
	if (!setjmp(ended))
		p->ops->exit(3, 4);
	CHECK_INT(left, 3);
	CHECK_INT(unknown, 4);
	if (!setjmp(ended))
		p->ops->crash("100 %s");
	CHECK_STR(why, "100 %s");
}

TEST(no_call_is_made_without_a_clock_or_randomness)
{
	const struct vm_hints h = { .real_ns = 1 };
	struct personality *p = begin();
	khz = 0;
	if (!setjmp(ended)) {
		boot_calls(p, &h);
		fail_msg("lives");
	}
	CHECK_STR(why, "boot: a counter of 0 kHz");
	p = begin();
	draws = false;
	if (!setjmp(ended)) {
		boot_calls(p, &h);
		fail_msg("lives");
	}
	CHECK_HAS(why, "boot: ");
	CHECK_HAS(why, "random");
}
