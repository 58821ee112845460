/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/end.h"

#include <setjmp.h>

#include "../test.h"
#include "base/must.h"

static struct vm_report report, *shown;
static jmp_buf ended;
static enum vm_event told;

struct vm_report *shim_report(void)
{
	return shown;
}

void shim_end(enum vm_event event)
{
	told = event;
	longjmp(ended, 1);
}

/* `what` ends the Keep, which is told by that event. */
#define ENDS(what, event)                          \
	do {                                       \
		memset(&report, 0, sizeof report); \
		if (!setjmp(ended)) {              \
			what;                      \
			fail_msg("lives");         \
		}                                  \
		CHECK_INT(told, event);            \
	} while (0)

TEST(a_crash_says_why)
{
	shown = &report;
	ENDS(shim_crash("boot: %d of %s", 7, "them"), VM_EVENT_CRASH);
	CHECK_INT(report.text_len, 15);
	CHECK_MEM(report.text, "boot: 7 of them", 15);
	CHECK_INT(report.status, 0);
}

TEST(a_long_reason_is_cut_to_what_the_host_has_room_for)
{
	static char text[2 * sizeof report.text];
	memset(text, 'x', sizeof text - 1);
	shown = &report;
	ENDS(shim_crash("%s", text), VM_EVENT_CRASH);
	CHECK(report.text_len > sizeof report.text / 2);
	CHECK(report.text_len <= sizeof report.text);
	CHECK_MEM(report.text, text, report.text_len - 1);
}

TEST(an_exit_takes_status_and_refused_calls_along)
{
	shown = &report;
	ENDS(shim_exit(3, 41), VM_EVENT_EXIT);
	CHECK_INT(report.status, 3);
	CHECK_INT(report.unknown_calls, 41);
	CHECK_INT(report.text_len, 0);
}

TEST(a_bug_of_ours_is_a_crash_with_its_place)
{
	shown = &report;
	ENDS(must(shown != &report), VM_EVENT_CRASH);
	report.text[report.text_len] = 0;
	CHECK_HAS(report.text, "bug at ");
	CHECK_HAS(report.text, "end.c:");
}

TEST(who_can_tell_nobody_yet_ends_all_the_same)
{
	shown = NULL;
	ENDS(shim_crash("too early"), VM_EVENT_CRASH);
	ENDS(shim_exit(3, 41), VM_EVENT_EXIT);
	CHECK_INT(report.text_len + report.status, 0);
}
