/* SPDX-License-Identifier: Apache-2.0 */
#include "soft/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"

/* A machine that does not start in that time does not start. */
enum { START_MS = 20000, LARGE = 2 << 20, SPIN = 2000 };

static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* --- the shared file ---------------------------------------------------- */

static bool map_box(struct soft_machine *m, struct err *e)
{
	m->file = memfd_create("keep", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->file < 0 || ftruncate(m->file, MONITOR_GUEST_AT) != 0)
		return err_fail(e, ERR_HOST, "shared file: %s",
			strerror(errno));
	void *p = mmap(NULL, MONITOR_GUEST_AT, PROT_READ | PROT_WRITE,
		MAP_SHARED, m->file, 0);
	if (p == MAP_FAILED)
		return err_fail(e, ERR_LIMIT, "shared file: %s",
			strerror(errno));
	m->box = p;
	m->file_bytes = MONITOR_GUEST_AT;
	m->box->magic = MONITOR_MAGIC;
	m->box->version = MONITOR_VERSION;
	m->box->spin = SPIN;
	return true;
}

bool soft_machine_init(struct soft_machine *m, struct err *e)
{
	*m = (struct soft_machine){ .file = -1,
		.peer = -1,
		.wake = -1,
		.said = -1 };
	pthread_mutex_init(&m->calls, NULL);
	for (size_t i = 0; i < MONITOR_BELLS; i++)
		m->bells[i] = -1;
	return map_box(m, e);
}

void *soft_machine_memory(struct soft_machine *m, size_t len)
{
	size_t i = 0, whole;
	while (i < SOFT_REGIONS && m->regions[i].ptr)
		i++;
	if (i == SOFT_REGIONS || m->pid || !size_add(len, LARGE - 1, &whole))
		return NULL;
	uint64_t end;
	whole &= ~((size_t)LARGE - 1);
	if (!whole || __builtin_add_overflow(m->file_bytes, whole, &end) ||
		end > INT64_MAX || ftruncate(m->file, (off_t)end) != 0)
		return NULL;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, m->file,
		(off_t)m->file_bytes);
	if (p == MAP_FAILED)
		return NULL;
	m->regions[i] = (struct soft_region){ p, len, m->file_bytes };
	m->file_bytes = end;
	return p;
}

void soft_machine_memory_free(struct soft_machine *m, void *at)
{
	for (size_t i = 0; at && i < SOFT_REGIONS; i++) {
		struct soft_region *r = &m->regions[i];
		if (r->ptr != at)
			continue;
		munmap(r->ptr, r->len);
		*r = (struct soft_region){ 0 };
	}
}

bool soft_machine_locate(const struct soft_machine *m, const void *ptr,
	size_t len, uint64_t *at)
{
	uintptr_t p = (uintptr_t)ptr;
	for (size_t i = 0; i < SOFT_REGIONS; i++) {
		const struct soft_region *r = &m->regions[i];
		uintptr_t base = (uintptr_t)r->ptr;
		if (!base || p < base || p - base > r->len ||
			len > r->len - (p - base))
			continue;
		*at = r->at + (p - base);
		return true;
	}
	return false;
}

void *soft_machine_at(const struct soft_machine *m, uint64_t at, size_t len)
{
	for (size_t i = 0; i < SOFT_REGIONS; i++) {
		const struct soft_region *r = &m->regions[i];
		if (r->ptr && at >= r->at && at - r->at <= r->len &&
			len <= r->len - (at - r->at))
			return r->ptr + (at - r->at);
	}
	return NULL;
}

/* --- QEMU's device (docs/specs/ivshmem-spec.txt) ------------------------ */

static bool send_word(int socket, int64_t word, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { &word, sizeof word };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };
	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof control;
		control.head.cmsg_len = CMSG_LEN(sizeof fd);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof word;
}

/* The server's half of the protocol, all of it: version 0; QEMU is peer 0;
 * our bells, as peer 1; the file; QEMU's own bell.  Up to the file all is there
 * before QEMU runs the monitor, which may ring at once. */
static bool greet(const struct soft_machine *m, int socket)
{
	return send_word(socket, 0, -1) && send_word(socket, 0, -1) &&
		send_word(socket, 1, m->bells[MONITOR_BELL_RUN]) &&
		send_word(socket, 1, m->bells[MONITOR_BELL_CALL]) &&
		send_word(socket, -1, m->file) && send_word(socket, 0, m->wake);
}

static bool make_bells(struct soft_machine *m)
{
	m->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < MONITOR_BELLS; i++) {
		m->bells[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (m->bells[i] < 0)
			return false;
	}
	return m->wake >= 0;
}

/* A device's memory is a power of two long. */
uint64_t soft_machine_file_size(const struct soft_machine *m)
{
	uint64_t size = MONITOR_GUEST_AT;
	while (size < m->file_bytes)
		size *= 2;
	return size;
}

