/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/machine.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"

/* In QEMU's place: a process that has complained, and has closed its end. */
static void play(struct soft_machine *m, int *theirs)
{
	static const char complaint[] = "no such board\n";
	int pair[2];
	struct err e;
	CHECK(soft_machine_init(m, &e));
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	m->peer = pair[0];
	*theirs = pair[1];
	m->said = memfd_create("said", 0);
	CHECK_INT(write(m->said, complaint, sizeof complaint - 1),
		sizeof complaint - 1);
	m->pid = fork();
	if (!m->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[1]);
	}
	while (!m->pid)
		pause();
}

TEST(machine_whose_qemu_is_only_about_to_end_says_that_it_ended)
{
	struct soft_machine m;
	struct err e = { 0 };
	int theirs;
	play(&m, &theirs);
	close(theirs);
	CHECK(!soft_machine_call(&m, MONITOR_INJECT, (uint64_t[4]){ 0 }, &e));
	CHECK_STR(e.text, "monitor: QEMU ended: no such board");
	/* Whoever asks once more hears the same. */
	CHECK(!soft_machine_call(&m, MONITOR_INJECT, (uint64_t[4]){ 0 }, &e));
	CHECK_STR(e.text, "monitor: QEMU ended: no such board");
	soft_machine_fini(&m);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}
