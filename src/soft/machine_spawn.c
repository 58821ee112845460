/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "soft/machine.h"

/* QEMU's descriptors. */
enum { IMAGE_FD = 3, SOCKET_FD = 4, GDB_FD = 5, HIGH_FD = 16 };

const char *soft_machine_program(void)
{
	static const char *const paths[] = {
		"/usr/bin/qemu-system-x86_64",
		"/usr/local/bin/qemu-system-x86_64",
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* --- the child's side --------------------------------------------------- */

static bool place_fds(const struct soft_start *s, int socket, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int from[] = { null, null, said, s->image, socket, s->gdb };
	const size_t count = s->gdb > 0 ? GDB_FD + 1 : GDB_FD;
	int high[ARRAY_LEN(from)];
	for (size_t i = 0; i < count; i++) {
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, HIGH_FD);
		if (high[i] < 0)
			return false;
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(high[i], (int)i) < 0)
			return false;
	return close_range((unsigned)count, ~0u, 0) == 0;
}

static bool become(const struct soft_start *s)
{
	return !s->change_id ||
		(setgroups(0, NULL) == 0 &&
			setresgid(s->uid, s->uid, s->uid) == 0 &&
			setresuid(s->uid, s->uid, s->uid) == 0);
}

/* Dies with its parent.  A change of user would forget that: it comes last. */
static bool settle(pid_t parent)
{
	struct rlimit none = { 0, 0 };
	sigset_t empty;
	sigemptyset(&empty);
	for (int n = 1; n < NSIG; n++)
		signal(n, SIG_DFL);
	return setrlimit(RLIMIT_CORE, &none) == 0 &&
		sigprocmask(SIG_SETMASK, &empty, NULL) == 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/* Not const: execve's type. */
NORETURN static void child(const struct soft_start *s, int socket, int said,
	pid_t parent, const char *program, char *memory)
{
	static char name[] = "qemu-system-x86_64", m[] = "-M",
		    machine[] = "pc,usb=off,vmport=off,smm=off,hpet=off,"
				"acpi=off",
		    accel[] = "-accel", tcg[] = "tcg", cpu[] = "-cpu",
		    max[] = "max,phys-bits=48", mem[] = "-m",
		    nodefaults[] = "-nodefaults", config[] = "-no-user-config",
		    display[] = "-display", none[] = "none",
		    reboot[] = "-no-reboot", dir[] = "-L", nowhere[] = "/none",
		    bios[] = "-bios", image[] = "/proc/self/fd/3",
		    chardev[] = "-chardev", server[] = "socket,id=bell,fd=4",
		    device[] = "-device",
		    bell[] = "ivshmem-doorbell,chardev=bell,vectors=2",
		    sandbox[] = "-sandbox",
		    deny[] = "on,obsolete=deny,elevateprivileges=deny,"
			     "spawn=deny,resourcecontrol=deny",
		    gdb[] = "-gdb", stub[] = "chardev:gdb",
		    gdb_server[] = "socket,id=gdb,fd=5,server=on,wait=off";
	char *const argv[] = { name, m, machine, accel, tcg, cpu, max, mem,
		memory, nodefaults, config, display, none, reboot, dir, nowhere,
		bios, image, chardev, server, device, bell, sandbox, deny,
		/* Only a debug Keep's. */
		s->gdb > 0 ? chardev : NULL, gdb_server, gdb, stub, NULL };
	char *const env[] = { NULL };
	if (place_fds(s, socket, said) && become(s) && settle(parent))
		execve(program, argv, env);
	_exit(127);
}

/* --- ours --------------------------------------------------------------- */

bool soft_machine_spawn(const struct soft_start *s, int socket, int said,
	pid_t *pid, struct err *e)
{
	const char *program = soft_machine_program();
	char memory[32];
	if (!program)
		return err_fail(e, ERR_HOST,
			"no qemu-system-x86_64: install qemu-system-x86");
	fmt(memory, sizeof memory, "%lluk",
		(unsigned long long)(s->ram_bytes / 1024));
	pid_t parent = getpid(), made = fork();
	if (made < 0)
		return err_fail(e, ERR_HOST, "fork: %s", strerror(errno));
	if (made == 0)
		child(s, socket, said, parent, program, memory);
	*pid = made;
	return true;
}