static bool fix_size(struct soft_machine *m)
{
	uint64_t size = soft_machine_file_size(m);
	return ftruncate(m->file, (off_t)size) == 0 &&
		fcntl(m->file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0;
}

bool soft_machine_start(struct soft_machine *m, const struct soft_start *s,
	struct err *e)
{
	int pair[2];
	m->said = memfd_create("qemu", MFD_CLOEXEC);
	if (m->said < 0 || !make_bells(m) || !fix_size(m) ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_fail(e, ERR_HOST, "start QEMU: %s", strerror(errno));
	m->peer = pair[0];
	auto_fd theirs = pair[1];
	if (!greet(m, m->peer))
		return err_fail(e, ERR_HOST, "start QEMU: %s", strerror(errno));
	return soft_machine_spawn(s, theirs, m->said, &m->pid, e);
}

/* --- bells -------------------------------------------------------------- */

static void ring(struct soft_machine *m)
{
	fence();
	if (__atomic_load_n(&m->box->asleep, __ATOMIC_SEQ_CST))
		eventfd_write(m->wake, 1);
}

/* Until *done is asked, or QEMU gone. */
static bool wait_for(struct soft_machine *m, enum monitor_bell which,
	const uint32_t *done, uint32_t asked, int timeout_ms)
{
	struct pollfd fds[] = { { m->bells[which], POLLIN, 0 },
		{ m->peer, POLLRDHUP, 0 } };
	eventfd_t count;
	while (__atomic_load_n(done, __ATOMIC_SEQ_CST) != asked) {
		int n = poll(fds, ARRAY_LEN(fds), timeout_ms);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n < 0)
			continue;
		if (fds[0].revents)
			eventfd_read(m->bells[which], &count);
		else if (fds[1].revents)
			return false;
	}
	return true;
}

static void reap(struct soft_machine *m)
{
	kill(m->pid, SIGKILL);
	while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
		;
	m->pid = -1;
}

/* Whatever QEMU complained about.  Who has closed its end is dying, if it is
 * not dead yet. */
static bool gone(struct soft_machine *m, const char *what, struct err *e)
{
	char text[160] = "";
	struct pollfd p = { m->peer, POLLRDHUP, 0 };
	bool dead = m->pid < 0 || poll(&p, 1, 0) == 1;
	if (dead && m->pid > 0)
		reap(m);
	ssize_t n = pread(m->said, text, sizeof text - 1, 0);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = i == n - 1 ? '\0' : ' ';
	return err_fail(e, ERR_HOST, "%s: QEMU %s%s%s", what,
		dead ? "ended" : "does not answer", text[0] ? ": " : "", text);
}

bool soft_machine_ready(struct soft_machine *m, struct err *e)
{
	if (wait_for(m, MONITOR_BELL_CALL, &m->box->alive, MONITOR_MAGIC,
		    START_MS))
		return true;
	return gone(m, "start", e);
}

static const char *result_name(uint32_t result)
{
	return result == MONITOR_FULL ? "no memory for its tables" :
					"not understood";
}

bool soft_machine_call(struct soft_machine *m, enum monitor_op op,
	const uint64_t args[4], struct err *e)
{
	pthread_mutex_lock(&m->calls);
	m->box->call = (struct monitor_call){ .op = op,
		.a = args[0],
		.b = args[1],
		.c = args[2],
		.d = args[3] };
	fence();
	uint32_t asked = m->box->call_asked + 1;
	m->box->call_asked = asked;
	ring(m);
	bool ok = wait_for(m, MONITOR_BELL_CALL, &m->box->call_done, asked,
		START_MS);
	uint32_t result = m->box->call.result;
	pthread_mutex_unlock(&m->calls);
	if (!ok)
		return gone(m, "monitor", e);
	return result == MONITOR_OK ||
		err_fail(e, ERR_HOST, "monitor: call %d: %s", (int)op,
			result_name(result));
}

bool soft_machine_run(struct soft_machine *m, struct monitor_exit *out)
{
	fence();
	uint32_t asked = m->box->run_asked + 1;
	m->box->run_asked = asked;
	ring(m);
	if (!wait_for(m, MONITOR_BELL_RUN, &m->box->run_done, asked, -1))
		return false;
	memcpy(out, &m->box->exit, sizeof *out);
	return true;
}

void soft_machine_kick(struct soft_machine *m)
{
	__atomic_store_n(&m->box->kick, 1, __ATOMIC_SEQ_CST);
	if (m->wake >= 0)
		eventfd_write(m->wake, 1);
}

/* --- the end ------------------------------------------------------------ */

void soft_machine_fini(struct soft_machine *m)
{
	if (m->pid > 0)
		reap(m);
	for (size_t i = 0; i < SOFT_REGIONS; i++)
		soft_machine_memory_free(m, m->regions[i].ptr);
	if (m->box)
		munmap(m->box, MONITOR_GUEST_AT);
	for (size_t i = 0; i < MONITOR_BELLS; i++)
		cleanup_fd(&m->bells[i]);
	cleanup_fd(&m->wake);
	cleanup_fd(&m->peer);
	cleanup_fd(&m->said);
	cleanup_fd(&m->file);
	pthread_mutex_destroy(&m->calls);
}
