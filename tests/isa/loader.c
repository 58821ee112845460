/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the end-to-end tests of exec on other ISAs: donjon-keep with technology
 * `process`, whose child is qemu-user with such an exec in it.  Gate, bell,
 * measurement, evidence and all else are the real ones; what is not here is the
 * child's sandbox, which the emulator does not fit in.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "abi/gate.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/process_priv.h"

#define IMAGE "/proc/self/fd/5"
enum { IMAGE_FD = 5, HIGH_FD = 16 };

/* The linker's doors (--wrap). */
bool __wrap_process_image_load(const char *image_dir, int *file, struct err *e);
bool __wrap_process_spawn(const struct process_spawn *s,
	struct process_child *c, struct err *e);

bool __wrap_process_image_load(const char *image_dir, int *file, struct err *e)
{
	char path[4096];
	fmt(path, sizeof path, "%s/process/exec", image_dir);
	*file = open(path, O_RDONLY | O_CLOEXEC);
	return *file >= 0 ||
		err_fail(e, ERR_HOST, "%s: %s", path, strerror(errno));
}

static NORETURN void child(const struct process_spawn *s, uint16_t machine)
{
	const int from[] = { s->bell, s->area, s->image };
	int high[ARRAY_LEN(from)];
	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, HIGH_FD);
	if (dup2(high[0], GATE_BELL_FD) < 0 ||
		dup2(high[1], GATE_AREA_FD) < 0 ||
		dup2(high[2], IMAGE_FD) < 0 ||
		prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		_exit(1);
	if (machine == EM_PPC64)
		execlp("qemu-ppc64le-static", "exec", "-cpu", "power9", IMAGE,
			NULL);
	else
		execlp("qemu-riscv64-static", "exec", IMAGE, NULL);
	_exit(1);
}

bool __wrap_process_spawn(const struct process_spawn *s,
	struct process_child *c, struct err *e)
{
	Elf64_Ehdr h;
	int pair[2];
	if (pread(s->image, &h, sizeof h, 0) != (ssize_t)sizeof h ||
		(h.e_machine != EM_RISCV && h.e_machine != EM_PPC64))
		return err_fail(e, ERR_HOST, "no program of another ISA");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_fail(e, ERR_HOST, "socketpair: %s", strerror(errno));
	auto_fd theirs = pair[1];
	c->report = pair[0];
	c->change_id = false;
	c->pid = fork();
	if (c->pid == 0)
		child(s, h.e_machine);
	return c->pid > 0 || err_fail(e, ERR_HOST, "fork: %s", strerror(errno));
}
