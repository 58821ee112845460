/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "soft/machine.h"

/* QEMU's descriptors. */
enum { IMAGE_FD = 3, SOCKET_FD = 4, GDB_FD = 5, HIGH_FD = 16 };

/* --- boards ------------------------------------------------------------- */

static const char *const pc_words[] = { "-M",
	"pc,usb=off,vmport=off,smm=off,hpet=off,acpi=off", "-cpu",
	"max,phys-bits=48", NULL };
const struct soft_board soft_board_pc = { "qemu-system-x86_64",
	"qemu-system-x86", pc_words };

/* Zkr: the entropy source that the monitor draws from.  Its interrupts are
 * messages: what wakes the monitor is one. */
static const char *const riscv_words[] = { "-M", "virt,aia=aplic-imsic", "-cpu",
	"rv64,zkr=on,v=off,h=off", NULL };
const struct soft_board soft_board_riscv = { "qemu-system-riscv64",
	"qemu-system-misc", riscv_words };

/* No firmware of IBM's: the host bridge is as it is after a reset. */
static const char *const power_words[] = { "-M", "powernv9", "-cpu", "power9",
	"-device", "pnv-phb,index=0,chip-id=0,id=bridge", "-device",
	"pnv-phb-root-port,bus=bridge,id=below", NULL };
const struct soft_board soft_board_power = { "qemu-system-ppc64",
	"qemu-system-ppc", power_words };

enum { PATH_BYTES = 64 };

bool soft_board_find(const struct soft_board *b, char *path, struct err *e)
{
	static const char *const folders[] = { "/usr/bin", "/usr/local/bin" };
	char at[PATH_BYTES];
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		fmt(at, sizeof at, "%s/%s", folders[i], b->program);
		if (access(at, X_OK) != 0)
			continue;
		if (path)
			memcpy(path, at, sizeof at);
		return true;
	}
	return err_fail(e, ERR_HOST, "no %s: install %s", b->program,
		b->package);
}

/* --- the debugger's socket ---------------------------------------------- */

/* Made here, so that QEMU's user needs no right to the folder. */
bool soft_gdb_listen(const char *path, int *out, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (!path)
		return true;
	if (strlen(path) >= sizeof a.sun_path)
		return err_fail(e, ERR_INPUT, "%s: too long", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
		listen(fd, 1) != 0)
		return err_fail(e, ERR_HOST, "gdb at %s: %s", path,
			strerror(errno));
	*out = fd_move(&fd);
	return true;
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

enum { MOST_WORDS = 48 };

struct words {
	char *word[MOST_WORDS];
	size_t count;
};

/* One place stays NULL, for execve. */
static void add(struct words *w, const char *word)
{
	if (w->count < MOST_WORDS - 1)
		w->word[w->count++] = (char *)(uintptr_t)word;
}

static void add_all(struct words *w, const char *const *words)
{
	for (; *words; words++)
		add(w, *words);
}

static const char *const every_board[] = { "-accel", "tcg", "-nodefaults",
	"-no-user-config", "-display", "none", "-no-reboot", "-L", "/none",
	"-bios", "/proc/self/fd/3", "-chardev", "socket,id=bell,fd=4",
	"-device", "ivshmem-doorbell,chardev=bell,vectors=2", "-sandbox",
	"on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
	"resourcecontrol=deny",
	NULL };
/* Only a debug Keep's. */
static const char *const debugger[] = { "-chardev",
	"socket,id=gdb,fd=5,server=on,wait=off", "-gdb", "chardev:gdb", NULL };

NORETURN static void child(const struct soft_start *s, int socket, int said,
	pid_t parent, const char *program, const char *memory)
{
	const struct soft_board *b = s->board ? s->board : &soft_board_pc;
	struct words w = { 0 };
	char *const env[] = { NULL };
	add(&w, b->program);
	add_all(&w, b->words);
	add(&w, "-m");
	add(&w, memory);
	add_all(&w, every_board);
	if (s->gdb > 0)
		add_all(&w, debugger);
	if (place_fds(s, socket, said) && become(s) && settle(parent))
		execve(program, w.word, env);
	_exit(127);
}

/* --- ours --------------------------------------------------------------- */

bool soft_machine_spawn(const struct soft_start *s, int socket, int said,
	pid_t *pid, struct err *e)
{
	const struct soft_board *b = s->board ? s->board : &soft_board_pc;
	char memory[32], program[PATH_BYTES];
	if (!soft_board_find(b, program, e))
		return false;
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
